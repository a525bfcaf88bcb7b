import numpy as np

from etude.models.search.randomness import keyed_uniform


def test_numbers_are_uniform():
    numbers = keyed_uniform(3, np.arange(300)[:, None], np.arange(300))
    assert numbers.shape == (300, 300)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.histogram(numbers, bins=50, range=(0, 1))[0]
    expected = numbers.size / 50
    # Chi-square of 49 degrees of freedom: mean 49, standard deviation 10.
    assert ((counts - expected) ** 2 / expected).sum() < 49 + 4 * 10


def test_neighbouring_keys_are_unrelated():
    numbers = keyed_uniform(np.arange(60)[:, None, None], np.arange(60)[:, None], np.arange(60))
    assert len(np.unique(numbers)) == numbers.size
    for axis in range(3):
        one = np.take(numbers, range(59), axis).ravel()
        next_one = np.take(numbers, range(1, 60), axis).ravel()
        assert abs(np.corrcoef(one, next_one)[0, 1]) < 0.01


def test_a_number_depends_on_its_own_keys_alone():
    many = keyed_uniform(7, np.arange(5)[:, None], 11, np.arange(4))
    for output in range(5):
        for branch in range(4):
            assert keyed_uniform(7, output, 11, branch) == many[output, branch]


def test_the_order_of_keys_matters():
    assert keyed_uniform(1, 2) != keyed_uniform(2, 1)
    assert keyed_uniform(0) != keyed_uniform(0, 0)


def test_negative_and_large_keys():
    numbers = [float(keyed_uniform(seed, 0)) for seed in (-1, 0, 1, 2**31, 2**63 - 1, -(2**63))]
    assert len(set(numbers)) == len(numbers)

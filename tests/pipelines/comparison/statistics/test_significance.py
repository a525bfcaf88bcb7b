import itertools

import numpy as np
import pytest
from scipy import stats

from etude.pipelines.comparison.statistics.significance import EXACT_UP_TO, NUM_SAMPLES, holm, sign_flip_test


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_few_melodies_are_tested_exactly(count):
    differences = np.random.default_rng(count).normal(0.4, 1.0, count)
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=count)]
    expected = np.mean([value >= abs(differences.sum()) - 1e-9 for value in sums])
    result = sign_flip_test(differences)
    assert result.is_exact
    assert result.p_value == pytest.approx(expected)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5])
def test_many_melodies_agree_with_drawn_signs(shift):
    differences = np.random.default_rng(1).normal(shift, 1.0, 40)
    signs = np.random.default_rng(2).choice([-1, 1], size=(20000, 40))
    expected = np.mean(np.abs(signs @ differences) >= abs(differences.sum()))
    result = sign_flip_test(differences)
    assert not result.is_exact
    assert result.p_value == pytest.approx(expected, abs=0.015)


def test_no_difference_is_no_evidence():
    assert sign_flip_test(np.zeros(5)).p_value == 1.0
    assert sign_flip_test(np.zeros(100)).p_value == 1.0


def test_a_clear_difference_has_the_smallest_p_value():
    assert sign_flip_test(np.full(100, 0.3)).p_value == pytest.approx(1 / (1 + NUM_SAMPLES))


def test_exact_and_sampled_tests_meet():
    differences = np.random.default_rng(3).normal(0.4, 1.0, EXACT_UP_TO)
    exact = sign_flip_test(differences).p_value
    # Zeros change no sum, only the number of melodies, so that the second test samples.
    sampled = sign_flip_test(np.append(differences, np.zeros(6)))
    assert not sampled.is_exact
    assert sampled.p_value == pytest.approx(exact, abs=0.015)


def test_p_values_are_uniform_where_nothing_differs():
    random = np.random.default_rng(4)
    p_values = [sign_flip_test(random.normal(size=10)).p_value for _ in range(400)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_holm_against_its_definition():
    random = np.random.default_rng(5)
    for _ in range(50):
        p_values = random.uniform(size=5) ** 3
        order = np.argsort(p_values)
        expected = np.zeros(5)
        for rank, index in enumerate(order):
            expected[index] = min(1.0, max((5 - earlier) * p_values[order[earlier]] for earlier in range(rank + 1)))
        assert holm(p_values) == pytest.approx(expected)


def test_holm_of_nothing():
    assert holm([]) == []

import numpy as np
import pytest

from etude.models.training.batches import WINDOW, BatchPlan


@pytest.fixture
def lengths():
    return np.random.default_rng(0).integers(16, 500, 203)


def epoch(plan, number=0):
    first = number * plan.steps_per_epoch
    return [plan.indices(step) for step in range(first, first + plan.steps_per_epoch)]


def test_every_melody_once_an_epoch(lengths):
    plan = BatchPlan(lengths, 10, seed=1)
    assert plan.steps_per_epoch == 21
    for number in range(3):
        batches = epoch(plan, number)
        assert sorted(np.concatenate(batches)) == list(range(203))
        assert sorted(map(len, batches)) == [3] + [10] * 20


@pytest.mark.parametrize(("melodies", "batch_size", "steps"), [(1, 1, 1), (7, 7, 1), (8, 7, 2), (56, 7, 8), (57, 7, 9)])
def test_sizes_at_the_edges(melodies, batch_size, steps):
    plan = BatchPlan(np.full(melodies, 20), batch_size, seed=0)
    assert plan.steps_per_epoch == steps
    assert sorted(np.concatenate(epoch(plan))) == list(range(melodies))


def test_a_step_depends_on_seed_and_number_alone(lengths):
    plan = BatchPlan(lengths, 10, seed=1)
    steps = [0, 1, 20, 21, 62, 500]
    expected = [plan.indices(step).tolist() for step in steps]
    for step, indices in reversed(list(zip(steps, expected, strict=True))):
        assert BatchPlan(lengths, 10, seed=1).indices(step).tolist() == indices
        assert plan.indices(step).tolist() == indices
    assert BatchPlan(lengths, 10, seed=2).indices(0).tolist() != expected[0]
    assert expected[0] != expected[3]


def test_batches_are_of_similar_length(lengths):
    plan = BatchPlan(lengths, 10, seed=1)
    padded = sum(lengths[batch].max() * len(batch) for batch in epoch(plan))
    shuffled = np.random.default_rng(5).permutation(lengths)[:200].reshape(20, 10)
    assert padded / lengths.sum() < 1.15
    assert padded < 0.75 * shuffled.max(axis=1).sum() * 10


def test_batches_are_not_in_order_of_length_and_differ_every_epoch(lengths):
    plan = BatchPlan(lengths, 10, seed=1)
    means = [lengths[batch].mean() for batch in epoch(plan)]
    assert means != sorted(means)
    together = [{tuple(sorted(batch)) for batch in epoch(plan, number)} for number in (0, 1)]
    assert len(together[0] & together[1]) < 3
    assert WINDOW > 1

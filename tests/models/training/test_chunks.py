import itertools

import numpy as np
import pytest

from etude.models.training.chunks import StreamPlan, WindowPlan


@pytest.fixture
def lengths():
    return np.random.default_rng(0).integers(1, 60, 41)


def covered(plan, steps):
    """Every (sequence, step) that is trained on, in order, by row."""
    rows = {}
    for step in steps:
        chunks = plan.chunks(step)
        for row, (sequence, start, length) in enumerate(zip(*chunks[:3], strict=True)):
            rows.setdefault(row, []).extend((sequence, start + place) for place in range(length))
    return rows


def every_step(lengths):
    return sorted((sequence, step) for sequence, length in enumerate(lengths) for step in range(length))


@pytest.mark.parametrize(("size", "batch_size"), [(10, 4), (7, 1), (100, 5), (1, 3), (10, 60)])
def test_a_stream_is_every_step_once_an_epoch_in_order(lengths, size, batch_size):
    plan = StreamPlan(lengths, size, batch_size, seed=1)
    for epoch in (0, 2):
        first = epoch * plan.steps_per_epoch
        rows = covered(plan, range(first, first + plan.steps_per_epoch))
        assert sorted(step for row in rows.values() for step in row) == every_step(lengths)
        for row in rows.values():
            for (sequence, step), (next_sequence, next_step) in itertools.pairwise(row):
                assert (next_sequence, next_step) == (sequence, step + 1) or (
                    next_step == 0 and step == lengths[sequence] - 1
                )


def test_a_stream_begins_where_a_sequence_does(lengths):
    plan = StreamPlan(lengths, 10, 4, seed=1)
    for step in range(2 * plan.steps_per_epoch):
        chunks = plan.chunks(step)
        real = chunks.lengths > 0
        np.testing.assert_array_equal(chunks.begins[real], chunks.starts[real] == 0)
        assert real.any()
        assert chunks.lengths.max() <= 10


def test_rows_of_a_stream_are_about_as_long(lengths):
    plan = StreamPlan(lengths, 10, 4, seed=1)
    assert plan.steps_per_epoch <= (-(-lengths // 10)).sum() / 4 + 2


@pytest.mark.parametrize(("size", "stride", "batch_size"), [(10, 10, 4), (10, 3, 7), (7, 1, 8), (100, 1, 5)])
def test_windows_are_those_of_every_sequence(lengths, size, stride, batch_size):
    plan = WindowPlan(lengths, size, stride, batch_size, seed=1)
    expected = []
    for sequence, length in enumerate(lengths):
        start = 0
        while True:
            expected.append((sequence, start, min(size, length - start)))
            if start + size >= length:
                break
            start += stride
    for epoch in (0, 1):
        found = []
        for step in range(epoch * plan.steps_per_epoch, (epoch + 1) * plan.steps_per_epoch):
            chunks = plan.chunks(step)
            assert chunks.begins.all()
            assert len(chunks.starts) <= batch_size
            found += list(zip(*(values.tolist() for values in chunks[:3]), strict=True))
        assert sorted(found) == expected


@pytest.mark.parametrize("make", [StreamPlan, lambda *arguments: WindowPlan(arguments[0], 10, 3, *arguments[2:])])
def test_a_step_depends_on_seed_and_number_alone(make, lengths):
    plan = make(lengths, 10, 4, 1)
    expected = {step: plan.chunks(step) for step in (0, 1, plan.steps_per_epoch, 500)}
    for step, chunks in reversed(expected.items()):
        for found, wanted in zip(make(lengths, 10, 4, 1).chunks(step), chunks, strict=True):
            np.testing.assert_array_equal(found, wanted)
    orders = [covered(make(lengths, 10, 4, seed), [0])[0] for seed in (1, 2)]
    assert orders[0] != orders[1]
    assert covered(plan, [0]) != covered(plan, [plan.steps_per_epoch])

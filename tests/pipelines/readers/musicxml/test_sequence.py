from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.pipelines.readers.musicxml.sequence import _Clock

lengths = st.fractions(Fraction(1, 960), 1000, max_denominator=10_000)
tempos = st.fractions(1, 1000, max_denominator=10_000)


@given(st.lists(st.tuples(lengths, tempos), min_size=1, max_size=10), st.floats(0, 1))
def test_seconds_of_a_time(changes, share):
    """Each stretch of quarter notes takes 60 seconds by its tempo; summed up exactly."""
    starts = [sum((length for length, _ in changes[:index]), Fraction(0)) for index in range(len(changes) + 1)]
    clock = _Clock([(start, tempo) for start, (_, tempo) in zip(starts, changes, strict=False)])
    quarters = starts[-1] * Fraction(share)
    exact = sum(
        (
            max(min(quarters, end) - start, Fraction(0)) * 60 / tempo
            for start, end, (_, tempo) in zip(starts, starts[1:], changes, strict=False)
        ),
        Fraction(0),
    )
    assert clock(quarters) == pytest.approx(float(exact), rel=1e-12)

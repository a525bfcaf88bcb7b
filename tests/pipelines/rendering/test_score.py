import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.melody import as_events
from etude.pipelines.rendering.score import score

HALF_A_LINE = 0.5

melodies = st.lists(st.sampled_from([-2, -2, -2, -1, 48, 60, 64, 71, 79, 88]), min_size=1, max_size=70).map(as_events)


def staves(events, steps_per_bar):
    return re.findall(r"<svg.*?</svg>", score(events, steps_per_bar, "a melody"), re.DOTALL)


def heights(staff):
    """Where lines begin and end, and how far ties reach."""
    for first, second in re.findall(r'<line[^>]* y1="([-\d.]+)"[^>]* y2="([-\d.]+)"', staff):
        yield from (float(first), float(second))
    for start, control in re.findall(r'd="M[-\d.]+ ([-\d.]+)Q[-\d.]+ ([-\d.]+) [^"]*" class="tie"', staff):
        # A quadratic curve comes half as near as its control point.
        yield (float(start) + float(control)) / 2


@given(melodies, st.sampled_from([8, 12, 16]))
def test_nothing_is_cut_off(events, steps_per_bar):
    for staff in staves(events, steps_per_bar):
        (height,) = re.findall(r'viewBox="0 0 [\d.]+ ([\d.]+)"', staff)
        reached = list(heights(staff))
        assert len(reached) >= 10
        assert min(reached) >= 0
        assert max(reached) <= float(height)


@pytest.mark.parametrize(("pitch", "place"), [(60, max), (88, min)])
def test_ties_of_the_lowest_and_highest_notes_are_seen(pitch, place):
    """Over the bar line, away from the stem: below low notes, above high ones."""
    events = as_events([pitch, -1, *[-2] * 10, pitch, *[-2] * 11, -1, *[-2] * 7])
    (staff,) = staves(events, 16)
    assert staff.count('class="tie"') == 1
    (height,) = re.findall(r'viewBox="0 0 [\d.]+ ([\d.]+)"', staff)
    reached = place(heights(staff))
    assert HALF_A_LINE <= reached <= float(height) - HALF_A_LINE

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.melody import as_events
from etude.pipelines.rendering.score import GAP, score

HALF_A_LINE = 0.5

melodies = st.lists(st.sampled_from([-2, -2, -2, -1, 48, 60, 64, 71, 79, 88]), min_size=1, max_size=70).map(as_events)


def staves(events, steps_per_bar, steps_per_quarter=4):
    return re.findall(r"<svg.*?</svg>", score(events, steps_per_bar, steps_per_quarter, "a melody"), re.DOTALL)


def heights(staff):
    """Where lines begin and end, and how far ties reach."""
    for first, second in re.findall(r'<line[^>]* y1="([-\d.]+)"[^>]* y2="([-\d.]+)"', staff):
        yield from (float(first), float(second))
    # The number of a tuplet is less than a line and a quarter high.
    for baseline in re.findall(r'<text[^>]* y="([-\d.]+)"[^>]*>(?:3|5|7)</text>', staff):
        yield from (float(baseline) - 1.25 * GAP, float(baseline))
    for start, control in re.findall(r'd="M[-\d.]+ ([-\d.]+)Q[-\d.]+ ([-\d.]+) [^"]*" class="tie"', staff):
        # A quadratic curve comes half as near as its control point.
        yield (float(start) + float(control)) / 2


@given(melodies, st.sampled_from([2, 3, 4]), st.sampled_from([2, 3, 4, 8, 12]))
def test_nothing_is_cut_off(events, quarters, steps_per_quarter):
    for staff in staves(events, quarters * steps_per_quarter, steps_per_quarter):
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


def test_steps_have_room():
    """On a finer grid fewer bars stand beside each other."""
    events = as_events([60] * 64)
    assert [len(staves(events, 4 * steps, steps)) for steps in (2, 4, 8)] == [2, 2, 2]
    assert [len(staves(events[:32], 4 * steps, steps)) for steps in (4, 8)] == [1, 1]


def test_triplets_are_numbered():
    (staff,) = staves(as_events([60, 62, 64, 65, -2, -2, 67, -2, 69, -2, -2, -2]), 12, 3)
    assert re.findall(r"<text[^>]*>(\d)</text>", staff) == ["3", "3"]


def test_thirty_seconds_have_three_beams():
    for steps, beams in ((4, 1), (2, 2), (1, 3)):
        (staff,) = staves(as_events([60, *[-2] * (steps - 1)] * (32 // steps)), 32, 8)
        assert len(set(re.findall(r'<rect[^>]* y="([-\d.]+)"', staff))) == beams

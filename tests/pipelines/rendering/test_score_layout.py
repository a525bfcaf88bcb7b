import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.melody import as_events
from etude.models.melodies.notes import notes_of
from etude.pipelines.rendering.score_layout import VALUES, bars, beams, shown_accidental, staff_position

melodies = st.lists(st.sampled_from([-2, -2, -2, -1, 60, 61, 67, 72]), min_size=1, max_size=60).map(as_events)


@given(melodies, st.sampled_from([8, 12, 16, 18]))
def test_notation_says_what_the_events_say(events, steps_per_bar):
    """What is written, played back, is the melody."""
    sounding = []
    goes_on = False
    for number, bar in enumerate(bars(events, steps_per_bar)):
        assert sum(symbol.duration for symbol in bar) == steps_per_bar
        for symbol in bar:
            assert symbol.duration in VALUES
            onset = number * steps_per_bar + symbol.onset
            if symbol.pitch is not None and goes_on:
                start, pitch, duration = sounding.pop()
                assert (pitch, start + duration) == (symbol.pitch, onset)
                sounding.append((start, pitch, duration + symbol.duration))
            elif symbol.pitch is not None:
                sounding.append((onset, symbol.pitch, symbol.duration))
            goes_on = symbol.is_tied
    assert sounding == list(zip(*(values.tolist() for values in notes_of(events)), strict=True))


@pytest.mark.parametrize(
    ("events", "steps_per_bar", "expected"),
    [
        ([60, *[-2] * 15], 16, [(0, 16)]),
        ([60, -2, -2, -2, -2, -2, 62, -2, *[-1], *[-2] * 7], 16, [(0, 6), (6, 2), (8, 8)]),
        ([60, -2, 62, -2, -2, -2, 64, -2], 8, [(0, 2), (2, 2), (4, 2), (6, 2)]),
        ([60, *[-2] * 8, 62, -2, -2], 12, [(0, 6), (6, 3), (9, 3)]),
    ],
)
def test_values(events, steps_per_bar, expected):
    (bar,) = bars(np.array(events), steps_per_bar)
    assert [(symbol.onset, symbol.duration) for symbol in bar] == expected


def test_beams_join_short_notes_of_a_beat():
    (bar,) = bars(np.array([60, -2, 62, 64, 65, -2, -1, -2, 67, -2, -2, 69, 71, -2, -2, -2]), 16)
    assert [[symbol.onset for symbol in run] for run in beams(bar, 16)] == [[0, 2, 3], [8, 11]]


def test_staff_positions():
    assert staff_position(64) == (0, "")
    assert staff_position(60) == (-2, "")
    assert staff_position(71) == (4, "")
    assert staff_position(66) == (1, "sharp")
    assert staff_position(70) == (4, "flat")


def test_an_accidental_holds_for_its_bar():
    written = {}
    shown = [shown_accidental(pitch, written) for pitch in (66, 66, 65, 65, 66, 78)]
    assert shown == ["sharp", "", "natural", "", "sharp", "sharp"]

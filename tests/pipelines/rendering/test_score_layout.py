import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.melody import as_events
from etude.models.melodies.notes import notes_of
from etude.pipelines.rendering.score_layout import (
    bars,
    beams,
    beat,
    shown_accidental,
    staff_position,
    tuplets,
)

VALUES = (16, 12, 8, 6, 4, 3, 2, 1.5, 1, 0.75, 0.5)
"""From the whole note down to the thirty-second, in sixteenths, with dotted ones between."""

IN_THE_TIME_OF = {3: 2, 5: 4, 6: 4, 12: 8}
"""How many steps of plain notes take as long as a quarter note's steps, written alike."""

melodies = st.lists(st.sampled_from([-2, -2, -2, -1, 60, 61, 67, 72]), min_size=1, max_size=60).map(as_events)


@given(melodies, st.sampled_from([2, 3, 4, 4.5]), st.sampled_from([1, 2, 3, 4, 5, 6, 8, 12]))
def test_notation_says_what_the_events_say(events, quarters, steps_per_quarter):
    """What is written, played back, is the melody."""
    steps_per_bar = int(quarters * steps_per_quarter)
    sounding = []
    goes_on = False
    for number, bar in enumerate(bars(events, steps_per_bar, steps_per_quarter)):
        assert sum(symbol.duration for symbol in bar) == steps_per_bar
        for symbol in bar:
            assert symbol.value in VALUES
            stretched = 1.0 if symbol.tuplet is None else steps_per_quarter / IN_THE_TIME_OF[steps_per_quarter]
            assert symbol.value * steps_per_quarter == pytest.approx(4 * symbol.duration * stretched)
            onset = number * steps_per_bar + symbol.onset
            if symbol.pitch is not None and goes_on:
                start, pitch, duration = sounding.pop()
                assert (pitch, start + duration) == (symbol.pitch, onset)
                sounding.append((start, pitch, duration + symbol.duration))
            elif symbol.pitch is not None:
                sounding.append((onset, symbol.pitch, symbol.duration))
            goes_on = symbol.is_tied
    assert sounding == list(zip(*(values.tolist() for values in notes_of(events)), strict=True))


@given(melodies, st.sampled_from([8, 12, 16, 18, 24]), st.sampled_from([2, 3]))
def test_a_finer_grid_writes_the_same(events, steps_per_bar, times):
    """Each event followed by nothing new, on a grid as much finer, looks the same."""
    finer = np.full((len(events), times), -2)
    finer[:, 0] = events
    coarse, fine = bars(events, steps_per_bar, 4), bars(finer.reshape(-1), times * steps_per_bar, 4 * times)
    looks = [
        [[(one.value, one.pitch, one.is_tied, one.tuplet) for one in bar] for bar in each] for each in (coarse, fine)
    ]
    assert looks[0] == looks[1]


@pytest.mark.parametrize(
    ("events", "steps_per_bar", "steps_per_quarter", "expected"),
    [
        ([60, *[-2] * 15], 16, 4, [(0, 16)]),
        ([60, -2, -2, -2, -2, -2, 62, -2, *[-1], *[-2] * 7], 16, 4, [(0, 6), (6, 2), (8, 8)]),
        ([60, -2, 62, -2, -2, -2, 64, -2], 8, 4, [(0, 2), (2, 2), (4, 2), (6, 2)]),
        ([60, *[-2] * 8, 62, -2, -2], 12, 4, [(0, 6), (6, 3), (9, 3)]),
        ([60, *[-2] * 31], 32, 8, [(0, 16)]),
        ([60, 62, *[-2] * 22], 24, 8, [(0, 0.5), (1, 4), (9, 1.5), (12, 6)]),
        ([60, 62, 64, 65, *[-2] * 8], 12, 3, [(0, 2), (1, 2), (2, 2), (3, 12)]),
    ],
)
def test_values(events, steps_per_bar, steps_per_quarter, expected):
    (bar,) = bars(np.array(events), steps_per_bar, steps_per_quarter)
    assert [(symbol.onset, symbol.value) for symbol in bar] == expected


def test_tuplets():
    """A quarter of three notes, one of two that plain notes can write, and one whose last third goes on."""
    events = np.array([60, -2, 62, -2, 64, -2, 65, -2, -2, 67, -2, -2, 69, -2, -2, -2, 71, -2, *[-2] * 6])
    (bar,) = bars(events, 24, 6)
    assert [[(symbol.onset, symbol.value) for symbol in group] for group in tuplets(bar)] == [
        [(0, 2), (2, 2), (4, 2)],
        [(12, 4), (16, 2)],
    ]
    assert [(symbol.onset, symbol.value, symbol.is_tied) for symbol in bar[3:5]] == [(6, 2, False), (9, 2, False)]
    assert (bar[6].is_tied, bar[7].onset, bar[7].value, bar[7].tuplet) == (True, 18, 4, None)


def test_beats():
    assert {steps: beat(steps, 4) for steps in (16, 12, 8, 18, 24)} == {16: 4, 12: 6, 8: 4, 18: 6, 24: 6}
    assert {steps: beat(steps, 8) for steps in (32, 24, 16, 36, 48)} == {32: 8, 24: 12, 16: 8, 36: 12, 48: 12}
    assert (beat(9, 3), beat(12, 3), beat(6, 2)) == (3, 3, 3)


def test_beams_join_short_notes_of_a_beat():
    (bar,) = bars(np.array([60, -2, 62, 64, 65, -2, -1, -2, 67, -2, -2, 69, 71, -2, -2, -2]), 16, 4)
    assert [[symbol.onset for symbol in run] for run in beams(bar, 4)] == [[0, 2, 3], [8, 11]]


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

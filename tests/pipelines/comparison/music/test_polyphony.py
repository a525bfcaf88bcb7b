"""Measures of several voices, recomputed step by step."""

import itertools
import math

import numpy as np
import pytest

from etude.models.sequences.notes import Notes
from etude.pipelines.comparison.music.polyphony import SCALARS, ends_in_loop, measure_piece, run_numbers
from tests.keyboard_pieces import random_notes, rows_of

BAR, QUARTER = 12, 4
SCALES = [{(root + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)} for root in range(12)]


@pytest.mark.parametrize("seed", range(10))
def test_equals_the_definitions(seed):
    notes = random_notes(seed, num_steps=90)
    rows = [(onset, pitch, min(onset + duration, 80)) for onset, pitch, duration in rows_of(notes) if onset < 80]
    found = measure_piece(notes, 80, BAR, QUARTER)
    sounding = [{pitch for onset, pitch, end in rows if onset <= step < end} for step in range(80)]
    assert found["polyphony_rate"] == pytest.approx(sum(len(one) > 1 for one in sounding) / 80)
    heard = [len(one) for one in sounding if one]
    assert found["notes_at_once"] == pytest.approx(sum(heard) / len(heard))
    assert found["empty_beats"] == sum(not any(sounding[step : step + 4]) for step in range(0, 80, 4)) / 20
    shares = [sum(pitch % 12 in scale for _, pitch, _ in rows) / len(rows) for scale in SCALES]
    assert found["scale_consistency"] == pytest.approx(max(shares))
    classes = [sum(pitch % 12 == each for _, pitch, _ in rows) / len(rows) for each in range(12)]
    entropy = -sum(share * math.log2(share) for share in classes if share)
    assert found["pitch_class_entropy"] == pytest.approx(entropy)
    begins = [any(onset == step for onset, _, _ in rows) for step in range(84)]
    bars = [begins[start : start + BAR] for start in range(0, 84, BAR)]
    differ = sum(one != other for pair in itertools.pairwise(bars) for one, other in zip(*pair, strict=True))
    assert found["groove_consistency"] == pytest.approx(1 - differ / (BAR * (len(bars) - 1)))
    assert set(found) == set(SCALARS)


def test_nothing():
    nothing = np.zeros(0, np.int64)
    assert set(measure_piece(Notes(nothing, nothing, nothing), 16, 16, 4).values()) == {0.0}


def test_bars_like_an_earlier_one():
    notes = Notes(np.array([0, 4, 16, 20, 33]), np.array([60, 62] * 2 + [60]), np.full(5, 4))
    assert measure_piece(notes, 48, 16, 4)["repeated_bars"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("words", "is_loop"),
    [
        ([7, 7, 7, 7], True),
        ([1, 7, 7, 7], False),
        ([1, 2] * 4, True),
        ([1, 2] * 3 + [1], False),
        ([5, 4, *[1, 2, 3] * 4], True),
        ([*range(9)] * 4, False),
        ([], False),
    ],
)
def test_loops(words, is_loop):
    """At most eight words, four times in a row, at the end."""
    assert ends_in_loop(np.array(words)) == is_loop


def test_runs_are_those_of_any_key():
    notes = random_notes(1)
    moved = notes._replace(pitches=notes.pitches + 3)
    assert run_numbers(notes).tolist() == run_numbers(moved).tolist()
    assert len(run_numbers(notes)) == len(notes.onsets) - 1

import numpy as np
import pytest

from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.pipelines.comparison.breakdowns import bars_seen_before, breakdowns, metre_name

MELODIES = [
    Melody(np.array([60, -2, 62, -1, 60, -2, 62, -1, 64, -2]), steps_per_bar=4),
    Melody(np.array([60, -2, -2, 61, -2, -2, 60, -2]), steps_per_bar=3),
]


def categories(name):
    """The category of every predicted step of both melodies, by name."""
    melodies = MelodySet.of(MELODIES)
    found = {breakdown.name: breakdown for breakdown in breakdowns(melodies, 4)}[name]
    index = found.index(melodies.batch(np.arange(2)))
    return [
        [None if number < 0 else found.categories[number] for number in row[: len(melody.events) - 1]]
        for row, melody in zip(index, MELODIES, strict=True)
    ]


@pytest.mark.parametrize(
    ("steps_per_bar", "steps_per_quarter", "name"),
    [
        (16, 4, "4/4 (16 steps a bar)"),
        (32, 8, "4/4 (32 steps a bar)"),
        (12, 3, "4/4 (12 steps a bar)"),
        (24, 8, "3/4 or 6/8 (24 steps a bar)"),
        (9, 2, "9/8 (9 steps a bar)"),
        (3, 2, "3/8 (3 steps a bar)"),
        (10, 4, "10 steps a bar"),
    ],
)
def test_metres(steps_per_bar, steps_per_quarter, name):
    assert metre_name(steps_per_bar, steps_per_quarter) == name
    melodies = MelodySet.of([Melody(np.full(40, -2), steps_per_bar=steps_per_bar)])
    metre, position, *_ = breakdowns(melodies, steps_per_quarter)
    assert metre.categories == (name,)
    assert position.title == f"Position in the bar, {name}"


def test_event():
    assert categories("event")[0] == [
        "no event",
        "note-on",
        "note-off",
        "note-on",
        "no event",
        "note-on",
        "note-off",
        "note-on",
        "no event",
    ]


def test_position_in_bar():
    assert categories("position_in_bar_4") == [["2", "3", "4", "1", "2", "3", "4", "1", "2"], [None] * 7]
    assert categories("position_in_bar_3")[1] == ["2", "3", "1", "2", "3", "1", "2"]


def test_bar():
    assert categories("bar") == [["1"] * 3 + ["2"] * 4 + ["3"] * 2, ["1"] * 2 + ["2"] * 3 + ["3"] * 2]


def test_late_bars():
    melodies = MelodySet.of([Melody(np.full(30, -2), steps_per_bar=1)])
    found = {breakdown.name: breakdown for breakdown in breakdowns(melodies, 4)}["bar"]
    names = [found.categories[number] for number in found.index(melodies.batch(np.arange(1)))[0]]
    assert names == ["2", "3", "4", *["5 to 8"] * 4, *["9 to 16"] * 8, *["17 or more"] * 14]


def test_metre_and_length():
    assert categories("metre") == [["4 steps a bar"] * 9, ["3 steps a bar"] * 7]
    assert categories("length") == [["0 to 63"] * 9, ["0 to 63"] * 7]


def test_repetition():
    same, new = "same as an earlier bar", "new bar"
    assert categories("repetition") == [[new] * 3 + [same] * 4 + [new] * 2, [new] * 7]


def test_a_cut_bar_is_not_a_repetition():
    assert not bars_seen_before(np.array([60, -2, 62, -2, 60, -2]), 4).any()

"""Fixtures that read and play ABC."""

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import pytest

from etude.pipelines.readers.abc import RejectedTune, Tune, read_tunebook

Notes: TypeAlias = list[tuple[int, Fraction, Fraction]]

HEADER = "X:1\nT:Test\nM:4/4\nL:1/4\nK:C\n"


def read_one(text: str) -> Tune:
    (tune,) = read_tunebook(text.encode(), "test.abc")
    assert isinstance(tune, Tune), tune
    return tune


@pytest.fixture
def read() -> Callable[[str], Tune]:
    """Reads the only tune of a text."""
    return read_one


@pytest.fixture
def reject() -> Callable[[str], RejectedTune]:
    """Reads the only tune of a text, which cannot be read."""

    def read(text: str) -> RejectedTune:
        (tune,) = read_tunebook(text.encode(), "test.abc")
        assert isinstance(tune, RejectedTune), tune
        return tune

    return read


@pytest.fixture
def play() -> Callable[[str], Notes]:
    """Plays music, or a whole tune: pitch, onset and duration of its notes, in units of the quarter note."""

    def notes(text: str) -> Notes:
        tune = read_one(text if text.startswith("X:") else HEADER + text)
        quarter = Fraction(tune.performance.units, 4)
        return [
            (note.pitch, Fraction(note.start) / quarter, Fraction(note.end - note.start) / quarter)
            for note in tune.performance.notes
        ]

    return notes


@pytest.fixture
def melody(play: Callable[[str], Notes]) -> Callable[[str], list[tuple[int, Fraction]]]:
    """Plays music: pitch and duration of its notes, which follow each other without a gap."""

    def notes(text: str) -> list[tuple[int, Fraction]]:
        now = Fraction(0)
        result = []
        for pitch, onset, duration in play(text):
            assert onset == now
            now += duration
            result.append((pitch, duration))
        return result

    return notes


@pytest.fixture
def pitches(play: Callable[[str], Notes]) -> Callable[[str], list[int]]:
    """Plays music: the pitches of its notes, one after the other."""
    return lambda text: [pitch for pitch, _, _ in play(text)]

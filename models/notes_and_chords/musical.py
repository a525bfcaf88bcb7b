"""Notes as words that lose nothing of what is on the grid: offset, pitch, loudness, duration.

A note is its pitch (`60`), how loud it is where that is told (`v3`), and how long it lasts in steps (`=4`). An offset (`+2`)
stands before the notes that begin so many steps after those before. Offsets and durations of more than a whole note
are several words, whose steps add up. Of notes that begin together the lowest comes first.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from etude.models.melodies.melody import MAX_PITCH
from etude.models.notes_and_chords.keyboard import MAX_VELOCITY, keyboard_notes
from etude.models.sequences.batch import Tokens
from etude.models.sequences.notes import Notes

OFFSET, DURATION, LOUDNESS = "+", "=", "v"

WHOLE_NOTE_QUARTERS = 4


def alphabet(steps_per_quarter: int, velocity_bins: int) -> tuple[str, ...]:
    """Every word that there is."""
    longest = WHOLE_NOTE_QUARTERS * steps_per_quarter
    return (
        *map(str, range(MAX_PITCH + 1)),
        *(f"{OFFSET}{steps}" for steps in range(1, longest + 1)),
        *(f"{DURATION}{steps}" for steps in range(1, longest + 1)),
        *(f"{LOUDNESS}{level}" for level in range(velocity_bins)),
    )


def words_of(notes: Notes, steps_per_quarter: int, velocity_bins: int = 0) -> tuple[str, ...]:
    """The words of notes as `keyboard_notes` gives them.

    Args:
      notes: in order of onset and pitch.
      steps_per_quarter: steps in a quarter note.
      velocity_bins: degrees of loudness that are told apart; 0 leaves it out.
    """
    longest = WHOLE_NOTE_QUARTERS * steps_per_quarter
    words: list[str] = []
    offsets = np.diff(notes.onsets, prepend=0).tolist()
    loudness: list[list[str]] = _loudness(notes, velocity_bins) if velocity_bins else [[]] * len(offsets)
    for offset, pitch, loud, duration in zip(
        offsets, notes.pitches.tolist(), loudness, notes.durations.tolist(), strict=True
    ):
        words += _steps(OFFSET, offset, longest)
        words.append(str(pitch))
        words += loud
        words += _steps(DURATION, duration, longest)
    return tuple(words)


def notes_of(words: Iterable[str], velocity_bins: int = 0) -> Notes:
    """The notes of words, as a keyboard plays them; a pitch without a duration is none, nor is a word out of place."""
    found: list[list[int]] = []
    onset = pitch = level = 0
    is_pending = is_last = False
    for word in words:
        if word[0] == DURATION:
            if is_pending:
                found.append([onset, pitch, onset, level])
            if is_pending or is_last:
                found[-1][2] += int(word[1:])
                is_pending, is_last = False, True
        elif word[0] == LOUDNESS:
            level = int(word[1:])
        elif word[0] == OFFSET:
            onset += int(word[1:])
            is_pending = is_last = False
        else:
            is_last = False
            if is_pending := word.isdecimal():
                pitch = int(word)
    onsets, pitches, ends, levels = np.array(found, np.int64).reshape(-1, 4).T
    return keyboard_notes(onsets, pitches, ends, velocities_of(levels, velocity_bins) if velocity_bins else None)


def levels_of(velocities: Tokens, velocity_bins: int) -> Tokens:
    """The degree of loudness of velocities from 1 to 127."""
    levels: Tokens = (np.clip(velocities, 1, MAX_VELOCITY) - 1) * velocity_bins // MAX_VELOCITY
    return levels


def velocities_of(levels: Tokens, velocity_bins: int) -> Tokens:
    """The velocity in the middle of each degree of loudness."""
    return (2 * levels + 1) * MAX_VELOCITY // (2 * velocity_bins) + 1


def transposed(words: Iterable[str], semitones: int) -> tuple[str, ...] | None:
    """The words in another key; None if a note would leave the pitches 0 to 127."""
    moved = [str(int(word) + semitones) if word.isdecimal() else word for word in words]
    in_range = all(not word.lstrip("-").isdecimal() or 0 <= int(word) <= MAX_PITCH for word in moved)
    return tuple(moved) if in_range else None


def offset_of(word: str) -> int:
    """By how many steps a word moves on."""
    return int(word[1:]) if word[0] == OFFSET else 0


def _loudness(notes: Notes, velocity_bins: int) -> list[list[str]]:
    assert notes.velocities is not None
    return [[f"{LOUDNESS}{level}"] for level in levels_of(notes.velocities, velocity_bins).tolist()]


def _steps(kind: str, steps: int, longest: int) -> Iterator[str]:
    while steps > 0:
        yield f"{kind}{min(steps, longest)}"
        steps -= longest

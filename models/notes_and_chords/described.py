"""Notes and chords as one report describes them: pitches, offset and duration in the string of one token.

`C4.E4.G4|1/2|1`: the notes that begin and end together, lowest first; quarter notes since the token before; quarter notes
that they last. On the grid nothing is lost but loudness; what is not in the vocabulary is.
"""

import itertools
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from etude.models.notes_and_chords.keyboard import keyboard_notes
from etude.models.notes_and_chords.names import NAMES, PITCHES
from etude.models.sequences.notes import Notes

_SEPARATOR = "|"


def words_of(notes: Notes, steps_per_quarter: int) -> tuple[str, ...]:
    """The words of notes as `keyboard_notes` gives them."""
    ends = notes.onsets + notes.durations
    order = np.lexsort((notes.pitches, ends, notes.onsets))
    rows = zip(notes.onsets[order].tolist(), ends[order].tolist(), notes.pitches[order].tolist(), strict=True)
    words, before = [], 0
    for (onset, end), together in itertools.groupby(rows, key=lambda row: row[:2]):
        pitches = ".".join(NAMES[pitch] for _, _, pitch in together)
        offset, duration = (Fraction(steps, steps_per_quarter) for steps in (onset - before, end - onset))
        words.append(_SEPARATOR.join((pitches, str(offset), str(duration))))
        before = onset
    return tuple(words)


def notes_of(words: Iterable[str], steps_per_quarter: int) -> Notes:
    """The notes of words, as a keyboard plays them; a word of another kind is none."""
    found: list[tuple[int, int, int]] = []
    onset = 0
    for word in words:
        if _SEPARATOR in word:
            pitches, _, duration = word.split(_SEPARATOR)
            onset += offset_of(word, steps_per_quarter)
            end = onset + int(Fraction(duration) * steps_per_quarter)
            found += [(onset, PITCHES[name], end) for name in pitches.split(".")]
    onsets, numbers, ends = np.array(found, np.int64).reshape(-1, 3).T
    return keyboard_notes(onsets, numbers, ends)


def transposed(words: Iterable[str], semitones: int) -> tuple[str, ...] | None:
    """The words in another key; None if a note would leave the pitches 0 to 127."""
    moved = []
    for word in words:
        pitches, separator, rest = word.partition(_SEPARATOR)
        if separator:
            numbers = [PITCHES[name] + semitones for name in pitches.split(".")]
            if min(numbers) < 0 or max(numbers) >= len(NAMES):
                return None
            pitches = ".".join(NAMES[number] for number in numbers)
        moved.append(pitches + separator + rest)
    return tuple(moved)


def offset_of(word: str, steps_per_quarter: int) -> int:
    """By how many steps a word moves on, before its notes."""
    return int(Fraction(word.split(_SEPARATOR)[1]) * steps_per_quarter) if _SEPARATOR in word else 0

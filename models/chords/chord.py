"""Chords as numbers, so that a chord a step is an array.

A number holds, from its lowest bits on: the pitch class of the root (4 bits), that of the bass (4), the pitch classes as
bits, relative to the root (12), and the quality of the triad plus one (3). 0 is no chord.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import PITCHES_PER_OCTAVE

NONE = 0
"""No chord."""

CHORDS = "chords"
"""The column of a sequence under which the chord of each of its steps stands."""

MAJOR, MINOR, AUGMENTED, DIMINISHED, OTHER = range(5)
QUALITIES = ("major", "minor", "augmented", "diminished", "other")
"""Of triads, by number; the last are those without a third or a fifth, or with unusual ones."""

Numbers = npt.NDArray[np.int64]

_BASS, _PITCHES, _QUALITY = 4, 8, 20
_CLASS = (1 << 4) - 1
_OCTAVE = (1 << PITCHES_PER_OCTAVE) - 1
_MINOR_THIRD, _MAJOR_THIRD = 1 << 3, 1 << 4


def chord_number(root: int, bass: int, intervals: Iterable[int], quality: int) -> int:
    """The number of a chord.

    Args:
      root: its pitch class.
      bass: its lowest pitch class, which need not be in the chord.
      intervals: its pitch classes, relative to the root.
      quality: of its triad.
    """
    pitches = sum(1 << interval for interval in {interval % PITCHES_PER_OCTAVE for interval in intervals})
    return root | bass << _BASS | pitches << _PITCHES | (quality + 1) << _QUALITY


def roots(chords: npt.NDArray[np.signedinteger[Any]]) -> Numbers:
    """The pitch class of the root of each chord; of no chord 0."""
    return np.asarray(chords, np.int64) & _CLASS


def basses(chords: npt.NDArray[np.signedinteger[Any]]) -> Numbers:
    """The lowest pitch class of each chord; of no chord 0."""
    return np.asarray(chords, np.int64) >> _BASS & _CLASS


def intervals(chords: npt.NDArray[np.signedinteger[Any]]) -> Numbers:
    """The pitch classes of each chord relative to its root, as bits."""
    return np.asarray(chords, np.int64) >> _PITCHES & _OCTAVE


def qualities(chords: npt.NDArray[np.signedinteger[Any]]) -> Numbers:
    """The quality of each chord's triad; -1 of no chord."""
    return (np.asarray(chords, np.int64) >> _QUALITY) - 1


def triad_qualities(chords: npt.NDArray[np.signedinteger[Any]]) -> Numbers:
    """The quality of the triad that stands for each chord: its own, or, of an unusual one, that of its third.

    A chord without a third has a major triad.
    """
    own, pitches = qualities(chords), intervals(chords)
    is_minor = (pitches & (_MINOR_THIRD | _MAJOR_THIRD)) == _MINOR_THIRD
    return np.where(own == OTHER, np.where(is_minor, MINOR, MAJOR), own)


def pitch_classes(chords: npt.NDArray[np.signedinteger[Any]]) -> npt.NDArray[np.bool_]:
    """Whether each pitch class, from C, is in each chord, the bass not counted: [..., 12] from [...]."""
    relative = (np.arange(PITCHES_PER_OCTAVE) - roots(chords)[..., None]) % PITCHES_PER_OCTAVE
    found: npt.NDArray[np.bool_] = (intervals(chords)[..., None] >> relative & 1).astype(bool)
    return found


def transpose_chords(chords: npt.NDArray[np.signedinteger[Any]], semitones: int) -> Numbers:
    """Every chord moved by `semitones`."""
    moved = (np.stack([roots(chords), basses(chords)]) + semitones) % PITCHES_PER_OCTAVE
    numbers = np.asarray(chords, np.int64)
    kept = numbers >> _PITCHES << _PITCHES
    return np.where(numbers == NONE, NONE, kept | moved[0] | moved[1] << _BASS)

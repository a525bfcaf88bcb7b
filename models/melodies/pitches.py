"""Pitches by name."""

import re

from etude.models.errors import UsageError
from etude.models.melodies.melody import MAX_PITCH, MIN_PITCH, PITCHES_PER_OCTAVE

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""The pitch class of each letter."""

ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def parse_pitch(text: str) -> int:
    """Reads a pitch: a MIDI number, or a name such as C4 (middle C), F#5 or Bb3.

    Raises:
      UsageError: if it is none.
    """
    match = re.fullmatch(r"([A-Ga-g])([#♯b♭]?)(-?\d)", text.strip())
    if match:
        pitch = LETTERS[match[1].upper()] + ACCIDENTALS[match[2]] + PITCHES_PER_OCTAVE * (int(match[3]) + 1)
    else:
        pitch = int(text) if re.fullmatch("[0-9]{1,3}", text.strip()) else -1
    if not MIN_PITCH <= pitch <= MAX_PITCH:
        raise UsageError(f"a pitch is a MIDI number from 0 to 127 or a name such as C4 (middle C), not {text!r}")
    return pitch


def pitch_class_name(pitch_class: int) -> str:
    """The usual name of a pitch class: C, C#, D, Eb and so on."""
    return _NAMES[pitch_class]


def pitch_name(pitch: int) -> str:
    """The name of a MIDI pitch; 60 is C4."""
    return f"{_NAMES[pitch % PITCHES_PER_OCTAVE]}{pitch // PITCHES_PER_OCTAVE - 1}"


def parse_pitch_class(text: str) -> int | None:
    """The pitch class of a name such as C, F# or bb; None if it is none."""
    match = re.fullmatch(r"([A-Ga-g])([#♯b♭]?)", text)
    return (LETTERS[match[1].upper()] + ACCIDENTALS[match[2]]) % PITCHES_PER_OCTAVE if match else None

"""Scales by name: "C major", "D dorian", "F# minor pentatonic", or notes one by one, "C D E G A"."""

import dataclasses
import re

from models.errors import UsageError
from models.melody import MAJOR_SCALE, PITCHES_PER_OCTAVE

_MINOR = (0, 2, 3, 5, 7, 8, 10)
MODES = {
    "major": MAJOR_SCALE,
    "minor": _MINOR,
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "ionian": MAJOR_SCALE,
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": _MINOR,
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(PITCHES_PER_OCTAVE)),
}
"""Semitones above the tonic."""

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NOTE = re.compile(r"([A-Ga-g])([#♯b♭]?)")
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclasses.dataclass(frozen=True)
class Scale:
    """A tonic and the pitch classes of a scale.

    Attributes:
      tonic: 0 (C) to 11 (B).
      pitch_classes: ascending.
    """

    tonic: int
    pitch_classes: tuple[int, ...]


def parse_scale(text: str) -> Scale:
    """Reads a scale.

    Args:
      text: a tonic and one of `MODES` (major if there is none), or two or more notes or numbers from 0 (C) to 11 (B)
        with the tonic first, separated by spaces or commas.

    Raises:
      UsageError: if it is no scale; the message shows how to write one.
    """
    words = text.replace(",", " ").strip("[] ").split()
    notes = [_pitch_class(word) for word in words]
    if words and notes[0] is not None:
        known = [note for note in notes if note is not None]
        if len(known) == len(words) > 1:
            return Scale(known[0], tuple(sorted(set(known))))
        mode = MODES.get(" ".join(words[1:]).lower() or "major")
        if mode is not None:
            return Scale(notes[0], tuple(sorted((notes[0] + step) % PITCHES_PER_OCTAVE for step in mode)))
    raise UsageError(
        f"--scale takes a tonic and a mode such as 'C major' or 'F# dorian', or notes such as 'C D E G A', not {text!r}; "
        f"the modes: {', '.join(MODES)}"
    )


def pitch_class_name(pitch_class: int) -> str:
    """The usual name of a pitch class: C, C#, D, Eb and so on."""
    return _NAMES[pitch_class]


def _pitch_class(word: str) -> int | None:
    if word.isdecimal() and int(word) < PITCHES_PER_OCTAVE:
        return int(word)
    match = _NOTE.fullmatch(word)
    return (_LETTERS[match[1].upper()] + _ACCIDENTALS[match[2]]) % PITCHES_PER_OCTAVE if match else None

"""Scales by name ("C major", "F# minor pentatonic", or notes one by one, "C D E G A"), and keys with their signature."""

import dataclasses
import re

from etude.models.errors import UsageError
from etude.models.melodies.melody import MAJOR_SCALE, PITCHES_PER_OCTAVE
from etude.models.melodies.pitches import parse_pitch_class

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


@dataclasses.dataclass(frozen=True)
class Scale:
    """A tonic and the pitch classes of a scale.

    Attributes:
      tonic: 0 (C) to 11 (B).
      pitch_classes: ascending.
      key: that music in it is written in; None where none is usual.
    """

    tonic: int
    pitch_classes: tuple[int, ...]
    key: "Key | None" = None


_WRITTEN_AS = {
    "ionian": "major",
    "pentatonic": "major",
    "major pentatonic": "major",
    "aeolian": "minor",
    "harmonic minor": "minor",
    "melodic minor": "minor",
    "minor pentatonic": "minor",
    "blues": "minor",
}
_SHARPS = {"major": 0, "minor": -3, "mixolydian": -1, "dorian": -2, "phrygian": -4, "lydian": 1, "locrian": -5}


@dataclasses.dataclass(frozen=True)
class Key:
    """The key that music is written in.

    Attributes:
      tonic: 0 (C) to 11 (B).
      mode: major, minor, or one of the church modes mixolydian, dorian, phrygian, lydian and locrian.
    """

    tonic: int
    mode: str = "major"

    @property
    def sharps(self) -> int:
        """Sharps of the key signature, or flats if negative: -5 to 6."""
        sharps = self.tonic * 7 + _SHARPS[self.mode]
        return (sharps + 5) % PITCHES_PER_OCTAVE - 5

    @property
    def name(self) -> str:
        """For example "F# minor"."""
        letter, accidental = letter_and_accidental(self.sharps - _SHARPS[self.mode])
        return f"{letter}{'#' * accidental or 'b' * -accidental} {self.mode}"

    def spell(self, pitch_class: int) -> tuple[str, int]:
        """The letter that a pitch class is written with, and its accidental in semitones.

        Notes outside the key get the accidentals that are usual in it: in C major, Eb and Bb, but F#, C# and G#.
        """
        lowest = min(max(self.sharps - 3, -7), 1)
        return letter_and_accidental(lowest + (pitch_class * 7 - lowest) % PITCHES_PER_OCTAVE)


def letter_and_accidental(fifths: int) -> tuple[str, int]:
    """The name of the note so many fifths above C: its letter, and its accidental in semitones."""
    return "FCGDAEB"[(fifths + 1) % 7], (fifths + 1) // 7


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
        mode = " ".join(words[1:]).lower() or "major"
        if mode in MODES:
            classes = tuple(sorted((notes[0] + step) % PITCHES_PER_OCTAVE for step in MODES[mode]))
            written = _WRITTEN_AS.get(mode, mode)
            return Scale(notes[0], classes, Key(notes[0], written) if written in _SHARPS else None)
    raise UsageError(
        f"--scale takes a tonic and a mode such as 'C major' or 'F# dorian', or notes such as 'C D E G A', not {text!r}; "
        f"the modes: {', '.join(MODES)}"
    )


def _pitch_class(word: str) -> int | None:
    if re.fullmatch("[0-9]{1,2}", word) and int(word) < PITCHES_PER_OCTAVE:
        return int(word)
    return parse_pitch_class(word)

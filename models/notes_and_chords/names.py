"""How music21 spells the pitches of MIDI: with `-` for a flat."""

from collections.abc import Iterable

from etude.models.melodies.melody import MAX_PITCH

_CLASSES = ("C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B")

NAMES = tuple(f"{_CLASSES[pitch % 12]}{pitch // 12 - 1}" for pitch in range(MAX_PITCH + 1))
"""The name of each MIDI pitch, such as E4 for 64."""

PITCHES = {name: pitch for pitch, name in enumerate(NAMES)}
"""The MIDI pitch of each name."""


def normal_order(pitches: Iterable[int]) -> tuple[int, ...]:
    """The pitch classes of a chord in normal order (Forte 1973): as close together as can be, then packed to the left.

    Of orders that are equally close, as of a diminished seventh chord, the one that begins with the lowest number.
    """
    classes = sorted({pitch % 12 for pitch in pitches})
    rotations = [(*classes[start:], *classes[:start]) for start in range(len(classes))]
    return min(rotations, key=_spread)


def _spread(classes: tuple[int, ...]) -> tuple[int, ...]:
    distances = [(one - classes[0]) % 12 for one in classes]
    return (distances[-1], *distances)

"""`K:`: key signatures, and clefs with their transposition."""

import dataclasses
import functools
import re

from etude.models.abc.problems import AbcError

LETTERS = "CDEFGAB"
NATURALS = (0, 2, 4, 5, 7, 9, 11)
"""Semitones above C of each letter."""

ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_SHARPS = "FCGDAEB"
_SHARPS_OF_MAJOR = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}
_MODES = {
    "maj": 0,
    "ion": 0,
    "lyd": 1,
    "mix": -1,
    "dor": -2,
    "min": -3,
    "aeo": -3,
    "phr": -4,
    "loc": -5,
}
"""Sharps that a mode has beyond the major key of the same tonic."""

_NAMES = {"ion": "maj", "aeo": "min"}
_PARAMETERS = r"(?:clef|octave|transpose|t|middle|m|stafflines|score|sound|shift|cue|style|name|nm|snm|subname)="
_KEY = re.compile(rf"([A-G])([#b♯♭]?)\s*((?!{_PARAMETERS}[^=_^])[A-Za-z]*)")
_MODIFIER = re.compile(r"\s*(\^\^|\^|=|__|_)\s*([A-Ga-g])")
_CLEF = re.compile(
    r"(?:clef=)?\"?(treble|alto|tenor|bass|baritone|soprano|mezzosoprano|perc|none)(?:\d)?([+-]8)?", re.I
)
_PARAMETER = re.compile(r"\b(octave|transpose|t)=\s*([+-]?\d{1,3})")
_MAX_SHIFT = 127


@dataclasses.dataclass(frozen=True)
class Key:
    """A key.

    Attributes:
      alterations: semitones by which the signature alters each letter, C to B.
      tonic: pitch class of the tonic, C = 0; None if there is no key.
      mode: `maj`, `min`, `mix`, `dor`, `phr`, `lyd`, `loc`, or '' if it is not said.
    """

    alterations: tuple[int, ...] = (0,) * 7
    tonic: int | None = None
    mode: str = ""


@dataclasses.dataclass(frozen=True)
class Shift:
    """Transposition that a clef or a voice asks for.

    Attributes:
      octaves: octaves by which all notes sound higher than written (`octave=`, `clef=treble-8`), None if not said.
      semitones: semitones by which they sound higher beside (`transpose=`), None if not said.
    """

    octaves: int | None = None
    semitones: int | None = None


NO_KEY = Key()
HIGHLAND_PIPES = Key(alterations=(1, 0, 0, 1, 0, 0, 0))


@functools.lru_cache(maxsize=256)
def parse_key(text: str) -> Key | None:
    """Reads `K:`, without its clef.

    Returns:
      The key; None if the field says nothing about it (only a clef).

    Raises:
      AbcError: if there is a tonic with a mode that does not exist.
    """
    text = text.strip()
    if not text or text.lower().startswith("none"):
        return NO_KEY
    if re.match(r"H[Pp]\b", text):
        return HIGHLAND_PIPES
    match = _KEY.match(text)
    if not match or _CLEF.match(text):
        if _MODIFIER.match(text):
            return Key(alterations=_modify((0,) * 7, text))
        if _CLEF.match(text) or re.match(r"\w+=", text):
            return None
        raise AbcError(f"expected a key (a letter from A to G, HP, or none), not {text[:20]!r}", 0)
    letter, accidental, word = match.groups()
    end = match.end()
    if _CLEF.match(text, match.start(3)):
        word, end = "", match.start(3)
    sign = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental, 0)
    tonic = (NATURALS[LETTERS.index(letter)] + sign) % 12
    name = word.lower()[:3]
    if name == "exp":
        return Key(_modify((0,) * 7, text, end), tonic)
    if name in ("", "m"):
        name = "min" if name else "maj"
    if name not in _MODES:
        raise AbcError(
            f"expected a mode (major, minor, m, dorian, phrygian, lydian, mixolydian, aeolian, locrian, ionian), not "
            f"{word!r}",
            match.start(3),
        )
    sharps = _SHARPS_OF_MAJOR[letter] + 7 * sign + _MODES[name]
    return Key(_modify(signature(sharps), text, end), tonic, _NAMES.get(name, name))


def signature(sharps: int) -> tuple[int, ...]:
    """Alterations of the letters C to B for a number of sharps, or of flats if it is negative."""
    order = _SHARPS if sharps >= 0 else _SHARPS[::-1]
    alterations = [0] * 7
    for position in range(abs(sharps)):
        alterations[LETTERS.index(order[position % 7])] += 1 if sharps > 0 else -1
    return tuple(alterations)


@functools.lru_cache(maxsize=256)
def parse_shift(text: str) -> Shift:
    """Reads octave and transposition out of `K:` or `V:`: `clef=treble-8`, `octave=-1`, `transpose=-2` or `t=-2`."""
    octaves = semitones = None
    for word in text.split():
        clef = _CLEF.fullmatch(word.strip('"'))
        if clef and clef[2]:
            octaves = (octaves or 0) + (1 if clef[2] == "+8" else -1)
    for name, value in _PARAMETER.findall(text):
        number = max(-_MAX_SHIFT, min(_MAX_SHIFT, int(value)))
        if name == "octave":
            octaves = (octaves or 0) + number
        else:
            semitones = number
    return Shift(octaves, semitones)


def _modify(alterations: tuple[int, ...], text: str, start: int = 0) -> tuple[int, ...]:
    """Adds explicit accidentals (`^f _b`) to a signature."""
    changed = list(alterations)
    while match := _MODIFIER.match(text, start):
        changed[LETTERS.index(match[2].upper())] = ACCIDENTALS[match[1]]
        start = match.end()
    return tuple(changed)

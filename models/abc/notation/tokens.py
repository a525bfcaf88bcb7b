"""The signs of a line of music, as regular expressions."""

import functools
import re
from fractions import Fraction
from typing import NamedTuple

from etude.models.abc.notation.key import ACCIDENTALS, LETTERS
from etude.models.abc.notation.metre import MAX_DENOMINATOR
from etude.models.abc.problems import AbcError

MAX_LENGTH = 4096
"""Longest note, in unit note lengths."""

MAX_ENDINGS = 100
MAX_SIGN = 60
"""Longest note or bar line, in characters."""

# Whatever stands in a file, there is one way only in which each of these can match it: that keeps matching linear.
_LENGTH = r"(?:\d+(?:/+\d*)?|/+\d*)?"
_NOTE = rf"(?:\^\^?|__?|=)?[A-Ga-g][,']*{_LENGTH}-?"
# Without possessive quantifiers, which early releases of Python 3.11 get wrong.
_PLAIN_NOTE = rf"[A-Ga-g][,']*{_LENGTH}(?![-,'/\d])"
_BAR = r"(?::*\[?\||::+|:+(?=\]))(?:[|:]|\[(?=[|:\]])|\])*"
_NUMBERS = r"\d+(?:[,.-]\d+)*[,.]?"

_SILENT = r"[\s`\\.~)H-Wh-w#*;?@$]*"
_SKIPPED = rf"{_SILENT}(?:(?:\((?!\d)|y\d*){_SILENT})*"
"""Space, slurs, ornaments, spacers, and signs that the standard reserves: nothing that is heard."""

TOKEN = re.compile(
    rf"{_SKIPPED}(?:"
    + "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "notes": rf"(?:{_PLAIN_NOTE}[ ]*)+",
            "note": _NOTE,
            "bar": rf"{_BAR}(?:\[?{_NUMBERS})?",
            "rest": rf"[zx]{_LENGTH}",
            "broken": r">+|<+",
            "end": "$",
            "grace": r"\{[^{}|]*\}",
            "tuplet": r"\(\d+(?::\d*)?(?::\d*)?",
            "quoted": r'"[^"]*"',
            "ending": rf"\[{_NUMBERS}",
            "field": r"\[[A-Za-z]:[^\]]*\]",
            "chord": rf'\[(?:"[^"]*"|[^\]\["|])*\]{_LENGTH}-?',
            "tie": r"-",
            "decoration": r"!(?:[^!|\[\]\s]+|(?:D\.?\s?[CS]|da|dal|to|fine)\b[^!|\[\]]*)!",
            "plus": r"\+[^+\s|]*\+",
            "bar_rest": r"[ZX]\d*",
            "overlay": r"&",
            "ignored": r"[!+]|=\s*$",
            "unexpected": r".",
        }.items()
    )
    + ")",
    re.S,
)
"""One sign of a line of music, with what need not be read before it; the name of its group is its kind.

A lone `!` is a line break in older files; a lone `=` at the end of a line is one that a mail program made.
"""

PLAIN_NOTE = re.compile(_PLAIN_NOTE)
"""A note without accidental and tie; a run of them is one sign, as most of music is."""

NOTE_IN_CHORD = re.compile(
    rf"(?P<note>{_NOTE})|(?P<quoted>\"[^\"]*\")|(?P<silent>![^!]*!|[zx]{_LENGTH}|[\s`.~H-Wh-w()])"
)
NOTE_IN_PLUS_CHORD = re.compile(rf"(?:{_NOTE})+")
_NOTE_PARTS = re.compile(rf"(\^\^?|__?|=)?([A-Ga-g])([,']*)({_LENGTH})(-?)")
_LENGTH_PARTS = re.compile(r"(\d*)(?:(/+)(\d*))?")


class WrittenNote(NamedTuple):
    """A note as written.

    Attributes:
      letter: 0 for C to 6 for B.
      octave: octaves above that of `C`.
      accidental: the alteration written before it, None if there is none.
      length: what is written after it, see `parse_length`.
      tied: whether `-` follows.
    """

    letter: int
    octave: int
    accidental: int | None
    length: str
    tied: bool


@functools.lru_cache(maxsize=1 << 14)
def parse_note(text: str) -> WrittenNote:
    """Reads a note such as `^c'3/2-`.

    Raises:
      AbcError: if it is none.
    """
    match = _NOTE_PARTS.fullmatch(text) if len(text) <= MAX_SIGN else None
    if not match:
        raise AbcError(f"the note {text[:20]}... is out of range")
    accidental, letter, marks, length, tie = match.groups()
    return WrittenNote(
        LETTERS.index(letter.upper()),
        letter.islower() + marks.count("'") - marks.count(","),
        ACCIDENTALS[accidental] if accidental else None,
        length,
        bool(tie),
    )


@functools.lru_cache(maxsize=1 << 12)
def parse_length(text: str) -> Fraction:
    """Reads a length such as `2`, `3/2`, `/`, `//` or `/4`, in unit note lengths.

    Raises:
      AbcError: if it is 0, too large or too small.
    """
    match = _LENGTH_PARTS.fullmatch(text)
    if not match:
        raise AbcError(f"expected a length, not {text[:20]!r}", 0)
    above, slashes, below = match.groups("")
    if len(above) > 9 or len(below) > 9 or len(slashes) > 10:
        raise AbcError(f"the length {text[:20]} is out of range", 0)
    if below and len(slashes) > 1:
        raise AbcError(f"expected a length such as 3/2 or //, not {text[:20]!r}", 0)
    numerator = int(above or 1)
    denominator = int(below) if below else 2 ** len(slashes)
    if not 0 < numerator <= MAX_LENGTH or not 0 < denominator <= MAX_DENOMINATOR:
        raise AbcError(f"the length {text[:20]} is out of range", 0)
    return Fraction(numerator, denominator)


def parse_endings(text: str) -> tuple[int, ...]:
    """Reads the numbers of a variant ending such as `1`, `1,3` or `1-3`; empty if there are none.

    Raises:
      AbcError: if a number is above `MAX_ENDINGS`.
    """
    passes: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        if max(len(first), len(last)) > 4 or max(int(first), int(last or 0)) > MAX_ENDINGS:
            raise AbcError(f"expected a variant ending up to {MAX_ENDINGS}, not {text[:20]!r}", 0)
        passes.extend(range(int(first), int(last or first) + 1))
        if len(passes) > MAX_ENDINGS:
            raise AbcError(f"expected at most {MAX_ENDINGS} numbers, not {text[:20]!r}", 0)
    return tuple(passes)

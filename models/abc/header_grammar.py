"""Which character may come next in the header of a tune, so that it can be read and leaves bars their length.

Metre, unit and key have one of the usual values, and the metre stands before the key; titles and other words are free. What
would change how the music is played beside these, as parts, voices and directives do, is not there.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

from etude.models.abc.canonical import MODES
from etude.models.abc.notation.metre import default_unit_length, parse_metre, parse_unit_length
from etude.models.abc.notation.score import Metre

LINE_FEED = "\n"
METRES = ("2/4", "3/4", "4/4", "2/2", "3/2", "6/4", "3/8", "6/8", "9/8", "12/8", "5/8", "7/8", "5/4")
TONICS = ("C", "G", "D", "A", "E", "B", "F", "Bb", "Eb", "Ab", "Db", "F#", "C#", "G#", "D#")
_FREE = "ABCDFGHINOQRSTWZr%"
_UNITS = ("1", "1/1", "1/2", "1/4", "1/8", "1/16", "1/32")
_LONG_MODES = {"maj": "major", "min": "minor", "mix": "mixolydian", "dor": "dorian", "phr": "phrygian", "lyd": "lydian"}


def _keys() -> Iterator[str]:
    modes = [*MODES.values(), *_LONG_MODES.values()]
    spelled = [spelling for mode in modes for spelling in (mode, mode.capitalize())]
    for tonic, space in itertools.product(TONICS, ("", " ")):
        yield from (tonic, f"{tonic}m", *(tonic + space + mode for mode in spelled))


_VALUES = {
    letter: tuple(space + value for value in dict.fromkeys(values) for space in ("", " "))
    for letter, values in {"M": (*METRES, "C", "C|", "none"), "L": _UNITS, "K": tuple(_keys())}.items()
}
_BEGINNINGS = {
    letter: frozenset(value[:end] for value in values for end in range(len(value) + 1))
    for letter, values in _VALUES.items()
}


@dataclasses.dataclass(frozen=True)
class HeaderState:
    """Where a header has got to.

    Attributes:
      metre: as written; empty before `M:`.
      unit: as written; empty before `L:`.
      line: the line so far; of a free one its field alone.
      is_first: whether this is the first line, which alone may be `X:`.
      is_over: whether the line of `K:` is complete.
    """

    metre: str = ""
    unit: str = ""
    line: str = ""
    is_first: bool = True
    is_over: bool = False

    @property
    def meaning(self) -> tuple[Metre | None, Fraction]:
        """Metre and unit of the music."""
        metre = parse_metre(self.metre)
        return metre, parse_unit_length(self.unit) if self.unit else default_unit_length(metre)


def after(state: HeaderState, character: str) -> HeaderState | None:
    """The state after one more character; None if it may not follow."""
    line = state.line + character
    letter, text = line[0], line[2:]
    if character == LINE_FEED:
        return _after_line(state)
    if len(line) == 1:
        is_known = letter in _FREE or letter in "ML" or (letter == "X" and state.is_first)
        is_known = is_known or (letter == "K" and bool(state.metre))
        return dataclasses.replace(state, line=line) if is_known else None
    if letter == "%":
        return state if len(state.line) > 1 or character != "%" else None
    if len(line) == 2:
        return dataclasses.replace(state, line=line) if character == ":" else None
    if letter == "X":
        return dataclasses.replace(state, line=line) if text.isascii() and text.isdigit() and len(text) < 9 else None
    if letter in _VALUES:
        return dataclasses.replace(state, line=line) if text in _BEGINNINGS[letter] else None
    return state


def ending(state: HeaderState, characters: Iterable[str]) -> str | None:
    """A short way to complete a header, out of characters that there are; None if there is none."""
    known = set(characters)
    letter, text = state.line[:1], state.line[2:]
    begun = ":" if len(state.line) == 1 and letter != "%" else ""
    key = "" if letter == "K" else "K:C\n"
    metre = "" if letter in ("K", "M") or state.metre else "M:C\n"
    values = [value[len(text) :] for value in _VALUES.get(letter, (text,)) if value.startswith(text)]
    ways = (begun + value + LINE_FEED * bool(letter) + metre + key for value in sorted(values, key=len))
    return next((way for way in ways if known.issuperset(way)), None)


def _after_line(state: HeaderState) -> HeaderState | None:
    letter, text = state.line[:1], state.line[2:]
    if not letter or (letter != "%" and state.line[1:2] != ":"):
        return None
    following = dataclasses.replace(state, line="", is_first=False)
    if letter in _VALUES and text not in _VALUES[letter]:
        return None
    match letter:
        case "M":
            return dataclasses.replace(following, metre=text)
        case "L":
            return dataclasses.replace(following, unit=text)
        case "K":
            return dataclasses.replace(following, is_over=True)
    return following

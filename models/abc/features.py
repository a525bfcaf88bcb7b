"""What ABC has at each of its characters: what units of a network are held against.

Whatever cannot be read is passed over, for texts that models wrote are looked at, too.
"""

import contextlib
import re
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from etude.models.abc.canonical import UNIT
from etude.models.abc.notation.metre import default_unit_length, is_compound, parse_metre, parse_unit_length
from etude.models.abc.notation.music import parse_bar, tuplet_numbers
from etude.models.abc.notation.score import Metre
from etude.models.abc.notation.tokens import PLAIN_NOTE, TOKEN, parse_length, parse_note
from etude.models.abc.problems import AbcError

Features = Mapping[str, npt.NDArray[np.float64]]

HEADER = "header"
_FLAGS = ("bar line", "repeat sign", "note", "rest", "beat")
_NUMBERS = ("place in the bar", "bars since the start", "bars since a repeat", "pitch", "note length")
_FIELD = re.compile(r"\s*([A-Za-z]):(?![|:\]])(.*)")
_LENGTH_OF_CHORD = re.compile(r"\]([\d/]*)-?$")
_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
_MIDDLE_C = 60
_START = Fraction(0)


def text_features(text: str, header: int, unit: Fraction | None = None) -> Features:
    """What a tune has at each character, [characters] each by name; NaN where there is no such thing.

    All characters of a sign have what the sign has: those of `^c2` its pitch, without the key signature, its length in
    quarter notes, and the place in the bar where it begins. A first bar that is too short is the end of one.

    Args:
      text: the tune.
      header: characters before its music.
      unit: the length of a note to which none is written, in whole notes; None for what the header says.
    """
    reader = _Reader(text, header, unit)
    found = reader.read()
    return _Reader(text, header, unit, reader.missing).read() if reader.missing else found


class _Reader:
    """Reads a tune once.

    Attributes:
      missing: what the first bar lacks to be a whole one, in whole notes.
    """

    def __init__(self, text: str, header: int, unit: Fraction | None, place: Fraction = _START) -> None:
        self._text, self._header = text, header
        self._metre: Metre | None = None
        self._unit = unit
        self._found = {name: np.zeros(len(text)) for name in _FLAGS}
        self._found |= {name: np.full(len(text), np.nan) for name in _NUMBERS}
        self._done = header
        self.missing = _START
        self._place = place
        self._bars, self._since_repeat = 0, np.nan
        self._sounded = False
        self._factor, self._in_tuplet, self._broken = Fraction(1), 0, Fraction(1)
        self._last = _START

    def read(self) -> Features:
        for line in self._text[: self._header].split("\n"):
            if field := _FIELD.match(line):
                self._field(field[1], field[2])
        start = self._header
        for line in self._text[self._header :].split("\n"):
            if field := _FIELD.match(line):
                self._field(field[1], field[2])
            else:
                self._line(line.partition("%")[0], start)
            start += len(line) + 1
        self._advance(len(self._text))
        for values in self._found.values():
            values[: self._header] = np.nan
        is_header = (np.arange(len(self._text)) < self._header).astype(np.float64)
        return {HEADER: is_header, **self._found}

    def _field(self, letter: str, text: str) -> None:
        with contextlib.suppress(AbcError):
            if letter == "M":
                self._metre = parse_metre(text.partition("%")[0])
            elif letter == "L":
                self._unit = parse_unit_length(text)

    def _line(self, line: str, offset: int) -> None:
        for match in TOKEN.finditer(line):
            kind = match.lastgroup or ""
            runs = PLAIN_NOTE.finditer(line, *match.span(kind)) if kind == "notes" else [match]
            for one in runs:
                start, end = one.span() if kind == "notes" else one.span(kind)
                with contextlib.suppress(AbcError):
                    self._sign(kind, line[start:end], offset + start, offset + end)

    def _sign(self, kind: str, text: str, start: int, end: int) -> None:
        match kind:
            case "notes" | "note":
                note = parse_note(text)
                self._sound("note", parse_length(note.length), start, end)
                semitones = _SEMITONES[note.letter] + 12 * note.octave + (note.accidental or 0)
                self._found["pitch"][start:end] = _MIDDLE_C + semitones
            case "chord":
                length = _LENGTH_OF_CHORD.search(text)
                self._sound("note", parse_length(length[1]) if length else Fraction(1), start, end)
            case "rest":
                self._sound("rest", parse_length(text[1:]), start, end)
            case "tuplet":
                self._factor, self._in_tuplet = tuplet_numbers(text, 3 if is_compound(self._metre) else 2)
            case "broken":
                short = Fraction(1, 2 ** min(len(text), 3))
                self._broken = short if text[0] == ">" else 2 - short
                self._place += self._last * (1 - self._broken)
            case "bar":
                self._bar(text, start, end)
            case "field":
                self._field(text[1], text[3:-1])

    def _sound(self, name: str, length: Fraction, start: int, end: int) -> None:
        unit = self._unit or default_unit_length(self._metre)
        duration = length * unit * self._broken * (self._factor if self._in_tuplet else 1)
        self._advance(end)
        self._found[name][start:end] = 1
        self._found["note length"][start:end] = float(4 * duration) if name == "note" else np.nan
        beat = Fraction(3, 8) if is_compound(self._metre) else Fraction(1, 4)
        self._found["beat"][start:end] = self._place % beat == 0
        self._in_tuplet, self._broken = max(self._in_tuplet - 1, 0), Fraction(1)
        self._last = duration
        self._place += duration
        self._sounded = True

    def _bar(self, text: str, start: int, end: int) -> None:
        bar, passes = parse_bar(text)
        if self._sounded and not self._bars and self._metre is not None:
            self.missing = max(Fraction(*self._metre) - self._place, _START)
        self._bars += self._sounded
        if bar.ends or bar.starts or passes:
            self._since_repeat = 0
            self._found["repeat sign"][start:end] = 1
        elif self._sounded:
            self._since_repeat += 1
        if self._sounded:
            self._place, self._sounded = _START, False
        self._advance(end)
        self._found["bar line"][start:end] = 1

    def _advance(self, end: int) -> None:
        """Writes where the tune has got to down for the characters up to `end`."""
        written = slice(self._done, end)
        if self._metre is not None:
            self._found["place in the bar"][written] = float(self._place / Fraction(*self._metre))
        self._found["bars since the start"][written] = self._bars
        self._found["bars since a repeat"][written] = self._since_repeat
        self._done = end


def sign_features(signs: list[str], header: int) -> Features:
    """What a tune has at each of folk-rnn's tokens (`etude.models.abc.tokens`), as `text_features`.

    Args:
      signs: the tokens; empty for one that stands for nothing, which has nothing then.
      header: how many of them come before the music.
    """
    spelt = [_spelling(sign, place < header) for place, sign in enumerate(signs)]
    of_characters = text_features("".join(spelt), sum(map(len, spelt[:header])), UNIT)
    ends = np.cumsum([len(one) for one in spelt])
    last = np.array([end - len(one) + len(one.rstrip()) - 1 for one, end in zip(spelt, ends, strict=True)], np.int64)
    is_nothing = np.array([not one for one in spelt], np.bool_)
    of_signs = {name: np.where(is_nothing, np.nan, values[last]) for name, values in of_characters.items()}
    return {**of_signs, HEADER: (np.arange(len(signs)) < header).astype(np.float64)}


def _spelling(sign: str, is_header: bool) -> str:
    """How a token is written where it cannot run into others."""
    if is_header:
        return f"{sign}\n" if sign else ""
    if sign[:2] in ("M:", "K:"):
        return f"[{sign}]"
    return f" {sign} " if "|" in sign else sign

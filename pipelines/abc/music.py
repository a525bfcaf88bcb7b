"""Lines of music: their signs, read one after the other into a voice."""

import functools
import re
from collections.abc import Callable
from fractions import Fraction

from pipelines.abc.metre import is_compound
from pipelines.abc.problems import AbcError
from pipelines.abc.score import Bar, ChordSymbol, Ending, Overlay, Sound, Tone
from pipelines.abc.tokens import (
    NOTE_IN_CHORD,
    NOTE_IN_PLUS_CHORD,
    TOKEN,
    WrittenNote,
    parse_endings,
    parse_length,
    parse_note,
)
from pipelines.abc.voices import WHOLE, Tuplet, VoiceState

MAX_TUPLET = 100
MAX_BAR_RESTS = 1000
VELOCITIES = {
    **dict.fromkeys(("pppp", "ppp"), 30),
    **{"pp": 45, "p": 60, "mp": 75, "mf": 90, "f": 105, "ff": 120},
    **dict.fromkeys(("fff", "ffff"), 127),
}
"""Loudness of the dynamic marks, as the standard's section on decorations has it."""

_CHORD_SYMBOL = re.compile(
    r"[A-G](?:#|b|♯|♭|=)?(?:m|min|mi|maj|ma|M|dim|aug|sus|add|alt|no|omit|\+|-|°|ø|o|Δ|#|b|\^|\d|\([^()]*\)|,)*(?:/[A-Ga-g][#b♯♭]?)?(?:\([^()]*\))?"
)
_EXPECTED = {
    '"': "a closing quotation mark",
    "[": "']' to close the chord or field",
    "{": "'}' to close the grace notes",
    "}": "'{' before it",
    "]": "'[' before it",
    "^": "a note after the accidental",
    "_": "a note after the accidental",
    "=": "a note after the accidental",
    "(": "a tuplet or slur",
}


class MusicReader:
    """Reads lines of music.

    Attributes:
      state: the voice that the next sign goes to.
      scope: what accidentals hold for, see `VoiceState.alteration`.
      inline_field: called with the letter and the text of every `[X:...]`, and the column of the text.
    """

    def __init__(self, state: VoiceState, inline_field: Callable[[str, str, int], None]) -> None:
        self.state = state
        self.scope = "pitch"
        self.inline_field = inline_field
        self._signs: dict[str, Callable[[str], None]] = {
            "note": self._note,
            "bar": self._bar,
            "ending": self._ending,
            "rest": self._rest,
            "bar_rest": self._bar_rest,
            "broken": self._broken,
            "tuplet": self._tuplet,
            "quoted": self._quoted,
            "decoration": self._decoration,
            "chord": self._chord,
            "plus": self._plus,
            "tie": self._tie,
            "overlay": self._overlay,
        }

    def read(self, line: str, start: int = 0) -> None:
        """Reads one line, from the column `start`.

        Raises:
          AbcError: if there is something that is not music, with its column.
        """
        match_token, signs = TOKEN.match, self._signs
        position, end = start, len(line)
        while position < end:
            match = match_token(line, position)
            if match is None:
                raise AbcError(_describe_unexpected(line[position]), position)
            kind = match.lastgroup
            sign = signs.get(kind)  # type: ignore[arg-type]
            try:
                if sign:
                    sign(match[0])
                elif kind == "field":
                    self.inline_field(line[position + 1], line[position + 3 : match.end() - 1], position + 3)
            except AbcError as error:
                if error.column is None or kind != "field":
                    error.column = position
                raise
            position = match.end()

    def _tone(self, note: WrittenNote, alterations: dict[int, int], proportion: Fraction = WHOLE) -> Tone:
        state = self.state
        alteration = state.alteration(note, self.scope)
        alterations[note.letter + 7 * note.octave] = alteration
        return Tone(state.pitch(note, alteration), proportion, note.tied)

    def _note(self, text: str) -> None:
        state = self.state
        note = parse_note(text)
        alterations: dict[int, int] = {}
        tone = self._tone(note, alterations)
        state.sound(Sound(state.unit * note.length, [tone], False, state.velocity))
        state.last_alterations = alterations if note.tied else {}

    def _chord(self, text: str) -> None:
        end = text.rindex("]")
        outer = text[end + 1 :]
        self._sound_chord(text[1:end], outer.rstrip("-"), outer.endswith("-"))

    def _sound_chord(self, inside: str, length: str, tied: bool) -> None:
        state = self.state
        tones: list[Tone] = []
        alterations: dict[int, int] = {}
        first: Fraction | None = None
        position = 0
        while position < len(inside):
            match = NOTE_IN_CHORD.match(inside, position)
            if match is None:
                raise AbcError(f"expected a note in the chord, not {inside[position]!r}")
            position = match.end()
            if match.lastgroup == "quoted":
                self._quoted(match[0])
            elif match.lastgroup == "note":
                note = parse_note(match[0])
                first = first or note.length
                tones.append(self._tone(note, alterations, note.length / first))
        if first is None:
            raise AbcError("expected a note in the chord")
        state.sound(Sound(state.unit * first * parse_length(length), tones, tied, state.velocity))
        state.last_alterations = alterations if tied or any(tone.tied for tone in tones) else {}

    def _plus(self, text: str) -> None:
        """`+fermata+` of ABC 2.0, or a chord of ABC 1: `+CEG+`."""
        inside = text[1:-1]
        if inside not in VELOCITIES and NOTE_IN_PLUS_CHORD.fullmatch(inside):
            self._sound_chord(inside, "", False)
        else:
            self._decoration(text)

    def _rest(self, text: str) -> None:
        self.state.sound(Sound(self.state.unit * parse_length(text[1:]), []))
        self.state.last_alterations = {}

    def _bar_rest(self, text: str) -> None:
        bars = text[1:] or "1"
        if len(bars) > 6 or not 0 < int(bars) <= MAX_BAR_RESTS:
            raise AbcError(f"expected a rest of 1 to {MAX_BAR_RESTS:,} bars, not {bars[:20]}")
        self.state.add(Sound(int(bars) * Fraction(*(self.state.metre or (4, 4))), []))
        self.state.last_alterations = {}

    def _bar(self, text: str) -> None:
        state = self.state
        state.accidentals.clear()
        signs = text.rstrip("0123456789,.-")
        numbers = text[len(signs) :]
        state.add(parse_bar(signs.lstrip(".").removesuffix("[") if numbers else signs.lstrip(".")))
        if numbers:
            self._ending(numbers)

    def _ending(self, text: str) -> None:
        self.state.add(Ending(parse_endings(text)))

    def _broken(self, text: str) -> None:
        if len(text) > 3:
            raise AbcError(f"expected >, >> or >>>, not {text[:20]}")
        self.state.break_rhythm(len(text), text[0] == ">")

    def _tuplet(self, text: str) -> None:
        state = self.state
        notes, time, count = _tuplet_numbers(text, 3 if is_compound(state.metre) else 2)
        state.tuplet = Tuplet(Fraction(time, notes), count)

    def _quoted(self, text: str) -> None:
        inside = text[1:-1].strip()
        if _CHORD_SYMBOL.fullmatch(inside):
            self.state.add(ChordSymbol(inside))

    def _decoration(self, text: str) -> None:
        self.state.velocity = VELOCITIES.get(text[1:-1], self.state.velocity)

    def _tie(self, _: str) -> None:
        if self.state.last is not None:
            self.state.last.tied = True

    def _overlay(self, _: str) -> None:
        self.state.add(Overlay())
        self.state.accidentals.clear()
        self.state.last_alterations = {}


@functools.lru_cache(maxsize=256)
def parse_bar(signs: str) -> Bar:
    """Reads the shape of a bar line: `|`, `||`, `|:`, `:|`, `::`, `:|]`, `|::` and whatever else is in use."""
    signs = signs.replace("[|]", "") or "|"  # an invisible bar line
    ends = len(signs) - len(signs.lstrip(":"))
    starts = len(signs) - len(signs.rstrip(":"))
    if ends == len(signs):
        return Bar(1, 1, False)
    if "|:|" in signs and not ends:
        starts = max(starts, 1)
    return Bar(ends, starts, double=":" not in signs and len(signs) > 1)


def _tuplet_numbers(text: str, default: int) -> tuple[int, int, int]:
    """Reads `(p:q:r`: p notes in the time of q for the next r notes."""
    written = [*text[1:].split(":"), "", ""][:3]
    if any(len(number) > 3 or not 0 < int(number or 1) <= MAX_TUPLET for number in written):
        raise AbcError(f"expected tuplet numbers from 1 to {MAX_TUPLET}, not {text[:20]}")
    notes = int(written[0])
    time = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(notes, default)
    return notes, int(written[1] or time), int(written[2] or notes)


def _describe_unexpected(character: str) -> str:
    if character in _EXPECTED:
        return f"expected {_EXPECTED[character]}: {character!r}"
    return f"expected a note, rest, bar line or other sign of music, not {character!r}"

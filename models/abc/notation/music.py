"""Lines of music: their signs, read one after the other into a voice."""

import functools
import re
from collections.abc import Callable
from fractions import Fraction
from typing import cast

from etude.models.abc.notation.metre import is_compound
from etude.models.abc.notation.score import Bar, ChordSymbol, Ending, Overlay, Sound, Tone, product
from etude.models.abc.notation.tokens import (
    MAX_SIGN,
    NOTE_IN_CHORD,
    NOTE_IN_PLUS_CHORD,
    PLAIN_NOTE,
    TOKEN,
    parse_endings,
    parse_length,
    parse_note,
)
from etude.models.abc.notation.voices import Tuplet, VoiceState
from etude.models.abc.problems import AbcError

MAX_KNOWN_NOTES = 1000
MAX_TUPLET = 100
MAX_BAR_RESTS = 1000
VELOCITIES = {
    **dict.fromkeys(("pppp", "ppp"), 30),
    **{"pp": 45, "p": 60, "mp": 75, "mf": 90, "f": 105, "ff": 120},
    **dict.fromkeys(("fff", "ffff"), 127),
}
"""Loudness of the dynamic marks, as the standard's section on decorations has it."""

MAX_CHORD_SYMBOL = 30
"""In characters; that also bounds in how many ways the expression below can take one such as `Aminominomino`."""
_ROOT = "[A-G][#b♯♭]?"
_CHORD_TYPE = r"m|min|mi|maj|ma|M|dim|aug|sus|add|alt|no|omit|[+\-°øoΔ#b^,\d]|\([^()]*\)"
_CHORD_SYMBOL = re.compile(rf"{_ROOT}(?:{_CHORD_TYPE})*(?:/{_ROOT}|/[a-g][#b♯♭]?)?(?:\([^()]*\))?")
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
      inline_field: called with the letter and the text of every `[X:...]`.
    """

    def __init__(self, state: VoiceState, inline_field: Callable[[str, str], None]) -> None:
        self.state = state
        self.scope = "pitch"
        self.inline_field = inline_field
        signs: dict[str, Callable[[str], None]] = {
            "notes": self._notes,
            "note": self._note,
            "bar": self._bar,
            "ending": self._ending,
            "rest": self._rest,
            "bar_rest": self._bar_rest,
            "broken": self._broken,
            "tuplet": self._tuplet,
            "quoted": self._quoted,
            "decoration": self._decoration,
            "field": self._field,
            "chord": self._chord,
            "plus": self._plus,
            "tie": self._tie,
            "overlay": self._overlay,
            "unexpected": _reject,
        }
        # By the number of the group, which is quicker to have than its name; the others are passed over.
        self._signs = [None, *map(signs.get, TOKEN.groupindex)]

    def read(self, line: str) -> None:
        """Reads one line.

        Raises:
          AbcError: if there is something that is not music, with its column.
        """
        signs = self._signs
        for match in TOKEN.finditer(line):
            kind = match.lastindex or 0
            read_sign = signs[kind]
            if read_sign:
                try:
                    read_sign(match[kind])
                except AbcError as error:
                    error.column = match.start(kind) + (error.column or 0)
                    raise

    def _notes(self, text: str) -> None:
        """A run of notes without accidentals and ties."""
        state = self.state
        if not (state.accidentals or state.carried or state.tuplet or state.broken):
            sounds = list(map(state.plain_notes.get, PLAIN_NOTE.findall(text)))
            if None not in sounds:
                elements = state.voice.elements
                elements += cast("list[Sound]", sounds)
                state.last = len(elements) - 1
                return
        for match in PLAIN_NOTE.finditer(text):
            try:
                self._note(match[0])
            except AbcError as error:
                error.column = match.start() + (error.column or 0)
                raise

    def _note(self, text: str) -> None:
        state = self.state
        plain = not state.accidentals and not state.carried
        sound = state.plain_notes.get(text) if plain else None
        if sound is None:
            sound = self._alter_note(text, plain)
        if state.tuplet or state.broken:
            state.sound(sound)
        else:
            elements = state.voice.elements
            state.last = len(elements)
            elements.append(sound)

    def _alter_note(self, text: str, plain: bool) -> Sound:
        state = self.state
        note = parse_note(text)
        alteration = state.alteration(note, self.scope)
        sound = state.notes.get((text, alteration))
        if sound is None:
            duration = product(state.unit, parse_length(note.length))
            sound = Sound(duration, (Tone(state.pitch(note, alteration), duration, note.tied),), state.velocity)
            if len(state.notes) < MAX_KNOWN_NOTES:
                state.notes[text, alteration] = sound
        if note.tied:
            state.carried = {(note.letter, note.octave): alteration}
            return sound
        state.carried = {}
        if plain and note.accidental is None and len(state.plain_notes) < MAX_KNOWN_NOTES:
            state.plain_notes[text] = sound
        return sound

    def _chord(self, text: str) -> None:
        inside, outside = text[1:].rsplit("]", 1)
        self._sound_chord(inside, outside)

    def _sound_chord(self, inside: str, outside: str) -> None:
        state = self.state
        tones: list[Tone] = []
        alterations: dict[tuple[int, int], int] = {}
        tied = outside.endswith("-")
        unit = product(state.unit, parse_length(outside.rstrip("-")))
        position = 0
        while position < len(inside):
            match = NOTE_IN_CHORD.match(inside, position)
            if match is None:
                raise AbcError(f"expected a note in the chord, not {inside[position]!r}", position + 1)
            position = match.end()
            if match.lastgroup == "quoted":
                self._quoted(match[0])
            elif match.lastgroup == "note":
                note = parse_note(match[0])
                alteration = state.alteration(note, self.scope)
                tone = Tone(state.pitch(note, alteration), product(unit, parse_length(note.length)), tied or note.tied)
                if tone.tied:
                    alterations[note.letter, note.octave] = alteration
                if all(tone.pitch != other.pitch for other in tones):
                    tones.append(tone)
        if not tones:
            raise AbcError("expected a note in the chord")
        state.sound(Sound(tones[0].duration, tuple(tones), state.velocity))
        state.carried = alterations

    def _field(self, text: str) -> None:
        try:
            self.inline_field(text[1], text[3:-1])
        except AbcError as error:
            error.column = 3 + (error.column or 0)
            raise

    def _plus(self, text: str) -> None:
        """`+fermata+` of ABC 2.0, or a chord of ABC 1: `+CEG+`."""
        inside = text[1:-1]
        if inside not in VELOCITIES and NOTE_IN_PLUS_CHORD.fullmatch(inside):
            self._sound_chord(inside, "")
        else:
            self._decoration(text)

    def _rest(self, text: str) -> None:
        self.state.sound(Sound(product(self.state.unit, parse_length(text[1:]))))
        self.state.carried = {}

    def _bar_rest(self, text: str) -> None:
        bars = text[1:] or "1"
        if len(bars) > 6 or not 0 < int(bars) <= MAX_BAR_RESTS:
            raise AbcError(f"expected a rest of 1 to {MAX_BAR_RESTS:,} bars, not {bars[:20]}")
        self.state.add(Sound(int(bars) * Fraction(*(self.state.metre or (4, 4)))))
        self.state.carried = {}

    def _bar(self, text: str) -> None:
        state = self.state
        if state.accidentals:
            state.accidentals.clear()
        bar, passes = parse_bar(text)
        state.voice.elements.append(bar)
        if passes:
            state.add(Ending(passes))

    def _ending(self, text: str) -> None:
        self.state.add(Ending(parse_endings(text)))

    def _broken(self, text: str) -> None:
        if len(text) > 3:
            raise AbcError(f"expected >, >> or >>>, not {text[:20]}")
        self.state.break_rhythm(len(text), text[0] == ">")

    def _tuplet(self, text: str) -> None:
        state = self.state
        factor, count = tuplet_numbers(text, 3 if is_compound(state.metre) else 2)
        state.tuplet = Tuplet(factor, count)

    def _quoted(self, text: str) -> None:
        inside = text[1:-1].strip()
        if len(inside) <= MAX_CHORD_SYMBOL and _CHORD_SYMBOL.fullmatch(inside):
            self.state.add(ChordSymbol(inside))

    def _decoration(self, text: str) -> None:
        if velocity := VELOCITIES.get(text[1:-1]):
            self.state.change(velocity=velocity)

    def _tie(self, _: str) -> None:
        self.state.tie()

    def _overlay(self, _: str) -> None:
        self.state.add(Overlay())
        self.state.accidentals.clear()
        self.state.carried = {}


@functools.lru_cache(maxsize=1024)
def parse_bar(text: str) -> tuple[Bar, tuple[int, ...]]:
    """Reads a bar line of any shape (`|`, `||`, `|:`, `:|`, `::`, `:|]`, `|::`), and the ending that it starts (`|1`)."""
    if len(text) > MAX_SIGN:
        raise AbcError(f"expected a bar line of at most {MAX_SIGN} signs, not {text[:20]}...")
    signs = text.rstrip("0123456789,.-")
    passes = parse_endings(text[len(signs) :])
    signs = signs.removesuffix("[") if passes else signs
    signs = signs.lstrip(".").replace("[|]", "") or "|"  # [|] is an invisible bar line
    ends = len(signs) - len(signs.lstrip(":"))
    starts = len(signs) - len(signs.rstrip(":"))
    if ends == len(signs):  # `::` stands for `:||:`, and `::::` for `::||::`
        ends = starts = max(ends // 2, 1)
        return Bar(ends, starts, False), passes
    if "|:|" in signs and not ends:
        starts = max(starts, 1)
    return Bar(ends, starts, double=":" not in signs and len(signs) > 1), passes


@functools.lru_cache(maxsize=256)
def tuplet_numbers(text: str, default: int) -> tuple[Fraction, int]:
    """Reads `(p:q:r`: p notes in the time of q for the next r notes. Returns the factor of lengths, and r."""
    written = [*text[1:].split(":"), "", ""][:3]
    if any(len(number) > 3 or not 0 < int(number or 1) <= MAX_TUPLET for number in written):
        raise AbcError(f"expected tuplet numbers from 1 to {MAX_TUPLET}, not {text[:20]}")
    notes = int(written[0])
    time = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(notes, default)
    return Fraction(int(written[1] or time), notes), int(written[2] or notes)


def _reject(character: str) -> None:
    if character in _EXPECTED:
        raise AbcError(f"expected {_EXPECTED[character]}: {character!r}")
    raise AbcError(f"expected a note, rest, bar line or other sign of music, not {character!r}")

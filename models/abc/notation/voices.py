"""What holds in a voice at the point that has been read."""

import copy
import dataclasses
import functools
from fractions import Fraction

from etude.models.abc.notation.key import NATURALS, NO_KEY, Key, Shift
from etude.models.abc.notation.score import Element, Metre, Sound, Voice, product
from etude.models.abc.notation.tokens import WrittenNote
from etude.models.abc.problems import AbcError

MAX_KNOWN_RHYTHMS = 1000
_C4 = 60
_BROKEN_FACTORS = {signs: (Fraction(1, 2**signs), 2 - Fraction(1, 2**signs)) for signs in (1, 2, 3)}
"""By number of signs: factor of the short note and of the dotted note."""


@dataclasses.dataclass
class Tuplet:
    """A tuplet that is not complete: the factor of its lengths, and how many notes it still takes."""

    factor: Fraction
    remaining: int


@dataclasses.dataclass
class BrokenRhythm:
    """A broken rhythm that awaits its second note.

    Attributes:
      signs: one to three, for one to three dots.
      longer_first: whether it is `>`.
      first: where the first note stands in the voice.
    """

    signs: int
    longer_first: bool
    first: int


@dataclasses.dataclass
class VoiceState:
    """A voice and what holds in it.

    Attributes:
      voice: what has been read.
      unit: the unit note length, a fraction of a whole note.
      metre: None for free metre.
      key: the key signature.
      octaves: octaves by which notes sound higher than written.
      semitones: semitones by which they sound higher beside.
      velocity: loudness of the notes to come.
      accidentals: alterations in force until the bar line, by letter, or by letter and octave.
      carried: alterations that ties carry over the bar line, by letter and octave.
      tuplet: the one that is not complete.
      broken: the broken rhythm that is not complete.
      last: where the last note, chord or rest stands in the voice.
      plain_notes: what notes come to while no accidental and no tie interferes, by what is written, with this unit, key,
        velocity and transposition.
      notes: the same, by what is written and its alteration.
      rhythms: what tuplets and broken rhythm make of these notes.
    """

    voice: Voice
    unit: Fraction = Fraction(1, 8)
    metre: Metre | None = None
    key: Key = NO_KEY
    octaves: int = 0
    semitones: int = 0
    velocity: int = 90
    accidentals: dict[int, int] = dataclasses.field(default_factory=dict)
    carried: dict[tuple[int, int], int] = dataclasses.field(default_factory=dict)
    tuplet: Tuplet | None = None
    broken: BrokenRhythm | None = None
    last: int | None = None
    plain_notes: dict[str, Sound] = dataclasses.field(default_factory=dict)
    notes: dict[tuple[str, int], Sound] = dataclasses.field(default_factory=dict)
    rhythms: "_Rhythms" = dataclasses.field(default_factory=lambda: _Rhythms())

    def branch(self, name: str) -> "VoiceState":
        """A new voice in which the same key, metre, unit and transposition hold."""
        branch = copy.copy(self)
        branch.voice = Voice(name)
        branch.accidentals, branch.carried = {}, {}
        branch.tuplet = branch.broken = branch.last = None
        return branch

    def change(
        self,
        *,
        unit: Fraction | None = None,
        key: Key | None = None,
        velocity: int | None = None,
        shift: Shift | None = None,
    ) -> None:
        """Changes what notes come to; None leaves a thing as it is."""
        is_shifted = shift is not None and (shift.octaves is not None or shift.semitones is not None)
        if not (unit or key or velocity or is_shifted):
            return
        self.unit = unit or self.unit
        self.key = key or self.key
        self.velocity = velocity or self.velocity
        if shift and shift.octaves is not None:
            self.octaves = shift.octaves
        if shift and shift.semitones is not None:
            self.semitones = shift.semitones
        known = _known_notes(self.unit, self.key, self.octaves, self.semitones, self.velocity)
        self.plain_notes, self.notes, self.rhythms = known

    def add(self, element: Element) -> None:
        """Puts down something that no tuplet and no broken rhythm changes."""
        self.voice.elements.append(element)

    def sound(self, sound: Sound) -> None:
        """Puts down a note, chord or rest, as tuplets and broken rhythm have it."""
        elements = self.voice.elements
        if self.tuplet:
            sound = self.rhythms.scale(sound, self.tuplet.factor)
            self.tuplet.remaining -= 1
            if not self.tuplet.remaining:
                self.tuplet = None
        if self.broken:
            first = elements[self.broken.first]
            if isinstance(first, Sound):
                elements[self.broken.first], sound = self.rhythms.break_two(first, sound, self.broken)
            self.broken = None
        self.last = len(elements)
        elements.append(sound)

    def break_rhythm(self, signs: int, longer_first: bool) -> None:
        """`>`, `<` and their kin, which await the next note."""
        if self.last is None:
            raise AbcError("expected a note before the broken rhythm")
        self.broken = BrokenRhythm(signs, longer_first, self.last)

    def tie(self) -> None:
        """Ties all of the last note or chord to the next."""
        if self.last is not None:
            last = self.voice.elements[self.last]
            if isinstance(last, Sound):
                self.voice.elements[self.last] = last.with_tie()

    def alteration(self, note: WrittenNote, scope: str) -> int:
        """Semitones by which a note is altered.

        Args:
          note: the note as written.
          scope: what an accidental holds for until the bar line: all octaves of its `pitch`, its own `octave`, or `not`.
        """
        place = note.letter if scope == "pitch" else note.letter + 7 * note.octave + 1000
        if note.accidental is not None:
            if scope != "not":
                self.accidentals[place] = note.accidental
            return note.accidental
        if place in self.accidentals:
            return self.accidentals[place]
        return self.carried.get((note.letter, note.octave), self.key.alterations[note.letter])

    def pitch(self, note: WrittenNote, alteration: int) -> int:
        """MIDI pitch of a note.

        Raises:
          AbcError: if it is outside 0 to 127.
        """
        pitch = _C4 + NATURALS[note.letter] + alteration + 12 * (note.octave + self.octaves) + self.semitones
        if not 0 <= pitch <= 127:
            raise AbcError(f"expected a pitch that MIDI has (0 to 127), not {pitch}")
        return pitch


@functools.lru_cache(maxsize=64)
def _known_notes(*_: object) -> tuple[dict[str, Sound], dict[tuple[str, int], Sound], "_Rhythms"]:
    """One memory of notes for all tunes in which the same things hold."""
    return {}, {}, _Rhythms()


class _Rhythms:
    """Remembers what tuplets and broken rhythm make of notes.

    Notes are known by their identity, as their lengths are slow to hash; what is remembered keeps them alive, so that
    identities stay true.
    """

    def __init__(self) -> None:
        self._scaled: dict[tuple[int, int, int], tuple[Sound, Sound]] = {}
        self._broken: dict[tuple[int, int, int, bool], tuple[Sound, Sound, tuple[Sound, Sound]]] = {}

    def scale(self, sound: Sound, factor: Fraction) -> Sound:
        """A sound in a tuplet."""
        key = (id(sound), factor.numerator, factor.denominator)
        if known := self._scaled.get(key):
            return known[1]
        scaled = sound.scaled(factor)
        if len(self._scaled) < MAX_KNOWN_RHYTHMS:
            self._scaled[key] = sound, scaled
        return scaled

    def break_two(self, first: Sound, second: Sound, broken: BrokenRhythm) -> tuple[Sound, Sound]:
        """Two sounds in broken rhythm."""
        key = (id(first), id(second), broken.signs, broken.longer_first)
        if known := self._broken.get(key):
            return known[2]
        both = _break_rhythm(first, second, broken)
        if len(self._broken) < MAX_KNOWN_RHYTHMS:
            self._broken[key] = first, second, both
        return both


def _break_rhythm(first: Sound, second: Sound, broken: BrokenRhythm) -> tuple[Sound, Sound]:
    """Dots one of two notes and shortens the other.

    The standard leaves it open what happens to notes of unequal length. A short note that is written short already, as
    in `d>B/`, stays as it is; other unequal pairs are left as written. In the folk tunes that this was tried on, that
    gives whole bars more often than any simpler rule.
    """
    short, dotted = _BROKEN_FACTORS[broken.signs]
    longer, shorter = (first, second) if broken.longer_first else (second, first)
    if longer.duration == shorter.duration:
        shorter = shorter.scaled(short)
    elif shorter.duration != product(longer.duration, short):
        return first, second
    longer = longer.scaled(dotted)
    return (longer, shorter) if broken.longer_first else (shorter, longer)

"""What holds in a voice at the point that has been read."""

import copy
import dataclasses
from fractions import Fraction

from pipelines.abc.key import NATURALS, NO_KEY, Key, Shift
from pipelines.abc.problems import AbcError
from pipelines.abc.score import Element, Metre, Sound, Voice
from pipelines.abc.tokens import WrittenNote

WHOLE = Fraction(1)
_C4 = 60


@dataclasses.dataclass
class Tuplet:
    """A tuplet that is not complete: the factor of its lengths, and how many notes it still takes."""

    factor: Fraction
    remaining: int


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
      accidentals: in force until the bar line, by letter or by letter and octave.
      tuplet: the one that is not complete.
      broken: number of signs of a broken rhythm that awaits its second note, and whether its first note is the longer.
      last: the last note, chord or rest.
      last_alterations: alteration of each letter and octave in it, which a tie carries over the bar line.
    """

    voice: Voice
    unit: Fraction = Fraction(1, 8)
    metre: Metre | None = None
    key: Key = NO_KEY
    octaves: int = 0
    semitones: int = 0
    velocity: int = 90
    accidentals: dict[int, int] = dataclasses.field(default_factory=dict)
    tuplet: Tuplet | None = None
    broken: tuple[int, bool] | None = None
    last: Sound | None = None
    last_alterations: dict[int, int] = dataclasses.field(default_factory=dict)

    def branch(self, name: str) -> "VoiceState":
        """A new voice in which the same key, metre, unit and transposition hold."""
        branch = copy.copy(self)
        branch.voice = Voice(name)
        branch.accidentals, branch.last_alterations = {}, {}
        branch.tuplet = branch.broken = branch.last = None
        return branch

    def add(self, element: Element) -> None:
        """Puts down something that takes no time."""
        self.voice.elements.append(element)

    def sound(self, sound: Sound) -> None:
        """Puts down a note, chord or rest, as tuplets and broken rhythm have it."""
        if self.tuplet:
            sound.duration *= self.tuplet.factor
            self.tuplet.remaining -= 1
            if not self.tuplet.remaining:
                self.tuplet = None
        if self.broken and self.last:
            _break_rhythm(self.last, sound, *self.broken)
            self.broken = None
        self.last = sound
        self.voice.elements.append(sound)

    def break_rhythm(self, dots: int, longer_first: bool) -> None:
        """`>`, `<` and their kin, which await the next note."""
        if self.last is None:
            raise AbcError("expected a note before the broken rhythm")
        self.broken = (dots, longer_first)

    def alteration(self, note: WrittenNote, scope: str) -> int:
        """Semitones by which a note is altered.

        Args:
          note: the note as written.
          scope: what an accidental holds for until the bar line: all octaves of its `pitch`, its own `octave`, or `not`.
        """
        letter, octave, written = note.letter, note.octave, note.accidental
        place = letter if scope == "pitch" else letter + 7 * octave + 1000
        if written is not None:
            if scope != "not":
                self.accidentals[place] = written
            return written
        if place in self.accidentals:
            return self.accidentals[place]
        if self.last is not None and self.last_alterations and letter + 7 * octave in self.last_alterations:
            return self.last_alterations[letter + 7 * octave]
        return self.key.alterations[letter]

    def pitch(self, note: WrittenNote, alteration: int) -> int:
        """MIDI pitch of a note.

        Raises:
          AbcError: if it is outside 0 to 127.
        """
        pitch = _C4 + NATURALS[note.letter] + alteration + 12 * (note.octave + self.octaves) + self.semitones
        if not 0 <= pitch <= 127:
            raise AbcError(f"expected a pitch that MIDI has (0 to 127), not {pitch}")
        return pitch

    def shift(self, shift: Shift) -> None:
        """Transposes what follows."""
        if shift.octaves is not None:
            self.octaves = shift.octaves
        if shift.semitones is not None:
            self.semitones = shift.semitones


def _break_rhythm(first: Sound, second: Sound, dots: int, longer_first: bool) -> None:
    """Dots one of two notes and shortens the other.

    The standard leaves it open what happens to notes of unequal length. A short note that is written short already, as
    in `d>B/`, stays as it is; other unequal pairs are left as written. In the folk tunes that this was tried on, that
    gives whole bars more often than any simpler rule.
    """
    short_factor = Fraction(1, 2**dots)
    longer, shorter = (first, second) if longer_first else (second, first)
    if longer.duration == shorter.duration:
        shorter.duration *= short_factor
    elif shorter.duration != longer.duration * short_factor:
        return
    longer.duration *= 2 - short_factor

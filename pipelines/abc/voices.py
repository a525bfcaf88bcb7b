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
      tuplets: those that are not complete, the innermost last.
      broken: factor that a broken rhythm sets for the next note.
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
    tuplets: list[Tuplet] = dataclasses.field(default_factory=list)
    broken: Fraction | None = None
    last: Sound | None = None
    last_alterations: dict[int, int] = dataclasses.field(default_factory=dict)

    def branch(self, name: str) -> "VoiceState":
        """A new voice in which the same key, metre, unit and transposition hold."""
        branch = copy.copy(self)
        branch.voice = Voice(name)
        branch.accidentals, branch.tuplets, branch.last_alterations = {}, [], {}
        branch.broken = branch.last = None
        return branch

    def add(self, element: Element) -> None:
        """Puts down something that takes no time."""
        self.voice.elements.append(element)

    def sound(self, sound: Sound) -> None:
        """Puts down a note, chord or rest, as tuplets and broken rhythm have it."""
        if self.tuplets:
            for tuplet in self.tuplets:
                sound.duration *= tuplet.factor
                tuplet.remaining -= 1
            self.tuplets = [tuplet for tuplet in self.tuplets if tuplet.remaining]
        if self.broken:
            sound.duration *= self.broken
            self.broken = None
        self.last = sound
        self.voice.elements.append(sound)

    def break_rhythm(self, dots: int, longer_first: bool) -> None:
        """`>` and its kin: dots the last note and shortens the next, or the other way round."""
        if self.last is None:
            raise AbcError("expected a note before the broken rhythm")
        short = Fraction(1, 2**dots)
        self.last.duration *= 2 - short if longer_first else short
        self.broken = short if longer_first else 2 - short

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

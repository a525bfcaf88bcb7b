"""A tune as written: what stands in each voice, in order. Times are fractions of a whole note."""

import dataclasses
import functools
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from etude.models.abc.notation.key import Key
from etude.models.abc.notation.parts import PartOrder

Metre: TypeAlias = tuple[int, int]
"""Numerator and denominator."""


def product(first: Fraction, second: Fraction) -> Fraction:
    """A product of lengths. The few that music has are kept, as fractions are slow."""
    return _product(first.numerator, first.denominator, second.numerator, second.denominator)


@functools.lru_cache(maxsize=1 << 12)
def _product(above: int, below: int, above_too: int, below_too: int) -> Fraction:
    return Fraction(above * above_too, below * below_too)


class Tone(NamedTuple):
    """One pitch of a note or chord.

    Attributes:
      pitch: MIDI pitch, 0 to 127.
      duration: its length, a fraction of a whole note.
      tied: whether a tie leads on to the next note.
    """

    pitch: int
    duration: Fraction
    tied: bool


class Sound(NamedTuple):
    """A note, a chord or, without tones, a rest.

    Attributes:
      duration: the time until what follows, a fraction of a whole note. Tones of a chord may be longer or shorter.
      tones: the pitches that sound together, each once.
      velocity: loudness, 1 to 127.
    """

    duration: Fraction
    tones: tuple[Tone, ...] = ()
    velocity: int = 90

    def scaled(self, factor: Fraction) -> "Sound":
        """The same with all lengths multiplied."""
        duration = product(self.duration, factor)
        tones = tuple(
            [
                Tone(pitch, duration if length is self.duration else length * factor, tied)
                for pitch, length, tied in self.tones
            ]
        )
        return Sound(duration, tones, self.velocity)

    def with_tie(self) -> "Sound":
        """The same with a tie from every tone."""
        return self._replace(tones=tuple(tone._replace(tied=True) for tone in self.tones))


@dataclasses.dataclass(slots=True)
class Bar:
    """A bar line.

    Attributes:
      ends: how often what ends here is repeated (`:|` once, `::|` twice); 0 if no repeat ends here.
      starts: how often what starts here is repeated; 0 if no repeat starts here.
      double: whether it closes a section without repeating it (`||`, `|]`, `[|`).
    """

    ends: int
    starts: int
    double: bool


@dataclasses.dataclass(slots=True)
class Ending:
    """The start of a variant ending: `[1`, `|1`, `[1,3-4`."""

    passes: tuple[int, ...]


@dataclasses.dataclass(slots=True)
class Overlay:
    """`&`: time goes back to the start of the bar."""


@dataclasses.dataclass(slots=True)
class PartStart:
    """`P:` in the tune."""

    label: str


@dataclasses.dataclass(slots=True)
class ChordSymbol:
    """`"Am7"`."""

    text: str


@dataclasses.dataclass(slots=True)
class MetreChange:
    """`M:`; None for free metre."""

    metre: Metre | None


@dataclasses.dataclass(slots=True)
class KeyChange:
    """`K:`, with the semitones that the voice sounds above what is written."""

    key: Key
    transposition: int


@dataclasses.dataclass(slots=True)
class TempoChange:
    """`Q:`, in quarter notes a minute."""

    quarters_per_minute: Fraction


Element: TypeAlias = Sound | Bar | Ending | Overlay | PartStart | ChordSymbol | MetreChange | KeyChange | TempoChange


@dataclasses.dataclass
class Voice:
    """A voice with all that stands in it.

    Attributes:
      name: its full name (`name=`), or its identifier.
      elements: in the order of the text.
    """

    name: str
    elements: list[Element] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Score:
    """A tune as written.

    Attributes:
      voices: at least one.
      part_order: the order in which the parts are played (`P:` in the header); empty if none is given.
      titles: every `T:`.
      composers: every `C:`.
      origins: every `O:`.
      rhythms: every `R:`.
    """

    voices: list[Voice]
    part_order: PartOrder
    titles: list[str]
    composers: list[str]
    origins: list[str]
    rhythms: list[str]

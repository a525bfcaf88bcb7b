"""A tune as written: what stands in each voice, in order. Times are fractions of a whole note."""

import dataclasses
from fractions import Fraction
from typing import TypeAlias

from pipelines.abc.key import Key
from pipelines.abc.parts import PartOrder

Metre: TypeAlias = tuple[int, int]
"""Numerator and denominator."""


@dataclasses.dataclass(slots=True)
class Tone:
    """One pitch of a note or chord.

    Attributes:
      pitch: MIDI pitch, 0 to 127.
      proportion: its length as a multiple of the length of the whole chord.
      tied: whether a tie leads on to the next note.
    """

    pitch: int
    proportion: Fraction
    tied: bool


@dataclasses.dataclass(slots=True)
class Sound:
    """A note, a chord or, without tones, a rest.

    Attributes:
      duration: its length, a fraction of a whole note.
      tones: the pitches that sound together.
      tied: whether a tie leads from all tones to the next note.
      velocity: loudness, 1 to 127.
    """

    duration: Fraction
    tones: list[Tone]
    tied: bool = False
    velocity: int = 90


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

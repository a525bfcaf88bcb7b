"""A voice as written, on a time axis of whole numbers."""

import dataclasses
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from pipelines.abc.key import Key
from pipelines.abc.problems import TooLargeError
from pipelines.abc.repeats import Mark
from pipelines.abc.score import (
    Bar,
    ChordSymbol,
    Ending,
    KeyChange,
    Metre,
    MetreChange,
    Overlay,
    PartStart,
    Score,
    Sound,
    TempoChange,
    Voice,
)

MAX_UNIT_BITS = 512
MAX_OVERLAYS = 20


class State(NamedTuple):
    """What holds at a time.

    Attributes:
      metre: None for free metre.
      key: the key and the semitones that the voice sounds above what is written; None before any is given.
      quarters_per_minute: None where no tempo is given.
    """

    metre: Metre | None = None
    key: tuple[Key, int] | None = None
    quarters_per_minute: Fraction | None = None


Change: TypeAlias = tuple[int, MetreChange | KeyChange | TempoChange]
TimedSound: TypeAlias = tuple[int, int, Sound]
"""When a sound starts, its layer (0, or above that for overlays), and the sound."""


class Lengths:
    """From fractions of a whole note to whole numbers of units.

    Attributes:
      units: units in a whole note: the smallest number in which all lengths of a tune are whole.
      in_units: the lengths in units, by the identity of the fraction, as fractions are slow to hash.
    """

    def __init__(self, score: Score) -> None:
        fractions: dict[int, Fraction] = {}
        for voice in score.voices:
            sounds = [element for element in voice.elements if isinstance(element, Sound)]
            fractions.update({id(sound.duration): sound.duration for sound in sounds})
            chords = [sound for sound in sounds if len(sound.tones) > 1]
            fractions.update({id(tone.duration): tone.duration for chord in chords for tone in chord.tones})
        self.units = 4
        for fraction in fractions.values():
            self.units = math.lcm(self.units, fraction.denominator)
            if self.units.bit_length() > MAX_UNIT_BITS:
                raise TooLargeError("the lengths of the notes have no common measure that is of any use")
        self._fractions = fractions  # keeps them alive, so that identities stay true
        self.in_units = {
            key: fraction.numerator * (self.units // fraction.denominator) for key, fraction in fractions.items()
        }


@dataclasses.dataclass
class Timeline:
    """A voice as written; times are in units.

    Attributes:
      name: the voice's.
      sounds: by start.
      marks: bar lines, endings and starts of parts, in the order of the text.
      changes: of metre, key and tempo, in the order of the text.
      chord_symbols: time and text, by time.
      end: when the voice ends.
    """

    name: str
    sounds: list[TimedSound] = dataclasses.field(default_factory=list)
    marks: list[Mark] = dataclasses.field(default_factory=list)
    changes: list[Change] = dataclasses.field(default_factory=list)
    chord_symbols: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    end: int = 0


def lay_out(voice: Voice, lengths: Lengths) -> Timeline:
    """Gives everything in a voice its time."""
    timeline = Timeline(voice.name)
    in_units = lengths.in_units
    now = bar_start = main_end = layer = 0
    for element in voice.elements:
        if isinstance(element, Sound):
            timeline.sounds.append((now, layer, element))
            now += in_units[id(element.duration)]
        elif isinstance(element, Bar | Ending | PartStart):
            if layer:
                now, layer = main_end, 0
            bar_start = now
            timeline.marks.append((now, element))
        elif isinstance(element, Overlay):
            main_end = main_end if layer else now
            layer += 1
            if layer > MAX_OVERLAYS:
                raise TooLargeError(f"expected at most {MAX_OVERLAYS} overlays in a bar")
            now = bar_start
        elif isinstance(element, ChordSymbol):
            timeline.chord_symbols.append((now, element.text))
        else:
            timeline.changes.append((now, element))
    timeline.end = main_end if layer else now
    timeline.sounds.sort(key=lambda sound: sound[0])
    timeline.chord_symbols.sort(key=lambda chord: chord[0])
    return timeline


def states_of(main: Timeline, all_timelines: list[Timeline]) -> list[tuple[int, State]]:
    """Metre, key and tempo from a time on, whenever one of them changes; the first at time 0.

    Metre and key are those of the main voice; a change of tempo holds for all, in whichever voice it stands.
    """
    changes = [
        (time, change)
        for timeline in all_timelines
        for time, change in timeline.changes
        if timeline is main or isinstance(change, TempoChange)
    ]
    state = State()
    states = [(0, state)]
    for time, change in sorted(changes, key=lambda change: change[0]):
        if isinstance(change, MetreChange):
            state = state._replace(metre=change.metre)
        elif isinstance(change, KeyChange):
            state = state._replace(key=(change.key, change.transposition))
        else:
            state = state._replace(quarters_per_minute=change.quarters_per_minute)
        states.append((time, state))
    return states


def marks_of(timeline: Timeline, all_timelines: list[Timeline]) -> list[Mark]:
    """The marks that order a voice.

    Parts are those of the whole tune, in whichever voice they stand. A voice that has no repeats of its own has those
    of the first voice that has.
    """
    if len(all_timelines) == 1:
        return timeline.marks
    repeats = next(filter(None, map(_repeat_marks, [timeline, *all_timelines])), [])
    parts = {
        (time, mark.label): (time, mark) for time, mark in _all_marks(all_timelines) if isinstance(mark, PartStart)
    }
    return sorted([*repeats, *parts.values()], key=lambda mark: mark[0])


def _all_marks(timelines: list[Timeline]) -> Iterator[Mark]:
    for timeline in timelines:
        yield from timeline.marks


def _repeat_marks(timeline: Timeline) -> list[Mark]:
    marks = [mark for mark in timeline.marks if not isinstance(mark[1], PartStart)]
    repeated = any(isinstance(mark, Ending) or (isinstance(mark, Bar) and mark.ends) for _, mark in marks)
    return marks if repeated else []

"""A voice as written, on a time axis of whole numbers."""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from etude.models.abc.notation.key import Key
from etude.models.abc.notation.score import (
    Bar,
    ChordSymbol,
    Element,
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
from etude.models.abc.performance.repeats import Mark
from etude.models.abc.problems import TooLargeError

MAX_UNIT_BITS = 512
MAX_OVERLAYS = 20
MAX_MARKS = 500_000
"""Of all voices, counting what they share for each."""


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

    A tune has few different sounds and lengths, so what they come to is worked out once. They are known by their
    identity, as fractions are slow to hash.

    Attributes:
      units: units in a whole note: the smallest number in which all lengths of a tune are whole.
      keys: identities of what stands in each voice.
      in_units: by identity of a fraction, the length in units.
      of_elements: by identity of whatever stands in a voice, its length in units; 0 if it is no sound.
      plain: by identity of a sound that is one note without a tie, its pitch and velocity.
      intricate: identities of chords and of notes with a tie.
    """

    def __init__(self, score: Score) -> None:
        self.keys = [list(map(id, voice.elements)) for voice in score.voices]
        elements: dict[int, Element] = {}
        for keys, voice in zip(self.keys, score.voices, strict=True):
            elements.update(zip(keys, voice.elements, strict=True))
        sounds = {key: element for key, element in elements.items() if isinstance(element, Sound)}
        fractions = {id(sound.duration): sound.duration for sound in sounds.values()}
        chords = [sound for sound in sounds.values() if len(sound.tones) > 1]
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
        self.of_elements = dict.fromkeys(elements, 0)
        self.of_elements.update({key: self.in_units[id(sound.duration)] for key, sound in sounds.items()})
        self.plain = {
            key: (sound.tones[0].pitch, sound.velocity)
            for key, sound in sounds.items()
            if len(sound.tones) == 1 and not sound.tones[0].tied
        }
        self.intricate = {key for key, sound in sounds.items() if sound.tones and key not in self.plain}


@dataclasses.dataclass
class PlainNotes:
    """Notes that are no part of a chord and have no tie, by start: one list for each property, times in units."""

    starts: list[int] = dataclasses.field(default_factory=list)
    ends: list[int] = dataclasses.field(default_factory=list)
    pitches: list[int] = dataclasses.field(default_factory=list)
    velocities: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Timeline:
    """A voice as written; times are in units.

    Attributes:
      name: the voice's.
      has_sounds: whether there is any note or rest.
      plain_notes: all notes that are no part of a chord and have no tie; none of a voice with overlays.
      intricate_times: when other notes start, in order; with overlays, whatever sounds.
      sounds: by start, rests too; empty if there is nothing intricate.
      marks: bar lines, endings and starts of parts, in the order of the text.
      changes: of metre, key and tempo, in the order of the text.
      chord_symbols: time and text, by time.
      end: when the voice ends.
    """

    name: str
    has_sounds: bool = False
    plain_notes: PlainNotes = dataclasses.field(default_factory=PlainNotes)
    intricate_times: list[int] = dataclasses.field(default_factory=list)
    sounds: list[TimedSound] = dataclasses.field(default_factory=list)
    marks: list[Mark] = dataclasses.field(default_factory=list)
    changes: list[Change] = dataclasses.field(default_factory=list)
    chord_symbols: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    end: int = 0


def lay_out(voice: Voice, keys: list[int], lengths: Lengths) -> Timeline:
    """Gives everything in a voice its time.

    Args:
      voice: the voice.
      keys: the identities of what stands in it.
      lengths: the lengths of the tune.

    Raises:
      TooLargeError: if there are more overlays than any real tune has.
    """
    timeline = Timeline(voice.name)
    elements = voice.elements
    durations = list(map(lengths.of_elements.__getitem__, keys))
    timeline.has_sounds = any(durations)
    others = [position for position, duration in enumerate(durations) if not duration]
    has_overlays = any(isinstance(elements[position], Overlay) for position in others)
    if has_overlays:
        starts, layers, timeline.end = _overlaid(elements, durations)
    else:
        ends = list(itertools.accumulate(durations))
        starts, layers, timeline.end = [0, *ends[:-1]], [0] * len(ends), ends[-1] if ends else 0
        timeline.plain_notes = _plain_notes(starts, ends, list(map(lengths.plain.get, keys)))
    if has_overlays or lengths.intricate:
        sounds = zip(starts, layers, elements, strict=True)
        timeline.sounds = [(start, layer, sound) for start, layer, sound in sounds if isinstance(sound, Sound)]
        timeline.sounds.sort(key=lambda sound: sound[0])
        timeline.intricate_times = [
            sound[0] for sound in timeline.sounds if has_overlays or id(sound[2]) in lengths.intricate
        ]
    for position in others:
        _add(timeline, starts[position], elements[position])
    timeline.chord_symbols.sort(key=lambda chord: chord[0])
    return timeline


def _plain_notes(starts: list[int], ends: list[int], plain: list[tuple[int, int] | None]) -> PlainNotes:
    """Columns of the notes among what stands in a voice; `plain` has pitch and velocity of those."""
    found = [note for note in plain if note]
    return PlainNotes(
        list(itertools.compress(starts, plain)),
        list(itertools.compress(ends, plain)),
        [pitch for pitch, _ in found],
        [velocity for _, velocity in found],
    )


def _overlaid(elements: list[Element], durations: list[int]) -> tuple[list[int], list[int], int]:
    """Time and layer of everything in a voice with overlays, and when it ends."""
    starts: list[int] = []
    layers: list[int] = []
    now = bar_start = main_end = layer = 0
    for element, duration in zip(elements, durations, strict=True):
        if isinstance(element, Bar | Ending | PartStart):
            if layer:
                now, layer = main_end, 0
            bar_start = now
        elif isinstance(element, Overlay):
            main_end = main_end if layer else now
            layer += 1
            if layer > MAX_OVERLAYS:
                raise TooLargeError(f"expected at most {MAX_OVERLAYS} overlays in a bar")
            now = bar_start
        starts.append(now)
        layers.append(layer)
        now += duration
    return starts, layers, main_end if layer else now


def _add(timeline: Timeline, time: int, element: Element) -> None:
    """Adds something that does not sound."""
    if isinstance(element, Bar | Ending | PartStart):
        timeline.marks.append((time, element))
    elif isinstance(element, ChordSymbol):
        timeline.chord_symbols.append((time, element.text))
    elif isinstance(element, MetreChange | KeyChange | TempoChange):
        timeline.changes.append((time, element))


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


def marks_of_voices(timelines: list[Timeline]) -> Iterator[list[Mark]]:
    """Yields the marks that order each voice.

    Parts are those of the whole tune, in whichever voice they stand. A voice that has no repeats of its own has those
    of the first voice that has.

    Raises:
      TooLargeError: if there are more than any real tune has.
    """
    if len(timelines) == 1:
        yield timelines[0].marks
        return
    repeats = [_repeat_marks(timeline) for timeline in timelines]
    shared = next(filter(None, repeats), [])
    parts = {(time, mark.label): (time, mark) for time, mark in _all_marks(timelines) if isinstance(mark, PartStart)}
    if sum(len(own or shared) + len(parts) for own in repeats) > MAX_MARKS:
        raise TooLargeError(f"the voices have more than {MAX_MARKS:,} bar lines and parts together")
    for own in repeats:
        yield sorted([*(own or shared), *parts.values()], key=lambda mark: mark[0])


def _all_marks(timelines: list[Timeline]) -> Iterator[Mark]:
    for timeline in timelines:
        yield from timeline.marks


def _repeat_marks(timeline: Timeline) -> list[Mark]:
    marks = [mark for mark in timeline.marks if not isinstance(mark[1], PartStart)]
    repeated = any(isinstance(mark, Ending) or (isinstance(mark, Bar) and mark.ends) for _, mark in marks)
    return marks if repeated else []

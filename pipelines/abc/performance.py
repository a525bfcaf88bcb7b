"""A tune as played: notes in order of time, ties joined, repeats and parts played out."""

import bisect
import dataclasses
import math
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from pipelines.abc.key import Key
from pipelines.abc.problems import TooLargeError
from pipelines.abc.repeats import Mark, Span, play_order
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

MAX_NOTES = 200_000
MAX_WHOLE_NOTES = 20_000
MAX_UNIT_BITS = 512


@dataclasses.dataclass(slots=True)
class PerformedNote:
    """A note that sounds; times in units of the performance."""

    start: int
    end: int
    pitch: int
    velocity: int
    instrument: int


class State(NamedTuple):
    """What holds at a time.

    Attributes:
      metre: None for free metre.
      key: the signature; None before any is given.
      quarters_per_minute: None where no tempo is given.
    """

    metre: Metre | None = None
    key: tuple[Key, int] | None = None
    quarters_per_minute: Fraction | None = None


@dataclasses.dataclass
class Performance:
    """A tune as played. All times are whole numbers of units.

    Attributes:
      units: units in a whole note.
      notes: by start and instrument.
      states: metre, key and tempo from a time on, whenever one of them changes.
      chord_symbols: time and text.
      sections: time and number of every section that starts, the same number for the same music; empty if the tune is
        one section that is played once.
      instruments: names of the voices; an overlay is a voice of its own.
    """

    units: int
    notes: list[PerformedNote] = dataclasses.field(default_factory=list)
    states: list[tuple[int, State]] = dataclasses.field(default_factory=list)
    chord_symbols: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    sections: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    instruments: list[str] = dataclasses.field(default_factory=list)


TimedSound: TypeAlias = tuple[int, int, int, Sound]
"""Start, layer (0, or above that for overlays), duration, and what sounds."""


@dataclasses.dataclass
class _Timeline:
    """A voice as written, on a time axis."""

    sounds: list[TimedSound]
    marks: list[Mark]
    states: list[tuple[int, State]]
    chord_symbols: list[tuple[int, str]]
    end: int


def perform(score: Score) -> Performance:
    """Plays a tune out.

    Raises:
      TooLargeError: if that is more than any real tune has.
    """
    units = _common_units(score)
    performance = Performance(units)
    timelines = [_lay_out(voice, units) for voice in score.voices]
    states: dict[int, State] = {}
    for number, (voice, timeline) in enumerate(zip(score.voices, timelines, strict=True)):
        order = play_order(_marks_of(timeline, timelines), timeline.end, score.part_order)
        if sum(span.end - span.start for span in order) > MAX_WHOLE_NOTES * units:
            raise TooLargeError(f"the tune lasts more than {MAX_WHOLE_NOTES:,} whole notes")
        _play(timeline, order, voice.name, performance)
        if not number:
            performance.sections = _sections(order)
        for time, state in _play_states(timeline, order):
            states.setdefault(time, state)
    performance.states = _changes(states)
    performance.notes.sort(key=lambda note: (note.start, note.instrument, note.pitch))
    performance.chord_symbols.sort()
    return performance


def _common_units(score: Score) -> int:
    """The smallest number of units in a whole note in which all lengths are whole numbers."""
    denominators = set()
    for voice in score.voices:
        for element in voice.elements:
            if isinstance(element, Sound):
                denominators.add(element.duration.denominator)
                denominators.update(
                    (element.duration * tone.proportion).denominator for tone in element.tones if tone.proportion != 1
                )
    units = 4
    for denominator in denominators:
        units = math.lcm(units, denominator)
        if units.bit_length() > MAX_UNIT_BITS:
            raise TooLargeError("the lengths of the notes have no common measure that is of any use")
    return units


def _lay_out(voice: Voice, units: int) -> _Timeline:
    """Gives everything in a voice its time."""
    timeline = _Timeline([], [], [(0, State())], [], 0)
    state = State()
    now = bar_start = main_end = layer = 0
    for element in voice.elements:
        if isinstance(element, Sound):
            length = element.duration
            duration = length.numerator * (units // length.denominator)
            timeline.sounds.append((now, layer, duration, element))
            now += duration
        elif isinstance(element, Overlay):
            main_end = main_end if layer else now
            layer += 1
            now = bar_start
        elif isinstance(element, ChordSymbol):
            timeline.chord_symbols.append((now, element.text))
        elif isinstance(element, MetreChange):
            state = state._replace(metre=element.metre)
            timeline.states.append((now, state))
        elif isinstance(element, KeyChange):
            state = state._replace(key=(element.key, element.transposition))
            timeline.states.append((now, state))
        elif isinstance(element, TempoChange):
            state = state._replace(quarters_per_minute=element.quarters_per_minute)
            timeline.states.append((now, state))
        else:
            if layer:
                now, layer = main_end, 0
            bar_start = now
            timeline.marks.append((now, element))
    timeline.end = main_end if layer else now
    timeline.sounds.sort(key=lambda sound: sound[0])
    timeline.states.sort(key=lambda state: state[0])
    timeline.chord_symbols.sort(key=lambda chord: chord[0])
    return timeline


def _marks_of(timeline: _Timeline, all_timelines: list[_Timeline]) -> list[Mark]:
    """The marks of a voice; where it has no repeats or no parts of its own, those of the first voice that has."""
    if len(all_timelines) == 1:
        return timeline.marks
    repeats = [_repeat_marks(timeline), *map(_repeat_marks, all_timelines)]
    parts = [_part_marks(timeline), *map(_part_marks, all_timelines)]
    own = next(filter(None, repeats), []), next(filter(None, parts), [])
    return sorted([*own[0], *own[1]], key=lambda mark: mark[0])


def _repeat_marks(timeline: _Timeline) -> list[Mark]:
    marks = [mark for mark in timeline.marks if not isinstance(mark[1], PartStart)]
    repeated = any(isinstance(mark, Ending) or (isinstance(mark, Bar) and mark.ends) for _, mark in marks)
    return marks if repeated else []


def _part_marks(timeline: _Timeline) -> list[Mark]:
    return [mark for mark in timeline.marks if isinstance(mark[1], PartStart)]


def _play(timeline: _Timeline, order: list[Span], name: str, performance: Performance) -> None:
    """Plays a voice: joins what is tied in the order in which it is played."""
    starts = [sound[0] for sound in timeline.sounds]
    chord_starts = [chord[0] for chord in timeline.chord_symbols]
    instruments: dict[int, int] = {}
    tied: dict[int, dict[int, PerformedNote]] = {}
    units = performance.units
    offset = 0
    for span in order:
        shift = offset - span.start
        first, last = bisect.bisect_left(starts, span.start), bisect.bisect_left(starts, span.end)
        for time, layer, duration, sound in timeline.sounds[first:last]:
            now = time + shift
            open_notes = tied.pop(layer, None)
            if not sound.tones:
                continue
            instrument = instruments.get(layer)
            if instrument is None:
                instrument = instruments[layer] = len(performance.instruments)
                performance.instruments.append(name)
            kept: dict[int, PerformedNote] = {}
            for tone in sound.tones:
                length = duration
                if tone.proportion != 1:
                    exact = sound.duration * tone.proportion
                    length = exact.numerator * (units // exact.denominator)
                note = open_notes.get(tone.pitch) if open_notes else None
                if note is not None and note.end == now:
                    note.end = now + length
                else:
                    note = PerformedNote(now, now + length, tone.pitch, sound.velocity, instrument)
                    performance.notes.append(note)
                if tone.tied or sound.tied:
                    kept[tone.pitch] = note
            if kept:
                tied[layer] = kept
        if len(performance.notes) > MAX_NOTES:
            raise TooLargeError(f"the tune has more than {MAX_NOTES:,} notes when played out")
        first, last = bisect.bisect_left(chord_starts, span.start), bisect.bisect_left(chord_starts, span.end)
        performance.chord_symbols.extend((time + shift, text) for time, text in timeline.chord_symbols[first:last])
        offset += span.end - span.start


def _play_states(timeline: _Timeline, order: list[Span]) -> list[tuple[int, State]]:
    """Metre, key and tempo as played: a repeat brings back those of its start."""
    times = [time for time, _ in timeline.states]
    played = []
    offset = 0
    for span in order:
        first, last = bisect.bisect_right(times, span.start) - 1, bisect.bisect_left(times, span.end)
        played.append((offset, timeline.states[first][1]))
        played.extend((time - span.start + offset, state) for time, state in timeline.states[first + 1 : last])
        offset += span.end - span.start
    return played


def _changes(states: dict[int, State]) -> list[tuple[int, State]]:
    changes: list[tuple[int, State]] = []
    for time in sorted(states):
        if not changes or changes[-1][1] != states[time]:
            changes.append((time, states[time]))
    return changes


def _sections(order: list[Span]) -> list[tuple[int, int]]:
    numbers: dict[int, int] = {}
    sections = []
    offset = 0
    for span in order:
        if span.start == span.section:
            sections.append((offset, numbers.setdefault(span.section, len(numbers))))
        offset += span.end - span.start
    return sections if len(sections) > 1 else []

"""A tune as played: notes in order of time, ties joined, repeats and parts played out."""

import bisect
import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from etude.models.abc.notation.score import Bar, Score
from etude.models.abc.performance.repeats import Span, play_order
from etude.models.abc.performance.timeline import (
    Lengths,
    PlainNotes,
    State,
    Timeline,
    lay_out,
    marks_of_voices,
    states_of,
)
from etude.models.abc.problems import TooLargeError

MAX_EVENTS = 200_000
"""Notes, rests, chord symbols and changes of metre, key and tempo, as played."""
MAX_WHOLE_NOTES = 20_000
MAX_STRETCHES = 50_000
"""Of music between repeats, in all voices."""


class PerformedNote(NamedTuple):
    """A note that sounds; times in units of the performance."""

    start: int
    instrument: int
    pitch: int
    end: int
    velocity: int


@dataclasses.dataclass
class PerformedNotes(PlainNotes):
    """Notes that sound, one list for each property; times in units of the performance."""

    instruments: list[int] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[PerformedNote]:
        columns = (self.starts, self.instruments, self.pitches, self.ends, self.velocities)
        return map(PerformedNote, *columns)

    def __getitem__(self, position: int) -> PerformedNote:
        return PerformedNote(
            self.starts[position],
            self.instruments[position],
            self.pitches[position],
            self.ends[position],
            self.velocities[position],
        )

    def sort(self) -> None:
        """Puts them in order of start, instrument and pitch."""
        notes = sorted(self)
        self.starts, self.ends = [note.start for note in notes], [note.end for note in notes]
        self.pitches, self.velocities = [note.pitch for note in notes], [note.velocity for note in notes]
        self.instruments = [note.instrument for note in notes]


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
      bars: when there is a bar line in the main voice, ascending, each time once.
    """

    units: int
    notes: PerformedNotes = dataclasses.field(default_factory=PerformedNotes)
    states: list[tuple[int, State]] = dataclasses.field(default_factory=list)
    chord_symbols: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    sections: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    instruments: list[str] = dataclasses.field(default_factory=list)
    bars: list[int] = dataclasses.field(default_factory=list)


def perform(score: Score) -> Performance:
    """Plays a tune out.

    Raises:
      TooLargeError: if that is more than any real tune has.
    """
    lengths = Lengths(score)
    performance = Performance(lengths.units)
    timelines = [lay_out(voice, keys, lengths) for voice, keys in zip(score.voices, lengths.keys, strict=True)]
    main = next((timeline for timeline in timelines if timeline.has_sounds), timelines[0])
    states = states_of(main, timelines)
    num_events = num_stretches = 0
    for timeline, marks in zip(timelines, marks_of_voices(timelines), strict=True):
        order = play_order(marks, timeline.end, score.part_order)
        if sum(span.end - span.start for span in order) > MAX_WHOLE_NOTES * lengths.units:
            raise TooLargeError(f"the tune lasts more than {MAX_WHOLE_NOTES:,} whole notes")
        num_stretches += len(order)
        if num_stretches > MAX_STRETCHES:
            raise TooLargeError(f"the voices repeat more than {MAX_STRETCHES:,} stretches of music")
        num_events += _num_events(timeline, states if timeline is main else [], order)
        _check_size(num_events)
        _Player(timeline, lengths, performance).play(order)
        performance.chord_symbols += _play_chord_symbols(timeline, order)
        if timeline is main:
            performance.sections = _sections(order)
            performance.states = _play_states(states, order)
            performance.bars = _play_bars(timeline, order)
    if len(timelines) > 1 or timelines[0].intricate_times:
        performance.notes.sort()
    performance.chord_symbols.sort()
    return performance


def _num_events(timeline: Timeline, states: list[tuple[int, State]], order: list[Span]) -> int:
    """What a voice comes to, before it is played out."""
    all_times = [
        [sound[0] for sound in timeline.sounds] or timeline.plain_notes.starts,
        [time for time, _ in timeline.chord_symbols],
        [time for time, _ in states],
    ]
    return sum(
        bisect.bisect_left(times, span.end) - bisect.bisect_left(times, span.start)
        for times in filter(None, all_times)
        for span in order
    )


def _check_size(num_events: int) -> None:
    if num_events > MAX_EVENTS:
        raise TooLargeError(
            f"the tune has more than {MAX_EVENTS:,} notes, rests, chord symbols and changes when played out"
        )


class _Player:
    """Plays the notes of a voice."""

    def __init__(self, timeline: Timeline, lengths: Lengths, performance: Performance) -> None:
        self._timeline = timeline
        self._in_units = lengths.in_units
        self._performance = performance
        self._notes = performance.notes
        self._sound_starts = [sound[0] for sound in timeline.sounds]
        self._instruments: dict[int, int] = {}  # by layer
        self._tied: dict[int, dict[int, int]] = {}  # by layer: for every pitch that a tie leads on from, its note

    def play(self, order: list[Span]) -> None:
        """Plays one stretch after the other.

        Raises:
          TooLargeError: if there are more notes than any real tune has.
        """
        intricate = self._timeline.intricate_times
        shift = 0
        for span in order:
            shift -= span.start
            if self._tied or bisect.bisect_left(intricate, span.start) < bisect.bisect_left(intricate, span.end):
                self._play_intricate(span, shift)
            else:
                self._play_plain(span, shift)
            _check_size(len(self._notes))  # a chord is one event and many notes
            shift += span.end

    def _play_plain(self, span: Span, shift: int) -> None:
        """Plays a stretch in which no note has to do with another."""
        notes, written = self._notes, self._timeline.plain_notes
        first, last = bisect.bisect_left(written.starts, span.start), bisect.bisect_left(written.starts, span.end)
        if first == last:
            return
        notes.starts += [start + shift for start in written.starts[first:last]]
        notes.ends += [end + shift for end in written.ends[first:last]]
        notes.pitches += written.pitches[first:last]
        notes.velocities += written.velocities[first:last]
        notes.instruments += [self._instrument(0)] * (last - first)

    def _play_intricate(self, span: Span, shift: int) -> None:
        """Plays a stretch, and joins what is tied in the order in which it is played."""
        notes, in_units, tied = self._notes, self._in_units, self._tied
        starts = self._sound_starts
        first, last = bisect.bisect_left(starts, span.start), bisect.bisect_left(starts, span.end)
        for start, layer, (_, tones, velocity) in self._timeline.sounds[first:last]:
            now = start + shift
            open_notes = tied.pop(layer, None) if tied else None
            for pitch, duration, is_tied in tones:
                end = now + in_units[id(duration)]
                note = open_notes.get(pitch) if open_notes else None
                if note is not None and notes.ends[note] == now:
                    notes.ends[note] = end
                else:
                    note = len(notes.starts)
                    notes.starts.append(now)
                    notes.ends.append(end)
                    notes.pitches.append(pitch)
                    notes.velocities.append(velocity)
                    notes.instruments.append(self._instrument(layer))
                if is_tied:
                    tied.setdefault(layer, {})[pitch] = note

    def _instrument(self, layer: int) -> int:
        """The number of a layer, which is an instrument from its first note on."""
        if layer not in self._instruments:
            self._instruments[layer] = len(self._performance.instruments)
            self._performance.instruments.append(self._timeline.name)
        return self._instruments[layer]


def _play_chord_symbols(timeline: Timeline, order: list[Span]) -> list[tuple[int, str]]:
    times = [time for time, _ in timeline.chord_symbols]
    played: list[tuple[int, str]] = []
    shift = 0
    for span in order:
        shift -= span.start
        first, last = bisect.bisect_left(times, span.start), bisect.bisect_left(times, span.end)
        played.extend((time + shift, text) for time, text in timeline.chord_symbols[first:last])
        shift += span.end
    return played


def _play_states(states: list[tuple[int, State]], order: list[Span]) -> list[tuple[int, State]]:
    """Metre, key and tempo as played: a repeat brings back those of its start."""
    times = [time for time, _ in states]
    played = {0: State()}
    shift = 0
    for span in order:
        shift -= span.start
        first, last = bisect.bisect_right(times, span.start) - 1, bisect.bisect_left(times, span.end)
        played[span.start + shift] = states[first][1]
        played.update((time + shift, state) for time, state in states[first + 1 : last])
        shift += span.end
    changes: list[tuple[int, State]] = []
    for time, state in played.items():
        if not changes or state != changes[-1][1]:
            changes.append((time, state))
    return changes


def _play_bars(timeline: Timeline, order: list[Span]) -> list[int]:
    lines = sorted({time for time, mark in timeline.marks if isinstance(mark, Bar)})
    played: set[int] = set()
    shift = 0
    for span in order:
        shift -= span.start
        first, last = bisect.bisect_left(lines, span.start), bisect.bisect_right(lines, span.end)
        played.update(time + shift for time in lines[first:last])
        shift += span.end
    return sorted(played)


def _sections(order: list[Span]) -> list[tuple[int, int]]:
    numbers: dict[int, int] = {}
    sections = []
    time = 0
    for span in order:
        if span.start == span.section:
            sections.append((time, numbers.setdefault(span.section, len(numbers))))
        time += span.end - span.start
    return sections if len(sections) > 1 else []

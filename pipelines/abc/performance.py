"""A tune as played: notes in order of time, ties joined, repeats and parts played out."""

import bisect
import dataclasses
from typing import NamedTuple

from pipelines.abc.problems import TooLargeError
from pipelines.abc.repeats import Span, play_order
from pipelines.abc.score import Score
from pipelines.abc.timeline import Lengths, State, Timeline, lay_out, marks_of, states_of

MAX_NOTES = 200_000
MAX_WHOLE_NOTES = 20_000


class PerformedNote(NamedTuple):
    """A note that sounds; times in units of the performance."""

    start: int
    instrument: int
    pitch: int
    end: int
    velocity: int


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


def perform(score: Score) -> Performance:
    """Plays a tune out.

    Raises:
      TooLargeError: if that is more than any real tune has.
    """
    lengths = Lengths(score)
    performance = Performance(lengths.units)
    timelines = [lay_out(voice, lengths) for voice in score.voices]
    main = next((timeline for timeline in timelines if timeline.sounds), timelines[0])
    for timeline in timelines:
        order = play_order(marks_of(timeline, timelines), timeline.end, score.part_order)
        if sum(span.end - span.start for span in order) > MAX_WHOLE_NOTES * lengths.units:
            raise TooLargeError(f"the tune lasts more than {MAX_WHOLE_NOTES:,} whole notes")
        _play_notes(timeline, order, lengths, performance)
        performance.chord_symbols += _play_chord_symbols(timeline, order)
        if timeline is main:
            performance.sections = _sections(order)
            performance.states = _play_states(states_of(main, timelines), order)
    performance.notes.sort()
    performance.chord_symbols.sort()
    return performance


def _play_notes(timeline: Timeline, order: list[Span], lengths: Lengths, performance: Performance) -> None:
    """Plays a voice: joins what is tied in the order in which it is played."""
    starts = [sound[0] for sound in timeline.sounds]
    notes, in_units = performance.notes, lengths.in_units
    instruments: dict[int, int] = {}
    tied: dict[int, dict[int, int]] = {}  # by layer: for every pitch that a tie leads on from, which note it is
    shift = 0
    for span in order:
        shift -= span.start
        first, last = bisect.bisect_left(starts, span.start), bisect.bisect_left(starts, span.end)
        for start, layer, (_, tones, velocity) in timeline.sounds[first:last]:
            now = start + shift
            open_notes = tied.pop(layer, None) if tied else None
            if tones and layer not in instruments:
                instruments[layer] = len(performance.instruments)
                performance.instruments.append(timeline.name)
            for pitch, duration, is_tied in tones:
                end = now + in_units[id(duration)]
                note = open_notes.get(pitch) if open_notes else None
                if note is not None and notes[note].end == now:
                    notes[note] = notes[note]._replace(end=end)
                else:
                    note = len(notes)
                    notes.append(PerformedNote(now, instruments[layer], pitch, end, velocity))
                if is_tied:
                    tied.setdefault(layer, {})[pitch] = note
        if len(notes) > MAX_NOTES:
            raise TooLargeError(f"the tune has more than {MAX_NOTES:,} notes when played out")
        shift += span.end


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


def _sections(order: list[Span]) -> list[tuple[int, int]]:
    numbers: dict[int, int] = {}
    sections = []
    time = 0
    for span in order:
        if span.start == span.section:
            sections.append((time, numbers.setdefault(span.section, len(numbers))))
        time += span.end - span.start
    return sections if len(sections) > 1 else []

"""Melodies out of the tracks of a piece, exactly as Magenta extracts them.

Magenta's rules are in `magenta.pipelines.melody_pipelines.extract_melodies` and
`note_seq.Melody.from_quantized_sequence`. Its thresholds are parameters here, and whatever is not used is returned with
the reason.
"""

import dataclasses
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from etude.models.errors import UsageError, check_ranges
from etude.models.melodies.melody import MAX_STEPS_PER_QUARTER, NO_EVENT, NOTE_OFF, PITCHES_PER_OCTAVE, Events
from etude.models.melodies.note_columns import NoteColumns
from etude.models.melodies.quantisation import (
    Booleans,
    Integers,
    QuantisedPart,
    UnusableError,
    quantise,
    split_at_time_changes,
)

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

REJECT = "reject"
HIGHEST = "highest"
SKIP_LATER = "skip-later"
POLYPHONY = (REJECT, HIGHEST, SKIP_LATER)

MOST_BARS = 1_000_000
"""No melody is as long: as `gap_bars`, no silence ends one."""

MAX_WHOLE_MELODY_STEPS = 1_000_000
"""Melodies that are kept whole (max_steps 0) may not be longer: about 35 hours at the usual tempo."""


@dataclasses.dataclass(frozen=True)
class ExtractionOptions:
    """What makes a melody. The defaults are Magenta's.

    Attributes:
      steps_per_quarter: resolution of the grid.
      min_bars: shorter melodies are rejected.
      max_steps: longer melodies are cut to this many steps; 0 keeps them whole.
      min_unique_pitches: melodies with fewer pitch classes are rejected.
      gap_bars: a melody ends where at least this many bars of silence follow it.
      polyphony: what happens where several notes of a track start on one step: "reject" drops the rest of the track
        (Magenta's), "highest" keeps the highest note, "skip-later" keeps the note that started first.
    """

    steps_per_quarter: int = 4
    min_bars: float = 7
    max_steps: int = 512
    min_unique_pitches: int = 5
    gap_bars: float = 1.0
    polyphony: str = REJECT

    def __post_init__(self) -> None:
        ranges = {
            "steps_per_quarter": (1, MAX_STEPS_PER_QUARTER),
            "min_bars": (0.0, MOST_BARS),
            "max_steps": (0, MAX_WHOLE_MELODY_STEPS),
            # Pitches without their octave.
            "min_unique_pitches": (0, PITCHES_PER_OCTAVE),
            "gap_bars": (0.0, MOST_BARS),
        }
        check_ranges(self, ranges)
        if self.polyphony not in POLYPHONY:
            raise UsageError(f"--polyphony must be one of {', '.join(POLYPHONY)}, not {self.polyphony!r}")


MAGENTA_OPTIONS = ExtractionOptions()


def whole_track_options(steps_per_quarter: int, gap_bars: float = 1.0) -> ExtractionOptions:
    """Extraction that takes every track as it is: the highest note of a chord, any length, any number of pitches."""
    return ExtractionOptions(
        steps_per_quarter=steps_per_quarter,
        min_bars=0,
        max_steps=0,
        min_unique_pitches=0,
        gap_bars=gap_bars,
        polyphony="highest",
    )


@dataclasses.dataclass(frozen=True, eq=False)
class ExtractedMelody:
    """A melody and its place in the piece.

    Attributes:
      events: int64 [num_steps], each -2 (no event), -1 (note-off) or 0 to 127 (note-on).
      instrument: the track it comes from.
      part: the part between changes of tempo or metre it comes from, counted from 0.
      start_step: the step of the part that its first event stands for, always the first of a bar.
      steps_per_bar: steps in a bar of its metre.
      full_length: its steps before it was cut to max_steps.
    """

    events: Events
    instrument: int
    part: int
    start_step: int
    steps_per_bar: int
    full_length: int


@dataclasses.dataclass(frozen=True)
class Rejection:
    """Music that gave no melody.

    Attributes:
      reason: a name out of `etude.pipelines.reasons`.
      detail: the values that were at fault.
      part: the part between changes of tempo or metre, or None for the whole piece.
      instrument: the track, or None for all of them.
      start_step: where in the part it starts, or None for all of it.
    """

    reason: str
    detail: str = ""
    part: int | None = None
    instrument: int | None = None
    start_step: int | None = None


class Explained(Protocol):
    """What has a reason and its details."""

    @property
    def reason(self) -> str:
        """A name."""

    @property
    def detail(self) -> str:
        """The values that were at fault."""


def explain(rejected: Explained) -> str:
    """Why music gave no melody."""
    return f"{rejected.reason}: {rejected.detail}" if rejected.detail else rejected.reason


@dataclasses.dataclass(frozen=True)
class Extraction:
    """All melodies of a piece, in order of part, track and time, and whatever was rejected."""

    melodies: list[ExtractedMelody]
    rejections: list[Rejection]


def extract(
    sequence: "NoteSequence", options: ExtractionOptions = MAGENTA_OPTIONS, columns: NoteColumns | None = None
) -> Extraction:
    """Extracts every melody of a piece.

    Args:
      sequence: an unquantised NoteSequence.
      options: what makes a melody.
      columns: its notes, if they are there as arrays already.

    Returns:
      The melodies and the rejections. Never raises for a strange piece: that is a rejection.
    """
    result = Extraction([], [])
    try:
        parts = split_at_time_changes(sequence, columns)
    except UnusableError as error:
        return Extraction([], [Rejection(error.reason, error.detail)])
    for index, part in enumerate(parts):
        try:
            quantised = quantise(part, options.steps_per_quarter)
        except UnusableError as error:
            if len(part.pitch):
                result.rejections.append(Rejection(error.reason, error.detail, part=index))
            continue
        extracted = extract_from_part(quantised, options, index)
        result.melodies.extend(extracted.melodies)
        result.rejections.extend(extracted.rejections)
    if not result.melodies and not result.rejections:
        result.rejections.append(Rejection("no-notes"))
    return result


def extract_from_part(
    part: QuantisedPart, options: ExtractionOptions = MAGENTA_OPTIONS, part_index: int = 0
) -> Extraction:
    """Extracts the melodies of every track of one quantised part.

    Args:
      part: the part.
      options: what makes a melody.
      part_index: the part's number, for the results.
    """
    result = Extraction([], [])
    for instrument in np.unique(part.instrument).tolist():
        track = _track(part, instrument, options)
        if not len(track.heard):
            reason = "drums" if part.is_drum[part.instrument == instrument].any() else "no-audible-notes"
            result.rejections.append(Rejection(reason, part=part_index, instrument=instrument))
            continue
        _extract_from_track(track, instrument, part.steps_per_bar, options, part_index, result)
    return result


class _Track(NamedTuple):
    """The notes of one track, in order.

    Attributes:
      starts: the step at which each note starts, heard or not.
      heard: which of these are heard.
      start: the step at which each note that is heard starts.
      end: the step at which each ends.
      pitch: the pitch of each.
      is_together: whether each starts with the one before it.
      is_after_gap: whether silence ends a melody before it.
      is_backwards: whether each ends before it starts.
    """

    starts: Integers
    heard: Integers
    start: Integers
    end: Integers
    pitch: Integers
    is_together: Booleans
    is_after_gap: Booleans
    is_backwards: Booleans


class _Candidate(NamedTuple):
    """A run of notes that ends at a gap, a polyphonic spot or the end of the track.

    Attributes:
      start_step: the start of the bar that the first note lies in.
      notes: which of the notes that are heard.
      error: what ended the track, or None: the candidate is then not used.
    """

    start_step: int
    notes: slice
    error: tuple[str, int] | None


def _track(part: QuantisedPart, instrument: int, options: ExtractionOptions) -> _Track:
    """The notes of one track, in the order in which they compete for a step."""
    chosen: Integers = np.flatnonzero(part.instrument == instrument)
    starts = part.start_step[chosen]
    if (np.diff(starts) <= 0).any():
        by_pitch = np.zeros_like(starts) if options.polyphony == SKIP_LATER else -part.pitch[chosen]
        chosen = chosen[np.lexsort((by_pitch, starts))]
        starts = part.start_step[chosen]
    heard: Integers = np.flatnonzero(part.is_audible[chosen])
    if options.polyphony != REJECT:
        # Of notes that start together the first is kept.
        heard = heard[np.diff(starts[heard], prepend=-1) > 0]
    notes = chosen[heard]
    start, end = part.start_step[notes], part.end_step[notes]
    is_first = np.zeros(min(len(notes), 1), np.bool_)
    return _Track(
        starts=starts,
        heard=heard,
        start=start,
        end=end,
        pitch=part.pitch[notes],
        is_together=np.append(is_first, start[1:] == start[:-1]),
        is_after_gap=np.append(is_first, start[1:] - end[:-1] >= options.gap_bars * part.steps_per_bar),
        is_backwards=end <= start,
    )


def _extract_from_track(
    track: _Track,
    instrument: int,
    steps_per_bar: int,
    options: ExtractionOptions,
    part_index: int,
    result: Extraction,
) -> None:
    """Adds a track's melodies and rejections to `result`."""

    def reject(reason: str, detail: str, start_step: int) -> None:
        result.rejections.append(Rejection(reason, detail, part_index, instrument, start_step))

    stops: Integers = np.flatnonzero(track.is_together | track.is_after_gap | track.is_backwards)
    search_start = 0
    while True:
        candidate = _next_candidate(track, stops, search_start, steps_per_bar)
        if candidate is None:
            return
        if candidate.error is not None:
            reason, step = candidate.error
            reject(reason, f"at step {step}", step)
            return
        end = int(track.end[candidate.notes][-1])
        length = end - candidate.start_step
        search_start = end + -end % steps_per_bar
        if length < steps_per_bar * options.min_bars:
            reject("too-short", f"{length / steps_per_bar:.4g} bars of {options.min_bars:g}", candidate.start_step)
            continue
        if not options.max_steps and length > MAX_WHOLE_MELODY_STEPS:
            reject("too-long", f"{length} steps, at most {MAX_WHOLE_MELODY_STEPS}", candidate.start_step)
            continue
        events = _events(track, candidate, min(length, options.max_steps or length))
        unique_pitches = np.count_nonzero(np.bincount(events[events >= 0] % PITCHES_PER_OCTAVE))
        if unique_pitches < options.min_unique_pitches:
            reject("too-few-pitches", f"{unique_pitches} of {options.min_unique_pitches}", candidate.start_step)
            continue
        result.melodies.append(
            ExtractedMelody(events, instrument, part_index, candidate.start_step, steps_per_bar, length)
        )


def _next_candidate(track: _Track, stops: Integers, search_start: int, steps_per_bar: int) -> _Candidate | None:
    """The notes from a step on until a gap; None if no note is heard any more.

    Args:
      track: the track.
      stops: the notes, of those that are heard, before which a run may end.
      search_start: the step.
      steps_per_bar: steps in a bar.
    """
    position = int(np.searchsorted(track.starts, search_start))
    first = int(np.searchsorted(track.heard, position))
    if first == len(track.heard):
        return None
    # The bar is that of the first note, heard or not, as in note_seq.
    first_start = int(track.starts[position])
    start_step = first_start - (first_start - search_start) % steps_per_bar
    if track.is_backwards[first]:
        return _Candidate(start_step, slice(first, first), ("bad-note", int(track.start[first])))
    later = stops[np.searchsorted(stops, first, side="right") :]
    if not len(later):
        return _Candidate(start_step, slice(first, len(track.heard)), None)
    stop = int(later[0])
    error = None
    if track.is_together[stop]:
        error = ("polyphonic", int(track.start[stop]))
    elif not track.is_after_gap[stop]:
        error = ("bad-note", int(track.start[stop]))
    return _Candidate(start_step, slice(first, stop), error)


def _events(track: _Track, candidate: _Candidate, num_steps: int) -> Events:
    """The first `num_steps` events of a candidate, whose notes end where the next one starts."""
    start = track.start[candidate.notes] - candidate.start_step
    end = track.end[candidate.notes] - candidate.start_step
    end[:-1] = np.minimum(end[:-1], start[1:])
    inside = slice(int(np.searchsorted(start, num_steps)))
    events = np.full(num_steps + 1, NO_EVENT, np.int64)
    # Ends go in first, so that a note's start replaces the end of the one before where they touch.
    events[np.minimum(end[inside], num_steps)] = NOTE_OFF
    events[start[inside]] = track.pitch[candidate.notes][inside]
    return events[:num_steps]

"""Melodies out of the tracks of a piece, exactly as Magenta extracts them.

Magenta's rules are in `magenta.pipelines.melody_pipelines.extract_melodies` and
`note_seq.Melody.from_quantized_sequence`. Its thresholds are parameters here, and whatever is not used is returned with
the reason.
"""

import dataclasses
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from etude.models.errors import UsageError
from etude.models.melodies.melody import MAX_STEPS_PER_QUARTER, NO_EVENT, NOTE_OFF, PITCHES_PER_OCTAVE, Events
from etude.models.melodies.quantisation import (
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
            "min_bars": (0, MOST_BARS),
            "max_steps": (0, MAX_WHOLE_MELODY_STEPS),
            # Pitches without their octave.
            "min_unique_pitches": (0, PITCHES_PER_OCTAVE),
            "gap_bars": (0, MOST_BARS),
        }
        for name, (lowest, highest) in ranges.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise UsageError(f"--{name.replace('_', '-')} must be from {lowest} to {highest}, not {value}")
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


def extract(sequence: "NoteSequence", options: ExtractionOptions = MAGENTA_OPTIONS) -> Extraction:
    """Extracts every melody of a piece.

    Args:
      sequence: an unquantised NoteSequence.
      options: what makes a melody.

    Returns:
      The melodies and the rejections. Never raises for a strange piece: that is a rejection.
    """
    result = Extraction([], [])
    try:
        parts = split_at_time_changes(sequence)
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
        track = _track(part, instrument, options.polyphony)
        if not any(note.is_audible for note in track):
            reason = "drums" if part.is_drum[part.instrument == instrument].any() else "no-audible-notes"
            result.rejections.append(Rejection(reason, part=part_index, instrument=instrument))
            continue
        _extract_from_track(track, instrument, part.steps_per_bar, options, part_index, result)
    return result


class _Note(NamedTuple):
    start: int
    end: int
    pitch: int
    is_audible: bool


class _Candidate(NamedTuple):
    """A run of notes that ends at a gap, a polyphonic spot or the end of the track.

    Attributes:
      start_step: the start of the bar that the first note lies in.
      notes: the notes, each cut where the next one starts.
      error: what ended the track, or None: the candidate is then not used.
    """

    start_step: int
    notes: list[_Note]
    error: tuple[str, int] | None


def _track(part: QuantisedPart, instrument: int, polyphony: str) -> list[_Note]:
    """The notes of one track, in the order in which they compete for a step."""
    chosen: Integers = np.flatnonzero(part.instrument == instrument)
    starts = part.start_step[chosen]
    by_pitch = np.zeros_like(starts) if polyphony == SKIP_LATER else -part.pitch[chosen]
    chosen = chosen[np.lexsort((by_pitch, starts))]
    return list(
        map(
            _Note._make,
            zip(
                part.start_step[chosen].tolist(),
                part.end_step[chosen].tolist(),
                part.pitch[chosen].tolist(),
                part.is_audible[chosen].tolist(),
                strict=True,
            ),
        )
    )


def _extract_from_track(
    track: list[_Note],
    instrument: int,
    steps_per_bar: int,
    options: ExtractionOptions,
    part_index: int,
    result: Extraction,
) -> None:
    """Adds a track's melodies and rejections to `result`."""

    def reject(reason: str, detail: str, start_step: int) -> None:
        result.rejections.append(Rejection(reason, detail, part_index, instrument, start_step))

    position = 0
    search_start = 0
    while True:
        while position < len(track) and track[position].start < search_start:
            position += 1
        candidate = _next_candidate(track, position, search_start, steps_per_bar, options)
        if candidate is None:
            return
        if candidate.error is not None:
            reason, step = candidate.error
            reject(reason, f"at step {step}", step)
            return
        length = candidate.notes[-1].end - candidate.start_step
        end = candidate.start_step + length
        search_start = end + -end % steps_per_bar
        if length < steps_per_bar * options.min_bars:
            reject("too-short", f"{length / steps_per_bar:.4g} bars of {options.min_bars:g}", candidate.start_step)
            continue
        if not options.max_steps and length > MAX_WHOLE_MELODY_STEPS:
            reject("too-long", f"{length} steps, at most {MAX_WHOLE_MELODY_STEPS}", candidate.start_step)
            continue
        events = _events(candidate, min(length, options.max_steps or length))
        unique_pitches = len(np.unique(events[events >= 0] % PITCHES_PER_OCTAVE))
        if unique_pitches < options.min_unique_pitches:
            reject("too-few-pitches", f"{unique_pitches} of {options.min_unique_pitches}", candidate.start_step)
            continue
        result.melodies.append(
            ExtractedMelody(events, instrument, part_index, candidate.start_step, steps_per_bar, length)
        )


def _next_candidate(
    track: list[_Note], position: int, search_start: int, steps_per_bar: int, options: ExtractionOptions
) -> _Candidate | None:
    """Reads notes from `position` on until a gap; None if no audible note is left."""
    if position >= len(track):
        return None
    # The bar is that of the first note, heard or not, as in note_seq.
    first_start = track[position].start
    start_step = first_start - (first_start - search_start) % steps_per_bar
    gap_steps = options.gap_bars * steps_per_bar
    notes: list[_Note] = []
    for note in track[position:]:
        if not note.is_audible:
            continue
        if notes:
            last = notes[-1]
            if note.start == last.start:
                if options.polyphony == REJECT:
                    return _Candidate(start_step, notes, ("polyphonic", note.start))
                continue
            if note.start - last.end >= gap_steps:
                break
            if last.end > note.start:
                notes[-1] = last._replace(end=note.start)
        if note.end <= note.start:
            return _Candidate(start_step, notes, ("bad-note", note.start))
        notes.append(note)
    return _Candidate(start_step, notes, None) if notes else None


def _events(candidate: _Candidate, num_steps: int) -> Events:
    """The first `num_steps` events of a candidate."""
    events = np.full(num_steps + 1, NO_EVENT, np.int64)
    for note in candidate.notes:
        start = note.start - candidate.start_step
        if start >= num_steps:
            break
        # A note's end goes in first, so that the next note's start replaces it where they touch.
        events[min(note.end - candidate.start_step, num_steps)] = NOTE_OFF
        events[start] = note.pitch
    return events[:num_steps]

"""Pieces cut where tempo or metre changes, and their notes put on a grid of steps.

The rules are those of `note_seq.sequences_lib` (`split_note_sequence_on_time_changes`, `quantize_note_sequence`), which
Magenta's melody pipelines call in this order, so that the steps come out exactly the same.
"""

import dataclasses
import itertools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import MAX_PITCH, MIN_PITCH
from etude.models.melodies.note_columns import NoteColumns, note_columns

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

DEFAULT_QUARTERS_PER_MINUTE = 120.0
DEFAULT_NUMERATOR = 4
DEFAULT_DENOMINATOR = 4
MAX_STEP = 1 << 40
"""A note that starts later is taken for a damaged time: at the usual tempo this is four thousand years."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


class UnusableError(Exception):
    """A piece or a part that cannot be quantised.

    Attributes:
      reason: a name out of `etude.pipelines.reasons`.
      detail: the values that are at fault.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A part of a piece with one tempo and one metre, its notes in order of their start.

    Attributes:
      numerator: beats in a bar.
      denominator: the note value of a beat.
      quarters_per_minute: tempo.
      start: seconds from the start of the part, [num_notes].
      end: seconds from the start of the part, [num_notes].
      pitch: MIDI pitches, [num_notes].
      instrument: the track that each note belongs to, [num_notes].
      is_audible: False for drums and for notes of velocity 0, [num_notes].
      is_drum: [num_notes].
    """

    numerator: int
    denominator: int
    quarters_per_minute: float
    start: Floats
    end: Floats
    pitch: Integers
    instrument: Integers
    is_audible: Booleans
    is_drum: Booleans


@dataclasses.dataclass(frozen=True, eq=False)
class QuantisedPart:
    """A part on the grid.

    Attributes:
      steps_per_quarter: steps in a quarter note.
      steps_per_bar: steps in a bar.
      start_step: step at which each note starts, [num_notes].
      end_step: step at which each note ends, [num_notes].
      pitch: MIDI pitches, [num_notes].
      instrument: the track that each note belongs to, [num_notes].
      is_audible: False for drums and for notes of velocity 0, [num_notes].
      is_drum: [num_notes].
    """

    steps_per_quarter: int
    steps_per_bar: int
    start_step: Integers
    end_step: Integers
    pitch: Integers
    instrument: Integers
    is_audible: Booleans
    is_drum: Booleans


def split_at_time_changes(sequence: "NoteSequence", columns: NoteColumns | None = None) -> list[Part]:
    """Cuts a piece at every change of tempo or metre.

    Each part starts anew at time 0. A note belongs to the part that it starts in and ends with it at the latest.
    Stretches without a note are left in, so that parts keep their numbers. Source:
    `note_seq.sequences_lib.split_note_sequence_on_time_changes`.

    Args:
      sequence: an unquantised NoteSequence.
      columns: its notes, if they are there as arrays already.

    Returns:
      The parts, in order; none if the piece has no length.

    Raises:
      UnusableError: if the piece is quantised already or a time is not a number.
    """
    information = sequence.quantization_info
    if information.steps_per_quarter > 0 or information.steps_per_second > 0:
        raise UnusableError("already-quantised", "times in steps cannot be quantised again")
    notes = (note_columns(sequence) if columns is None else columns).by_start()
    start, end = notes.start, notes.end
    is_audible = ~notes.is_drum & (notes.velocity != 0)
    changes = _time_changes(sequence)
    times = [sequence.total_time, *(time for time, _, _ in changes)]
    tempos = [qpm for _, _, qpm in changes if qpm is not None]
    if not all(np.isfinite(values).all() for values in (start, end, times, tempos)):
        raise UnusableError("bad-time", "a time or a tempo is not a finite number")

    boundaries, settings = _split_times(changes, sequence.total_time)
    parts = []
    for begin, finish, (numerator, denominator, qpm) in zip(boundaries[:-1], boundaries[1:], settings, strict=True):
        inside = slice(int(np.searchsorted(start, begin)), int(np.searchsorted(start, finish)))
        parts.append(
            Part(
                numerator=numerator,
                denominator=denominator,
                quarters_per_minute=qpm,
                start=start[inside] - begin,
                end=np.minimum(end[inside], finish) - begin,
                pitch=notes.pitch[inside],
                instrument=notes.instrument[inside],
                is_audible=is_audible[inside],
                is_drum=notes.is_drum[inside],
            )
        )
    return parts


def part_times(sequence: "NoteSequence") -> list[tuple[float, float]]:
    """Where the parts of `split_at_time_changes` start and end, in seconds."""
    return list(itertools.pairwise(_split_times(_time_changes(sequence), sequence.total_time)[0]))


_Setting = tuple[int, int, float]
"""Numerator, denominator, quarters a minute."""


def _time_changes(sequence: "NoteSequence") -> list[tuple[float, tuple[int, int] | None, float | None]]:
    """(time, metre or None, tempo or None) in order of time; metres before tempos where they coincide."""
    metres = [(float(event.time), (event.numerator, event.denominator), None) for event in sequence.time_signatures]
    tempos = [(float(event.time), None, float(event.qpm)) for event in sequence.tempos]
    return sorted([*metres, *tempos], key=lambda change: change[0])


def _split_times(
    changes: list[tuple[float, tuple[int, int] | None, float | None]], total_time: float
) -> tuple[list[float], list[_Setting]]:
    """The times between which parts lie, and each part's metre and tempo."""
    setting: _Setting = (DEFAULT_NUMERATOR, DEFAULT_DENOMINATOR, DEFAULT_QUARTERS_PER_MINUTE)
    boundaries = [0.0]
    settings: list[_Setting] = []
    for time, metre, tempo in changes:
        if time >= total_time:
            break
        changed: _Setting = (*(metre or setting[:2]), setting[2] if tempo is None else tempo)
        if changed == setting:
            continue
        if time > boundaries[-1]:
            boundaries.append(time)
            settings.append(setting)
        setting = changed
    if total_time > boundaries[-1]:
        boundaries.append(total_time)
        settings.append(setting)
    return boundaries, settings


def quantise(part: Part, steps_per_quarter: int) -> QuantisedPart:
    """Moves notes to the nearest step; none is shorter than one step.

    Source: `note_seq.sequences_lib.quantize_note_sequence`, with its cut-off of one half.

    Args:
      part: the part.
      steps_per_quarter: steps in a quarter note, at least 1.

    Raises:
      UnusableError: if the metre is no metre or its bar is not a whole number of steps, if a note lies before time 0, or if
        a pitch is outside 0 to 127.
    """
    metre = f"{part.numerator}/{part.denominator}"
    if part.numerator <= 0 or part.denominator <= 0 or part.denominator & (part.denominator - 1):
        raise UnusableError("bad-time-signature", metre)
    steps_per_bar = steps_per_quarter * (4.0 / part.denominator * part.numerator)
    if steps_per_bar % 1:
        raise UnusableError("non-integer-steps-per-bar", f"{steps_per_bar:g} steps in a bar of {metre}")
    start = steps_of(part.start, part.quarters_per_minute, steps_per_quarter)
    end = steps_of(part.end, part.quarters_per_minute, steps_per_quarter)
    end = np.where(end == start, end + 1, end)
    if (start < 0).any() or (end < 0).any():
        raise UnusableError("negative-time", f"a note starts at step {start.min():.0f}")
    if not (start <= MAX_STEP).all() or not (end <= MAX_STEP).all():
        raise UnusableError("bad-time", f"a note ends at step {end.max():.0f}")
    outside = (part.pitch[~part.is_drum] < MIN_PITCH) | (part.pitch[~part.is_drum] > MAX_PITCH)
    if outside.any():
        raise UnusableError("pitch-out-of-range", f"pitch {part.pitch[~part.is_drum][outside][0]}")
    return QuantisedPart(
        steps_per_quarter=steps_per_quarter,
        steps_per_bar=int(steps_per_bar),
        start_step=start.astype(np.int64),
        end_step=end.astype(np.int64),
        pitch=part.pitch,
        instrument=part.instrument,
        is_audible=part.is_audible,
        is_drum=part.is_drum,
    )


def steps_of(seconds: Floats, quarters_per_minute: float, steps_per_quarter: int) -> Floats:
    """The nearest step to each time, the later one of two; whole numbers."""
    steps_per_second = steps_per_quarter * quarters_per_minute / 60.0
    return np.trunc(seconds * steps_per_second + 0.5)

"""The notes of a NoteSequence as arrays: message by message they take much longer to read than to compute with."""

import operator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

_fields = operator.attrgetter("start_time", "end_time", "pitch", "instrument", "velocity", "is_drum")
_ROW = np.dtype(
    [("start", "f8"), ("end", "f8"), ("pitch", "i8"), ("instrument", "i8"), ("velocity", "i8"), ("drum", "?")]
)


class NoteColumns(NamedTuple):
    """The notes of a piece, in the order in which it has them; each array is [num_notes].

    Attributes:
      start: seconds.
      end: seconds.
      pitch: MIDI pitches.
      instrument: the track that each note belongs to.
      velocity: MIDI velocities.
      is_drum: whether it is a drum.
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.int64]
    instrument: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    is_drum: npt.NDArray[np.bool_]

    def by_start(self) -> "NoteColumns":
        """The notes in order of their start; those that start together stay in theirs."""
        if not (np.diff(self.start) < 0).any():
            return self
        return self.take(np.argsort(self.start, kind="stable"))

    def take(self, chosen: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "NoteColumns":
        """The notes at some places, or where something holds."""
        return NoteColumns(
            start=self.start[chosen],
            end=self.end[chosen],
            pitch=self.pitch[chosen],
            instrument=self.instrument[chosen],
            velocity=self.velocity[chosen],
            is_drum=self.is_drum[chosen],
        )


def note_columns(sequence: "NoteSequence") -> NoteColumns:
    """The notes of a piece."""
    rows = np.fromiter(map(_fields, sequence.notes), _ROW, len(sequence.notes))
    return NoteColumns(*(np.ascontiguousarray(rows[name]) for name in _ROW.names or ()))

"""What a piece is apart from its key, its tempo and when it starts: the notes of its tracks."""

import hashlib

import numpy as np
import numpy.typing as npt

from etude.models.melodies.note_columns import NoteColumns
from etude.models.melodies.tempo_map import steps_by_tempos
from etude.pipelines.readers.note_sequences import NoteSequence

STEPS_PER_QUARTER = 4
"""A sixteenth grid: two performances of one score are copies, too."""

CONTENT_BYTES = 16
_MAX_STEP = 1 << 40


def track_contents(sequence: NoteSequence, notes: NoteColumns) -> tuple[bytes, ...]:
    """A hash of the notes of every track: intervals, distances and durations on a grid of sixteenths.

    Copies of a piece, in any key and tempo, and whatever silence comes first, have the same.

    Args:
      sequence: a piece with times in seconds.
      notes: its notes.

    Returns:
      16 bytes a track, sorted, each once; none for a piece without notes or without sensible times.
    """
    if not len(notes.start):
        return ()
    steps = steps_by_tempos(sequence, np.stack([notes.start, notes.end]), STEPS_PER_QUARTER)
    if not (np.abs(steps) <= _MAX_STEP).all():  # neither is what is no number
        return ()
    if (notes.instrument == notes.instrument[0]).all():
        return (_content(steps, notes.pitch),)
    tracks = [np.flatnonzero(notes.instrument == instrument) for instrument in np.unique(notes.instrument)]
    return tuple(sorted({_content(steps[:, track], notes.pitch[track]) for track in tracks}))


def _content(steps: npt.NDArray[np.float64], pitches: npt.NDArray[np.int64]) -> bytes:
    """The hash of one track: the steps at which its notes start and end, [2, num_notes], and their pitches."""
    start, end = steps - steps[0].min()
    onset = np.floor(start + 0.5)
    duration = np.maximum(np.floor(end + 0.5) - onset, 1)
    rows = np.stack([pitches, onset, duration]).astype("<i8")
    if (rows[1, 1:] <= rows[1, :-1]).any():
        # Notes that start together are ordered by pitch.
        rows = rows[:, np.lexsort((rows[2], rows[0], rows[1]))]
    rows[:2, 1:] = np.diff(rows[:2])
    rows[:2, 0] = 0
    return hashlib.sha256(rows.tobytes()).digest()[:CONTENT_BYTES]

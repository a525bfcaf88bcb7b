"""What a piece is apart from its key, its tempo and when it starts: the notes of its tracks."""

import hashlib

import numpy as np
import numpy.typing as npt

from etude.pipelines.readers.note_sequences import NoteSequence

STEPS_PER_QUARTER = 4
"""A sixteenth grid: two performances of one score are copies, too."""

CONTENT_BYTES = 16
_DEFAULT_QPM = 120.0
_MAX_STEP = 1 << 40


def track_contents(sequence: NoteSequence) -> tuple[bytes, ...]:
    """A hash of the notes of every track: intervals, distances and durations on a grid of sixteenths.

    Copies of a piece, in any key and tempo, and whatever silence comes first, have the same.

    Args:
      sequence: a piece with times in seconds.

    Returns:
      16 bytes a track, sorted, each once; none for a piece without notes or without sensible times.
    """
    notes = sequence.notes
    if not notes:
        return ()
    instruments = np.array([note.instrument for note in notes])
    pitches = np.array([note.pitch for note in notes])
    starts = np.array([note.start_time for note in notes])
    ends = np.array([note.end_time for note in notes])
    steps = _steps(sequence, np.stack([starts, ends]))
    if not np.isfinite(steps).all() or np.abs(steps).max() > _MAX_STEP:
        return ()
    contents = set()
    for instrument in set(instruments.tolist()):
        mine = np.flatnonzero(instruments == instrument)
        start, end = steps[:, mine] - steps[0, mine].min()
        onset = np.floor(start + 0.5)
        duration = np.maximum(np.floor(end + 0.5) - onset, 1)
        # Notes that start together are ordered by pitch.
        order = np.lexsort((duration, pitches[mine], onset))
        rows = np.stack([pitches[mine][order], onset[order], duration[order]])
        rows[:2, 1:] -= rows[:2, :-1].copy()
        rows[:2, 0] = 0
        contents.add(hashlib.sha256(rows.astype("<i8").tobytes()).digest()[:CONTENT_BYTES])
    return tuple(sorted(contents))


def _steps(sequence: NoteSequence, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Times in steps, by the tempos of a piece."""
    changes = {0.0: _DEFAULT_QPM} | {
        tempo.time: tempo.qpm for tempo in sequence.tempos if tempo.time >= 0 and 0 < tempo.qpm < np.inf
    }
    times = np.array(sorted(changes))
    rates = np.array([changes[time] for time in times]) * (STEPS_PER_QUARTER / 60)
    reached = np.concatenate([[0.0], np.cumsum(np.diff(times) * rates[:-1])])
    at = np.maximum(np.searchsorted(times, seconds, side="right") - 1, 0)
    return reached[at] + (seconds - times[at]) * rates[at]

"""Times in steps, through every change of tempo."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from etude.models.melodies.quantisation import DEFAULT_QUARTERS_PER_MINUTE

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence


def steps_by_tempos(
    sequence: "NoteSequence", seconds: npt.NDArray[np.float64], steps_per_quarter: int
) -> npt.NDArray[np.float64]:
    """Times in steps, by the tempos of a piece: not rounded, of the shape of `seconds`.

    Args:
      sequence: the piece, with times in seconds; without a tempo it has 120 quarter notes a minute.
      seconds: any times in it.
      steps_per_quarter: steps in a quarter note.
    """
    changes = {0.0: DEFAULT_QUARTERS_PER_MINUTE} | {
        tempo.time: tempo.qpm for tempo in sequence.tempos if tempo.time >= 0 and 0 < tempo.qpm < np.inf
    }
    if len(changes) == 1:
        return seconds * (changes[0.0] * (steps_per_quarter / 60))
    times = np.array(sorted(changes))
    rates = np.array([changes[time] for time in times]) * (steps_per_quarter / 60)
    reached = np.concatenate([[0.0], np.cumsum(np.diff(times) * rates[:-1])])
    at = np.maximum(np.searchsorted(times, seconds, side="right") - 1, 0)
    steps: npt.NDArray[np.float64] = reached[at] + (seconds - times[at]) * rates[at]
    return steps

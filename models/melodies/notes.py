"""The notes of a melody: where each starts, its pitch, how long it lasts."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import MIN_PITCH, NOTE_OFF, Events


class Notes(NamedTuple):
    """The notes of a melody, in order.

    Attributes:
      onsets: the step at which each note starts, [num_notes].
      pitches: [num_notes].
      durations: steps until each note ends, [num_notes].
    """

    onsets: npt.NDArray[np.int64]
    pitches: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]


def notes_of(events: Events) -> Notes:
    """The notes of a melody. A note ends at the next note-on or note-off, or with the melody."""
    onsets = np.flatnonzero(events >= MIN_PITCH)
    changes = np.append(np.flatnonzero(events >= NOTE_OFF), len(events))
    ends = changes[np.searchsorted(changes, onsets, side="right")]
    return Notes(onsets, events[onsets], ends - onsets)

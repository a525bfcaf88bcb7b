"""The notes of a melody: where each starts, its pitch, how long it lasts."""

import numpy as np

from etude.models.melodies.melody import MIN_PITCH, NOTE_OFF, Events
from etude.models.sequences.notes import Notes


def notes_of(events: Events) -> Notes:
    """The notes of a melody. A note ends at the next note-on or note-off, or with the melody."""
    onsets = np.flatnonzero(events >= MIN_PITCH)
    changes = np.append(np.flatnonzero(events >= NOTE_OFF), len(events))
    ends = changes[np.searchsorted(changes, onsets, side="right")]
    return Notes(onsets, events[onsets], ends - onsets)

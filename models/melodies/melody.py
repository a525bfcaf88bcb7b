"""Melodies as arrays of events.

A melody has one event a step (a sixteenth note by default): -2 is no event (whatever sounds goes on), -1 is note-off,
0 to 127 is note-on of that MIDI pitch. The rules are those of `note_seq.Melody`, which Magenta's models were built on.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

NO_EVENT = -2
NOTE_OFF = -1
MIN_PITCH = 0
MAX_PITCH = 127
PITCHES_PER_OCTAVE = 12
DEFAULT_STEPS_PER_QUARTER = 4
"""Magenta's: sixteenth notes."""

MAX_STEPS_PER_QUARTER = 960

MAGENTA_STEPS_PER_BAR = 16
"""What Magenta takes for a bar, whatever the metre and the steps per quarter note."""

STEPS_PER_BAR = "steps_per_bar"
"""The attribute under which a batch holds the metre of its melodies."""

STEPS_PER_QUARTER = "steps_per_quarter"
"""The attribute that tells their steps in a quarter note, where it is told."""

Events = npt.NDArray[np.int64]

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)

IS_IN_KEY = np.array(
    [[(pitch_class - key) % PITCHES_PER_OCTAVE in MAJOR_SCALE for key in range(12)] for pitch_class in range(12)],
    dtype=np.int64,
)
"""[12 pitch classes, 12 major keys]: 1 where the pitch class belongs to the key."""


@dataclasses.dataclass(frozen=True)
class Melody:
    """A melody and where it came from.

    Attributes:
      events: int64 [num_steps], each -2 (no event), -1 (note-off) or 0 to 127 (note-on).
      id: a name that is unique in its dataset and the same in every run.
      source: the file (and tune) that it was extracted from.
      steps_per_quarter: steps in a quarter note.
      steps_per_bar: steps in a bar of its metre.
      transposition: semitones by which it was moved from its source to enlarge a training set.
      columns: what else is known of each step, by name, such as the chord under it: [num_steps] each.
    """

    events: Events
    id: str = ""
    source: str = ""
    steps_per_quarter: int = DEFAULT_STEPS_PER_QUARTER
    steps_per_bar: int = 4 * DEFAULT_STEPS_PER_QUARTER
    transposition: int = 0
    columns: Mapping[str, Events] = dataclasses.field(default_factory=dict)


def metres(steps_per_bar: npt.ArrayLike) -> dict[str, npt.NDArray[np.int64]]:
    """The attributes of a batch of melodies with so many steps in a bar: one number for each, or one for one melody."""
    return {STEPS_PER_BAR: np.atleast_1d(np.asarray(steps_per_bar, dtype=np.int64))}


def as_events(events: npt.ArrayLike) -> Events:
    """Checks a list of events and puts it in canonical form.

    Note-offs before the first note-on become "no event", as in `note_seq.Melody`.

    Args:
      events: integers in [-2, 127], of shape [num_steps].

    Returns:
      A new int64 array [num_steps].

    Raises:
      ValueError: if an event is not an integer in [-2, 127]; the message gives the event and its position.
    """
    array = np.array(events)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"a melody is a flat list of integers, not {events!r}")
    invalid = np.flatnonzero((array < NO_EVENT) | (array > MAX_PITCH))
    if invalid.size:
        position = int(invalid[0])
        raise ValueError(f"event {array[position]} at step {position} is outside [{NO_EVENT}, {MAX_PITCH}]")
    array = array.astype(np.int64)
    notes = np.flatnonzero(array >= MIN_PITCH)
    first_note = int(notes[0]) if notes.size else len(array)
    array[:first_note] = NO_EVENT
    return array


def transpose(events: Events, semitones: int, min_note: int = MIN_PITCH, max_note: int = MAX_PITCH + 1) -> Events:
    """Moves every note by `semitones`, then by octaves into [min_note, max_note). Source: `Melody.transpose`."""
    moved = events + semitones
    moved = np.where(moved < min_note, min_note + (moved - min_note) % PITCHES_PER_OCTAVE, moved)
    highest_octave = max_note - PITCHES_PER_OCTAVE
    moved = np.where(moved >= max_note, highest_octave + (moved - max_note) % PITCHES_PER_OCTAVE, moved)
    return np.where(events >= MIN_PITCH, moved, events)


def pitch_class_counts(events: Events) -> npt.NDArray[np.int64]:
    """Note-ons of each pitch class, C first: int64 [12]. Source: `Melody.get_note_histogram`."""
    return np.bincount(events[events >= MIN_PITCH] % PITCHES_PER_OCTAVE, minlength=PITCHES_PER_OCTAVE)


def major_key(events: Events) -> int:
    """The major key that holds most notes, the lowest on a tie: 0 (C) to 11 (B). Source: `Melody.get_major_key`."""
    return int(np.argmax(pitch_class_counts(events) @ IS_IN_KEY))


def squash(events: Events, min_note: int, max_note: int, transpose_to_key: int | None) -> tuple[Events, int]:
    """Brings a melody into a model's key and range. Source: `Melody.squash`.

    Args:
      events: [num_steps].
      min_note: lowest pitch of the model's range.
      max_note: the pitch above the highest of the model's range.
      transpose_to_key: the major key to transpose into (0 is C), or None to keep the key and only fold octaves.

    Returns:
      The events in the model's key and range, and by how many semitones the melody was transposed before notes
      outside the range were folded into it.
    """
    semitones = 0
    if transpose_to_key is not None:
        pitches = events[events >= MIN_PITCH]
        if not pitches.size:
            return events.copy(), 0
        key_difference = transpose_to_key - major_key(events)
        melody_centre = (int(pitches.min()) + int(pitches.max())) / 2
        range_centre = (min_note + max_note - 1) / 2
        octaves = round((range_centre - (melody_centre + key_difference)) / PITCHES_PER_OCTAVE)
        semitones = key_difference + PITCHES_PER_OCTAVE * octaves
    return transpose(events, semitones, min_note, max_note), semitones

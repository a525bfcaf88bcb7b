"""What melodies are like as music: the measures of Yang and Lerch, and a few more, for all melodies of a set at once.

Source: Yang and Lerch 2018, "On the evaluation of generative models in music". Transition matrices are divided by their
sum here, so that long melodies are not far from short ones for their length alone.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import IS_IN_KEY, PITCHES_PER_OCTAVE, Events
from etude.models.melodies.notes import notes_of
from etude.pipelines.comparison.breakdowns import bars_seen_before
from etude.pipelines.rendering.music import beat

Values = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

NOTE_LENGTHS = np.array([16, 8, 4, 2, 1, 12, 6, 3, 1.5, 16 / 3, 8 / 3, 4 / 3])
"""The twelve note lengths of Yang and Lerch, in sixteenths: whole to sixteenth, the same dotted, and triplets."""

SCALARS = {
    "pitch_count": "Different pitches",
    "pitch_range": "Range, semitones",
    "average_interval": "Average interval, semitones",
    "note_count": "Notes",
    "average_inter_onset_interval": "Average time between notes, steps",
    "notes_per_bar": "Notes a bar",
    "in_one_key": "Notes in the best major key",
    "on_the_beat": "Notes on a beat",
    "repeated_bars": "Bars like an earlier one",
}
"""Measures of one number a melody, and what they are called."""

VECTORS = {
    "pitch_class_histogram": "Pitch classes",
    "pitch_class_transitions": "Pitch class transitions",
    "note_length_histogram": "Note lengths",
    "note_length_transitions": "Note length transitions",
}
"""Measures of many numbers a melody."""

YANG_AND_LERCH = (
    "pitch_count",
    "pitch_class_histogram",
    "pitch_class_transitions",
    "pitch_range",
    "average_interval",
    "note_count",
    "average_inter_onset_interval",
    "note_length_histogram",
    "note_length_transitions",
)


@dataclasses.dataclass(frozen=True)
class NoteTable:
    """The notes of many melodies end to end.

    Attributes:
      melody: which melody each note is in, [notes].
      onset: the step that it starts at, [notes].
      pitch: [notes].
      duration: in steps, [notes].
      num_steps: of each melody, [melodies].
      steps_per_bar: of each melody, [melodies].
    """

    melody: Whole
    onset: Whole
    pitch: Whole
    duration: Whole
    num_steps: Whole
    steps_per_bar: Whole

    @classmethod
    def of(cls, melodies: Sequence[Events], steps_per_bar: Sequence[int]) -> "NoteTable":
        """Collects the notes of melodies."""
        notes = [notes_of(events) for events in melodies]
        counts = [len(note.onsets) for note in notes]
        nothing = [np.zeros(0, np.int64)]
        return cls(
            melody=np.repeat(np.arange(len(melodies)), counts),
            onset=np.concatenate(nothing + [note.onsets for note in notes]),
            pitch=np.concatenate(nothing + [note.pitches for note in notes]),
            duration=np.concatenate(nothing + [note.durations for note in notes]),
            num_steps=np.array([len(events) for events in melodies], dtype=np.int64),
            steps_per_bar=np.array(steps_per_bar, dtype=np.int64),
        )

    def __len__(self) -> int:
        """Number of melodies."""
        return len(self.num_steps)

    @property
    def num_notes(self) -> Whole:
        """Notes of each melody."""
        return np.bincount(self.melody, minlength=len(self))

    @property
    def follows(self) -> Whole:
        """The notes that have one before them in their melody."""
        return np.flatnonzero(self.melody[1:] == self.melody[:-1]) + 1


def measure_melodies(
    melodies: Sequence[Events], steps_per_bar: Sequence[int], steps_per_quarter: int
) -> dict[str, Values]:
    """All measures of every melody.

    Args:
      melodies: events of each.
      steps_per_bar: of each.
      steps_per_quarter: of all.

    Returns:
      By name: [melodies] for those in `SCALARS`, [melodies, size] for those in `VECTORS`. A melody of fewer notes than
      a measure needs has 0.
    """
    notes = NoteTable.of(melodies, steps_per_bar)
    lengths = note_length_classes(notes.duration, steps_per_quarter)
    pitch_classes = notes.pitch % PITCHES_PER_OCTAVE
    num_bars = np.maximum(notes.num_steps / np.maximum(notes.steps_per_bar, 1), 1e-9)
    histogram = _histogram(notes, pitch_classes, PITCHES_PER_OCTAVE)
    beats = np.array([beat(steps, steps_per_quarter) for steps in steps_per_bar], np.int64)[notes.melody]
    position = notes.onset % notes.steps_per_bar[notes.melody]
    return {
        "pitch_count": _different_pitches(notes),
        "pitch_range": _range(notes),
        "average_interval": _mean_difference(notes, np.abs(np.diff(notes.pitch, prepend=0))),
        "note_count": notes.num_notes.astype(np.float64),
        "average_inter_onset_interval": _mean_difference(notes, np.diff(notes.onset, prepend=0)),
        "notes_per_bar": notes.num_notes / num_bars,
        "in_one_key": (histogram @ IS_IN_KEY).max(axis=1),
        "on_the_beat": _mean(notes, position % beats == 0),
        "repeated_bars": _repeated_bars(melodies, steps_per_bar),
        "pitch_class_histogram": histogram,
        "pitch_class_transitions": _transitions(notes, pitch_classes, PITCHES_PER_OCTAVE),
        "note_length_histogram": _histogram(notes, lengths, len(NOTE_LENGTHS)),
        "note_length_transitions": _transitions(notes, lengths, len(NOTE_LENGTHS)),
    }


def note_length_classes(durations: Whole, steps_per_quarter: int) -> Whole:
    """The closest of `NOTE_LENGTHS` for each duration in steps, the first of two as close."""
    # In 24ths of a step, where all are whole numbers: two as close must not be told apart by a rounding error.
    lengths = np.rint(6 * steps_per_quarter * NOTE_LENGTHS).astype(np.int64)
    return np.abs(24 * durations[:, None] - lengths).argmin(axis=1)


def _different_pitches(notes: NoteTable) -> Values:
    pairs = np.unique(notes.melody * 128 + notes.pitch)
    return np.bincount(pairs // 128, minlength=len(notes)).astype(np.float64)


def _range(notes: NoteTable) -> Values:
    low, high = np.full(len(notes), 127), np.zeros(len(notes), np.int64)
    np.minimum.at(low, notes.melody, notes.pitch)
    np.maximum.at(high, notes.melody, notes.pitch)
    return np.maximum(high - low, 0).astype(np.float64)


def _mean(notes: NoteTable, values: npt.NDArray[np.generic]) -> Values:
    """The mean over the notes of each melody."""
    sums = np.bincount(notes.melody, weights=values.astype(np.float64), minlength=len(notes))
    return sums / np.maximum(notes.num_notes, 1)


def _mean_difference(notes: NoteTable, differences: Whole) -> Values:
    """The mean over the notes of each melody but its first."""
    later = notes.follows
    sums = np.bincount(notes.melody[later], weights=differences[later].astype(np.float64), minlength=len(notes))
    return sums / np.maximum(notes.num_notes - 1, 1)


def _histogram(notes: NoteTable, classes: Whole, size: int) -> Values:
    """Shares of the classes among the notes of each melody, [melodies, size]."""
    counts = np.bincount(notes.melody * size + classes, minlength=len(notes) * size).reshape(len(notes), size)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _transitions(notes: NoteTable, classes: Whole, size: int) -> Values:
    """Shares of pairs (class, class of the next note) in each melody, [melodies, size * size]."""
    later = notes.follows
    cells = (notes.melody[later] * size + classes[later - 1]) * size + classes[later]
    counts = np.bincount(cells, minlength=len(notes) * size * size).reshape(len(notes), size * size)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _repeated_bars(melodies: Sequence[Events], steps_per_bar: Sequence[int]) -> Values:
    shares = []
    for events, bar in zip(melodies, steps_per_bar, strict=True):
        whole = events[: len(events) // bar * bar]
        shares.append(float(bars_seen_before(whole, bar).mean()) if len(whole) else 0.0)
    return np.array(shares)

"""The attention encoding: the sounding note, direction, repeats, time and key.

Source: `KeyMelodyEncoderDecoder` of note-seq. With 36 pitches and two distances an input has 74 numbers:

  [0, 36)   1 at the pitch that sounds
  36, 37    a note sounds; silence
  38        the sounding note begins at this step
  39        1 if the melody last went up, -1 if down, 0 before it has moved
  [40, 42)  for each distance, 1 if the current event is a repeat
  [42, 49)  the number of the next step in binary, lowest bit first, as 1 and -1
  49        the next step begins a bar
  [50, 62)  1 at every major key that holds most of the notes so far
  [62, 74)  the same for the last three different pitches

Labels are the pitches, then no event, note-off, and the repeats.
"""

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Inputs, one_hot
from etude.models.encodings.melody import (
    MelodyEncoding,
    MelodyStream,
    binary_counter,
    binary_numbers,
    lookback,
)
from etude.models.melodies.melody import (
    IS_IN_KEY,
    MAGENTA_STEPS_PER_BAR,
    MAX_PITCH,
    NO_EVENT,
    NOTE_OFF,
    PITCHES_PER_OCTAVE,
    STEPS_PER_BAR,
    Events,
)
from etude.models.sequences.batch import Attributes

COUNTER_BITS = 7
NONE = -1
"""Stands for "no note yet" where a pitch is expected."""

SOUNDING, SILENCE, ATTACK, DIRECTION = range(4)
"""Places after the pitches."""

ALL_KEYS = slice(-2 * PITCHES_PER_OCTAVE, -PITCHES_PER_OCTAVE)
RECENT_KEYS = slice(-PITCHES_PER_OCTAVE, None)
"""Places of the keys."""

KEYS_OF_PITCH = np.concatenate([IS_IN_KEY[np.arange(MAX_PITCH + 1) % PITCHES_PER_OCTAVE], np.zeros_like(IS_IN_KEY[:1])])
"""[pitches, 12]: 1 where the pitch belongs to the key; `NONE`, the last one, belongs to none."""


class AttentionEncoding(MelodyEncoding):
    """Sees what sounds and which keys fit; can predict repeats."""

    def __init__(
        self, min_note: int, max_note: int, lookback_distances: tuple[int, ...], lookback_unit: str = "steps"
    ) -> None:
        """Sets range and distances; see the base class."""
        super().__init__(min_note, max_note, lookback_distances, lookback_unit)
        self.num_pitches = max_note - min_note
        self.no_event_label = self.num_pitches
        self.input_size = self.num_pitches + 4 + self.num_aliases + COUNTER_BITS + 1 + 2 * PITCHES_PER_OCTAVE
        # What sounds after a note-on or a note-off, the last one: [events, pitches + 2].
        self.sounding = np.zeros((MAX_PITCH + 2, self.num_pitches + 2), np.float32)
        pitches = np.arange(max(min_note, 1), max_note)
        self.sounding[pitches, pitches - min_note] = self.sounding[pitches, self.num_pitches + SOUNDING] = 1
        self.sounding[[0, NOTE_OFF], self.num_pitches + SILENCE] = 1

    def label_tokens(self) -> Events:
        """See base class."""
        return np.concatenate([np.arange(self.min_note, self.max_note), [NO_EVENT, NOTE_OFF]])

    def inputs(self, tokens: Events, attributes: Attributes) -> Inputs:
        """See base class."""
        events = tokens
        self.check(events)
        batch, steps = events.shape
        distances = self.distances(attributes)
        position = np.broadcast_to(np.arange(steps), (batch, steps))
        is_repeat = (lookback(events, distances) == events[..., None]) & (position[..., None] >= distances[:, None])
        is_note = events >= 0
        sounding = _hold(events, events != NO_EVENT, NONE)
        attack = _hold(events, events != NOTE_OFF, NONE) >= 0
        newest = _hold(events, is_note, NONE)
        before = _shift(newest)
        changes = is_note & (before != NONE) & (events != before)
        direction = _hold(np.sign(events - before), changes, 0)
        second = _hold(before, changes, NONE)
        third = _hold(_shift(second), changes & (_shift(second) != events), NONE)
        recent = np.stack([newest, second, third], axis=-1)
        notes = np.where(is_note[..., None], one_hot(events % PITCHES_PER_OCTAVE, PITCHES_PER_OCTAVE), 0)
        counts = np.cumsum(notes.astype(np.int64), axis=1)
        bar = self.bar_length(attributes)[:, None]
        return self.assemble(sounding, attack, direction, is_repeat, position, bar, counts, recent)

    def bar_length(self, attributes: Attributes) -> npt.NDArray[np.int64]:
        """Steps between bar flags, [batch or 1]: Magenta's 16, or a melody's own bar where distances are in bars."""
        return attributes[STEPS_PER_BAR] if self._in_bars else np.array([MAGENTA_STEPS_PER_BAR])

    def assemble(
        self,
        sounding: Events,
        attack: npt.NDArray[np.bool_],
        direction: npt.NDArray[np.int64],
        is_repeat: npt.NDArray[np.bool_],
        position: npt.NDArray[np.int64],
        bar_length: npt.NDArray[np.int64],
        pitch_class_counts: npt.NDArray[np.int64],
        recent: Events,
    ) -> Inputs:
        """Input vectors [..., input_size] from their parts.

        Args:
          sounding: the sounding pitch, negative in silence, [...]. (Pitch 0 counts as silence, as in Magenta.)
          attack: whether the latest event other than a note-off is a note-on, [...].
          direction: 1, -1, or 0 before the melody has moved, [...].
          is_repeat: [..., num_aliases].
          position: step number of the current event, [...].
          bar_length: steps between bar flags, [...].
          pitch_class_counts: note-ons so far, [..., 12].
          recent: the last three different pitches, negative where there are fewer, [..., 3].
        """
        is_sounding = sounding > 0
        pitch = one_hot(np.where(is_sounding, sounding - self.min_note, 0), self.num_pitches) * is_sounding[..., None]
        recent_classes = one_hot(recent % PITCHES_PER_OCTAVE, PITCHES_PER_OCTAVE) * (recent >= 0)[..., None]
        recent_counts = recent_classes.sum(axis=-2).astype(np.int64)
        parts = [
            pitch,
            np.stack([is_sounding, ~is_sounding, attack, direction], axis=-1),
            is_repeat,
            binary_counter(position + 1, COUNTER_BITS),
            ((position + 1) % bar_length == 0)[..., None],
            _best_keys(pitch_class_counts),
            _best_keys(recent_counts),
        ]
        return np.concatenate(parts, axis=-1, dtype=np.float32)

    def stream(self, batch_size: int, attributes: Attributes) -> "AttentionStream":
        """See base class."""
        return AttentionStream(self, batch_size, self.distances(attributes), self.bar_length(attributes))


class AttentionStream(MelodyStream):
    """Keeps, besides the past events, the last input, how many notes each key holds, and the last three pitches."""

    def __init__(
        self,
        encoding: AttentionEncoding,
        batch_size: int,
        distances: npt.NDArray[np.int64],
        bar_length: npt.NDArray[np.int64],
    ) -> None:
        """Starts with no events."""
        super().__init__(batch_size, distances)
        self._encoding = encoding
        self._bar_length = np.tile(bar_length, batch_size // len(bar_length))
        self._notes_in_key = np.zeros((batch_size, PITCHES_PER_OCTAVE), np.int64)
        self._recent = np.full((batch_size, 3), NONE)
        self._inputs = np.zeros((batch_size, encoding.input_size), np.float32)
        self._inputs[:, encoding.num_pitches + SILENCE] = 1
        self._inputs[:, ALL_KEYS] = self._inputs[:, RECENT_KEYS] = 1

    def append(self, tokens: Events) -> Inputs:
        """See base class."""
        events, encoding, inputs = tokens, self._encoding, self._inputs
        encoding.check(events)
        is_repeat = self._remember(events)
        is_note = events >= 0
        np.copyto(inputs[:, encoding.num_pitches + ATTACK], is_note, where=events != NOTE_OFF)
        changed = np.flatnonzero(events != NO_EVENT)
        if changed.size:
            inputs[changed, : encoding.num_pitches + SILENCE + 1] = encoding.sounding[events[changed]]
        notes = np.flatnonzero(is_note)
        if notes.size:
            self._hear(notes, events[notes])
        counter = encoding.num_pitches + DIRECTION + 1 + encoding.num_aliases
        inputs[:, counter - encoding.num_aliases : counter] = is_repeat
        inputs[:, counter : counter + COUNTER_BITS] = binary_numbers(COUNTER_BITS)[
            (self.position + 1) % (1 << COUNTER_BITS)
        ]
        inputs[:, counter + COUNTER_BITS] = (self.position + 1) % self._bar_length == 0
        return inputs.copy()

    def _hear(self, rows: npt.NDArray[np.int64], pitches: Events) -> None:
        """A note begins in the melodies at `rows`."""
        newest, second, third = self._recent[rows].T
        moves = (newest != NONE) & (pitches != newest)
        direction = self._encoding.num_pitches + DIRECTION
        self._inputs[rows, direction] = np.where(moves, np.sign(pitches - newest), self._inputs[rows, direction])
        recent = np.empty((len(rows), 3), np.int64)
        recent[:, 0] = pitches
        recent[:, 1] = np.where(moves, newest, second)
        recent[:, 2] = np.where(moves & (second != pitches), second, third)
        notes_in_key = self._notes_in_key[rows] + KEYS_OF_PITCH[pitches]
        self._recent[rows] = recent
        self._notes_in_key[rows] = notes_in_key
        self._inputs[rows, ALL_KEYS] = _is_most(notes_in_key)
        self._inputs[rows, RECENT_KEYS] = _is_most(KEYS_OF_PITCH[recent].sum(axis=1))


def _best_keys(pitch_class_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where a major key holds as many of the notes as any does: [..., 12] from [..., 12]."""
    return _is_most(pitch_class_counts @ IS_IN_KEY)


def _is_most(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where a count is as large as any beside it: [..., n] from [..., n]."""
    return counts == counts.max(axis=-1, keepdims=True)


def _hold(values: npt.NDArray[np.int64], given: npt.NDArray[np.bool_], initial: int) -> npt.NDArray[np.int64]:
    """At each step the value of the last step where one is `given`; `initial` before the first. All [batch, steps]."""
    steps = np.where(given, np.arange(values.shape[1]), -1)
    latest = np.maximum.accumulate(steps, axis=1)
    return np.where(latest < 0, initial, np.take_along_axis(values, np.maximum(latest, 0), axis=1))


def _shift(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The values of the step before, and none at the first: [batch, steps]."""
    return np.concatenate([np.full((len(values), 1), NONE), values[:, :-1]], axis=1)

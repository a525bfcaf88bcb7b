"""What every encoding of melodies shares: labels, repeat labels, and the events that labels stand for.

An encoding turns the events of a melody into the network's inputs and labels. The input at step t describes the events
up to and including step t; the label at step t names the event of step t, given those before it. A network is trained
to predict the label at t + 1 from the inputs up to t.

Labels come in two kinds. Event labels, in [0, num_events), name an event each. Repeat labels follow them, one for each
lookback distance: "what was there so many steps ago". Several labels can therefore stand for one event; Magenta's rule,
kept here, makes the repeat label of the longest distance the canonical one.

Everything works on batches: events are [batch, steps], padded on the right with any valid event.
"""

import abc
import copy
import functools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import MAX_PITCH, NO_EVENT, NOTE_OFF, Events

Inputs = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
StepsPerBar = npt.NDArray[np.int64]

LOOKBACK_UNITS = ("steps", "bars")

_BELOW = np.int64(NO_EVENT - 1)


class Encoding(abc.ABC):
    """How one family of models reads and predicts melodies.

    Attributes:
      min_note: lowest pitch that it can encode.
      max_note: the pitch above the highest.
      input_size: length of an input vector.
      num_events: number of event labels: as a rule note-ons in the range, no event, and note-off.
      num_labels: event labels and repeat labels together.
      no_event_label: the label that Magenta counts as "no event" in its accuracies; None where no label is.
    """

    min_note: int
    max_note: int
    input_size: int
    no_event_label: int | None

    def __init__(
        self, min_note: int, max_note: int, lookback_distances: Sequence[int] = (), lookback_unit: str = "steps"
    ) -> None:
        """Sets the range and the lookback distances.

        Args:
          min_note: lowest pitch, from 0.
          max_note: the pitch above the highest, up to 128.
          lookback_distances: how far back each repeat label looks, ascending.
          lookback_unit: "steps", or "bars" of the melody's own metre.

        Raises:
          ValueError: if the range is not within [0, 128), the distances are not positive and ascending, or the unit is
            unknown.
        """
        if not 0 <= min_note < max_note <= 128:
            raise ValueError(f"the range [{min_note}, {max_note}) is not within [0, 128)")
        distances = list(lookback_distances)
        if distances != sorted(set(distances)) or (distances and distances[0] < 1):
            raise ValueError(f"lookback distances must be positive and ascending, not {distances}")
        if lookback_unit not in LOOKBACK_UNITS:
            raise ValueError(f"the unit of lookback distances is one of {LOOKBACK_UNITS}, not {lookback_unit!r}")
        self.min_note = min_note
        self.max_note = max_note
        label_events = self.label_events()
        self.num_events = len(label_events)
        self.num_repeats = len(distances)
        self.num_labels = self.num_events + self.num_repeats
        self._distances = np.array(distances, dtype=np.int64)
        self._in_bars = lookback_unit == "bars"
        # By event, from one below the lowest to one above the highest: what is beyond has no label either.
        self._event_labels = np.full(MAX_PITCH - NO_EVENT + 3, -1)
        self._event_labels[label_events - _BELOW] = np.arange(self.num_events)

    def event_labels(self, events: npt.NDArray[np.signedinteger[Any]]) -> Labels:
        """The event label of every event, of any shape.

        Raises:
          ValueError: if one has none; the message gives the event and what there may be.
        """
        labels: Labels = self._event_labels.take(events - _BELOW, mode="clip")
        if labels.min(initial=0) < 0:
            raise ValueError(self._refusal(int(events[labels < 0].flat[0])))
        return labels

    @abc.abstractmethod
    def label_events(self) -> Events:
        """The event that each event label stands for: [num_events]."""

    @property
    def padding(self) -> int:
        """The event to pad melodies with."""
        return NO_EVENT if self.no_event_label is not None else int(self.label_events()[0])

    @abc.abstractmethod
    def inputs(self, events: Events, steps_per_bar: StepsPerBar) -> Inputs:
        """The input vectors of a batch of melodies.

        Args:
          events: [batch, steps].
          steps_per_bar: [batch].

        Returns:
          float32 [batch, steps, input_size]: at step t, what the network is given after the event of step t.
        """

    @abc.abstractmethod
    def stream(self, steps_per_bar: StepsPerBar) -> "EncodingStream":
        """Starts to encode a batch of melodies step by step, for generation.

        Args:
          steps_per_bar: [batch].
        """

    def labels(self, events: Events, steps_per_bar: StepsPerBar) -> Labels:
        """The canonical label of every event.

        The repeat label of the longest distance whose event it is; otherwise its event label. (The first event of a
        melody gets a label too, though no model predicts it.)

        Args:
          events: [batch, steps].
          steps_per_bar: [batch].

        Returns:
          int64 [batch, steps].
        """
        return self.canonical_labels(events, self.repeats(events, steps_per_bar))

    def canonical_labels(self, events: Events, repeats: Events) -> Labels:
        """The canonical label of events [...] where the repeat labels stand for the events `repeats` [..., repeats]."""
        labels = self.event_labels(events)
        for index in range(self.num_repeats):
            labels = np.where(repeats[..., index] == events, self.num_events + index, labels)
        return labels

    def repeats(self, events: Events, steps_per_bar: StepsPerBar) -> Events:
        """The event that each repeat label stands for at each step: [batch, steps, num_repeats].

        Before a melody is as long as the distance, that is "no event".
        """
        return lookback(events, self.distances(steps_per_bar))

    def distances(self, steps_per_bar: StepsPerBar) -> npt.NDArray[np.int64]:
        """Lookback distances in steps: [batch, num_repeats], from the steps per bar of each melody, [batch]."""
        scale = steps_per_bar[:, None] if self._in_bars else np.ones((len(steps_per_bar), 1), np.int64)
        return scale * self._distances

    def check_range(self, events: npt.NDArray[np.signedinteger[Any]]) -> None:
        """Raises a ValueError that names the first event without a label, if there is one."""
        self.event_labels(events)

    def _refusal(self, event: int) -> str:
        if event >= 0:
            return f"pitch {event} is outside the range [{self.min_note}, {self.max_note})"
        others = {NO_EVENT: "no event", NOTE_OFF: "note-off"}
        known = [f"{other} ({others[other]})" for other in sorted(others) if other in self.label_events()]
        return f"event {event} is none of {', '.join([*known, f'pitches in [{self.min_note}, {self.max_note})'])}"


class EncodingStream(abc.ABC):
    """The state of a batch of melodies that are encoded step by step.

    What `append` returns at step t equals `Encoding.inputs` of the whole melody at step t. Each step is a few operations
    on the whole batch: of small arrays, their number is what takes time.
    """

    def __init__(self, distances: npt.NDArray[np.int64]) -> None:
        """Starts with no events.

        Args:
          distances: [batch, num_repeats].
        """
        self.position = -1
        self._distances = distances
        self._repeats = np.full(distances.shape, NO_EVENT)
        # A ring as long as the largest distance: what was not yet written is what was before the start.
        self._history = np.full((len(distances), int(distances.max(initial=1))), NO_EVENT)

    @abc.abstractmethod
    def append(self, events: Events) -> Inputs | Labels:
        """Takes the next event of every melody, [batch].

        Returns:
          The inputs after it, [batch, input_size]; or, where they are one-hot, the place of the one, [batch].
        """

    def take(self, indices: npt.NDArray[np.int64]) -> Self:
        """A stream that goes on from the melodies at `indices` (which may repeat); this one stays as it is."""
        taken = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(taken, name, value[indices])
        return taken

    def repeats(self) -> Events:
        """The event that each repeat label would stand for at the next step: [batch, num_repeats]."""
        return self._repeats

    def _remember(self, events: Events) -> npt.NDArray[np.bool_]:
        """Takes the next events: whether they repeat those at each distance, [batch, num_repeats]."""
        self.position += 1
        is_repeat = (self._repeats == events[:, None]) & (self._distances <= self.position)
        length = self._history.shape[1]
        self._history[:, self.position % length] = events
        columns = (self.position + 1 - self._distances) % length
        self._repeats = self._history[np.arange(len(events))[:, None], columns]
        return is_repeat


def lookback(events: Events, distances: npt.NDArray[np.int64]) -> Events:
    """Events from earlier in each melody, "no event" before its start.

    Args:
      events: [batch, steps].
      distances: [batch, n], in steps, not negative.

    Returns:
      [batch, steps, n]: at step t the event of step t - distance.
    """
    batch, steps = events.shape
    positions = np.arange(steps)[None, :, None] - distances[:, None, :]
    rows = np.arange(batch)[:, None, None]
    return np.where(positions < 0, NO_EVENT, events[rows, np.maximum(positions, 0)])


def binary_counter(steps: npt.NDArray[np.int64], bits: int) -> Inputs:
    """Each step number in binary, lowest bit first, as 1 and -1: [..., bits]."""
    return binary_numbers(bits)[steps % (1 << bits)]


@functools.cache
def binary_numbers(bits: int) -> Inputs:
    """The numbers of so many bits, lowest bit first, as 1 and -1: [2^bits, bits]."""
    return np.where((np.arange(1 << bits)[:, None] >> np.arange(bits)) & 1, 1.0, -1.0).astype(np.float32)

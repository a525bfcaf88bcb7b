"""What the encodings of melodies share: a range of pitches, and repeats of earlier events as aliases.

A token is an event of a melody. Each lookback distance is an alias, "what was there so many steps ago"; the longest
distance comes last, so that it is the canonical one, as in Magenta.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, EncodingStream, Labels, Mask
from etude.models.melodies.melody import MAX_PITCH, NO_EVENT, NOTE_OFF, STEPS_PER_BAR, Events
from etude.models.sequences.batch import Attributes, Tokens

LOOKBACK_UNITS = ("steps", "bars")

_BELOW = np.int64(NO_EVENT - 1)


class MelodyEncoding(Encoding):
    """How one family of models reads and predicts melodies.

    Attributes:
      min_note: lowest pitch that it can encode.
      max_note: the pitch above the highest.
      no_event_label: the label that Magenta counts as "no event" in its accuracies; None where no label is.
      lookback_distances: how far back each repeat looks, ascending.
      lookback_unit: "steps", or "bars" of the melody's own metre.
    """

    unit = "event"
    min_note: int
    max_note: int
    no_event_label: int | None
    lookback_distances: tuple[int, ...]
    lookback_unit: str

    def __init__(
        self, min_note: int, max_note: int, lookback_distances: Sequence[int] = (), lookback_unit: str = "steps"
    ) -> None:
        """Sets the range and the lookback distances.

        Args:
          min_note: lowest pitch, from 0.
          max_note: the pitch above the highest, up to 128.
          lookback_distances: how far back each repeat looks, ascending.
          lookback_unit: "steps", or "bars" of the melody's own metre.

        Raises:
          ValueError: if the range is not within [0, 128), the distances are not positive and ascending, or the unit is
            unknown.
        """
        if not 0 <= min_note < max_note <= 128:
            raise ValueError(f"the range [{min_note}, {max_note}) is not within [0, 128)")
        self.lookback_distances, self.lookback_unit = tuple(lookback_distances), lookback_unit
        distances = list(lookback_distances)
        if distances != sorted(set(distances)) or (distances and distances[0] < 1):
            raise ValueError(f"lookback distances must be positive and ascending, not {distances}")
        if lookback_unit not in LOOKBACK_UNITS:
            raise ValueError(f"the unit of lookback distances is one of {LOOKBACK_UNITS}, not {lookback_unit!r}")
        self.min_note = min_note
        self.max_note = max_note
        label_tokens = self.label_tokens()
        self.num_tokens = len(label_tokens)
        self.num_aliases = len(distances)
        self._distances = np.array(distances, dtype=np.int64)
        self._in_bars = lookback_unit == "bars"
        # By event, from one below the lowest to one above the highest: what is beyond has no label either.
        self._token_labels = np.full(MAX_PITCH - NO_EVENT + 3, -1)
        self._token_labels[label_tokens - _BELOW] = np.arange(self.num_tokens)

    def token_labels(self, tokens: npt.NDArray[np.signedinteger[Any]]) -> Labels:
        """See base class."""
        labels: Labels = self._token_labels.take(tokens - _BELOW, mode="clip")
        if labels.min(initial=0) < 0:
            raise ValueError(self._refusal(int(tokens[labels < 0].flat[0])))
        return labels

    @property
    def padding(self) -> int:
        """See base class."""
        return NO_EVENT if self.no_event_label is not None else int(self.label_tokens()[0])

    def aliases(self, tokens: Events, attributes: Attributes) -> Events:
        """The event of each lookback distance; before a melody is as long, that is "no event". See base class."""
        return lookback(tokens, self.distances(attributes))

    def distances(self, attributes: Attributes) -> npt.NDArray[np.int64]:
        """Lookback distances of each melody in steps: [batch, num_aliases], or [1, num_aliases] where they are alike."""
        return attributes[STEPS_PER_BAR][:, None] * self._distances if self._in_bars else self._distances[None]

    def label_masks(self) -> Mapping[str, Mask]:
        """See base class."""
        label = -1 if self.no_event_label is None else self.no_event_label
        return {"no_event": np.arange(self.num_labels) == label}

    def token_masks(self, tokens: Tokens) -> Mapping[str, Mask]:
        """See base class."""
        return {"note": tokens >= 0}

    def _refusal(self, event: int) -> str:
        if event >= 0:
            return f"pitch {event} is outside the range [{self.min_note}, {self.max_note})"
        others = {NO_EVENT: "no event", NOTE_OFF: "note-off"}
        known = [f"{other} ({others[other]})" for other in sorted(others) if other in self.label_tokens()]
        return f"event {event} is none of {', '.join([*known, f'pitches in [{self.min_note}, {self.max_note})'])}"


class MelodyStream(EncodingStream):
    """Keeps as many past events as the longest distance."""

    def __init__(self, batch_size: int, distances: npt.NDArray[np.int64]) -> None:
        """Starts with no events.

        Args:
          batch_size: number of melodies.
          distances: of `MelodyEncoding.distances`.
        """
        self.position = -1
        self._distances = np.tile(distances, (batch_size // len(distances), 1))
        self._aliases = np.full(self._distances.shape, NO_EVENT)
        # A ring as long as the largest distance: what was not yet written is what was before the start.
        self._history = np.full((batch_size, int(distances.max(initial=1))), NO_EVENT)

    def aliases(self) -> Events:
        """See base class."""
        return self._aliases

    def _remember(self, events: Events) -> Mask:
        """Takes the next events: whether they repeat those at each distance, [batch, num_aliases]."""
        self.position += 1
        is_repeat = (self._aliases == events[:, None]) & (self._distances <= self.position)
        length = self._history.shape[1]
        self._history[:, self.position % length] = events
        columns = (self.position + 1 - self._distances) % length
        self._aliases = self._history[np.arange(len(events))[:, None], columns]
        return is_repeat


def lookback(events: Events, distances: npt.NDArray[np.int64]) -> Events:
    """Events from earlier in each melody, "no event" before its start.

    Args:
      events: [batch, steps].
      distances: [batch or 1, n], in steps, not negative.

    Returns:
      [batch, steps, n]: at step t the event of step t - distance.
    """
    batch, steps = events.shape
    positions = np.arange(steps)[None, :, None] - distances[:, None, :]
    rows = np.arange(batch)[:, None, None]
    return np.where(positions < 0, NO_EVENT, events[rows, np.maximum(positions, 0)])


def binary_counter(steps: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.float32]:
    """Each step number in binary, lowest bit first, as 1 and -1: [..., bits]."""
    return binary_numbers(bits)[steps % (1 << bits)]


@functools.cache
def binary_numbers(bits: int) -> npt.NDArray[np.float32]:
    """The numbers of so many bits, lowest bit first, as 1 and -1: [2^bits, bits]."""
    return np.where((np.arange(1 << bits)[:, None] >> np.arange(bits)) & 1, 1.0, -1.0).astype(np.float32)

"""Melodies that grow in lockstep under a model."""

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.melodies.melody import Events
from etude.models.networks.cells.arrays import Array
from etude.models.networks.network import Network, log_softmax

Rows = npt.NDArray[np.int64]


class Paths(NamedTuple):
    """Melodies, and what the model expected at every step of them.

    Attributes:
      events: [melodies, steps].
      logits: after each event but the last, [melodies, steps - 1, num_labels].
    """

    events: Events
    logits: Array


@dataclasses.dataclass
class _Step:
    """One step of all melodies: an event each, which melody of the step before it follows (None: the same row)."""

    events: Events
    parents: Rows | None
    logits: Array | None = None


class Continuation:
    """A batch of melodies, what the model expects next of each, and what its repeat labels would mean.

    Melodies keep no copy of their past: a step remembers which rows of the step before it goes on from, and `paths`
    walks back. The network reads the last events only when something is asked of them, so that melodies which a search
    drops right away cost nothing.
    """

    def __init__(self, encoding: Encoding, network: Network, primer: Events, steps_per_bar: int) -> None:
        """Starts with one melody, the primer.

        Args:
          encoding: the model's.
          network: the model's.
          primer: [steps], at least one event, in the model's key and range.
          steps_per_bar: of the primer's metre.
        """
        self._encoding = encoding
        self._network = network
        self._label_events = encoding.label_events()
        self._stream = encoding.stream(np.array([steps_per_bar]))
        self._state = network.initial_state(1)
        self._trail: list[_Step] = []
        for event in primer:
            self.extend(np.array([event]))

    @property
    def num_steps(self) -> int:
        """Events of every melody so far."""
        return len(self._trail)

    @property
    def num_melodies(self) -> int:
        """Melodies at the last step."""
        return len(self._trail[-1].events)

    def extend(self, events: Events, parents: Rows | None = None) -> None:
        """Goes on with the melodies at `parents`, each with one event more.

        Args:
          events: [melodies].
          parents: rows of the melodies so far, which may repeat; None for all of them as they are.
        """
        if self._trail:
            self._read()
        if parents is not None:
            self._stream = self._stream.take(parents)
            self._state = self._state.take(parents)
        self._trail.append(_Step(events, parents))

    def logits(self) -> Array:
        """The network's for the next label: [melodies, num_labels]."""
        return self._read()

    def log_probabilities(self, temperature: float = 1.0) -> Array:
        """Log-probabilities of the next label: [melodies, num_labels]. Above temperature 1 they are more even."""
        logits = self._read()
        return log_softmax(logits if temperature == 1.0 else logits / np.float32(temperature))

    def repeats(self) -> Events:
        """The event that each repeat label stands for at the next step: [melodies, num_repeats]."""
        self._read()
        return self._stream.repeats()

    def decode(self, labels: npt.NDArray[np.int64], rows: Rows) -> Events:
        """The events that labels stand for at the next step of the melodies at `rows`: of the shape of both."""
        encoding = self._encoding
        if not encoding.num_repeats:
            return self._label_events[labels]
        meanings = np.empty((self.num_melodies, encoding.num_labels), np.int64)
        meanings[:, : encoding.num_events] = self._label_events
        meanings[:, encoding.num_events :] = self.repeats()
        return meanings[rows, labels]

    def last_notes(self) -> Events:
        """The pitch of the last note-on of every melody, -1 where there was none: [melodies]."""
        notes = np.full(self.num_melodies, -1)
        rows = np.arange(self.num_melodies)
        for step in reversed(self._trail):
            notes = np.where(notes < 0, np.maximum(step.events[rows], -1), notes)
            if (notes >= 0).all():
                break
            if step.parents is not None:
                rows = step.parents[rows]
        return notes

    def paths(self, rows: Rows | None = None) -> Paths:
        """The melodies at `rows` (all of them if None) with their whole past."""
        rows = np.arange(self.num_melodies) if rows is None else rows
        events = np.empty((len(rows), len(self._trail)), np.int64)
        logits = np.empty((len(rows), len(self._trail) - 1, self._encoding.num_labels), np.float32)
        for index in range(len(self._trail) - 1, -1, -1):
            step = self._trail[index]
            if step.logits is not None and index < len(self._trail) - 1:
                logits[:, index] = step.logits[rows]
            events[:, index] = step.events[rows]
            if step.parents is not None:
                rows = step.parents[rows]
        return Paths(events, logits)

    def _read(self) -> Array:
        """Lets the network read the last events, unless it has: the logits after them."""
        step = self._trail[-1]
        if step.logits is None:
            inputs = self._stream.append(step.events)
            step.logits, self._state = self._network.step(inputs, self._state)
        return step.logits

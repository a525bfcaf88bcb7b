"""Melodies that grow in lockstep under a model."""

import copy

import numpy as np
import numpy.typing as npt

from models.encoding import Encoding
from models.melody import Events
from models.networks.network import Network, log_softmax
from models.networks.weights import Array


class Continuation:
    """A batch of melodies, what the model expects next of each, and what its repeat labels would mean.

    Attributes:
      events: the melodies so far, [batch, steps].
      logits: the network's for the next label, [batch, num_labels].
      repeats: the event that each repeat label stands for at the next step, [batch, num_repeats].
    """

    events: Events
    logits: Array
    repeats: Events

    def __init__(
        self, encoding: Encoding, network: Network, primer: Events, batch_size: int, steps_per_bar: int
    ) -> None:
        """Starts a batch of melodies with the same primer.

        Args:
          encoding: the model's.
          network: the model's.
          primer: [steps], at least one event, in the model's key and range.
          batch_size: number of melodies.
          steps_per_bar: of the primer's metre.
        """
        self._encoding = encoding
        self._network = network
        # The primer is read once and its state copied.
        self._stream = encoding.stream(np.array([steps_per_bar]))
        self._state = network.initial_state(1)
        self.events = np.zeros((1, 0), np.int64)
        for event in primer:
            self.append(np.array([event]))
        self._keep(np.zeros(batch_size, np.int64))

    def append(self, events: Events) -> None:
        """Extends every melody by one event: [batch]."""
        self.events = np.concatenate([self.events, events[:, None]], axis=1)
        self.logits, self._state = self._network.step(self._stream.append(events), self._state)
        self.repeats = self._stream.repeats()

    def take(self, indices: npt.NDArray[np.int64]) -> "Continuation":
        """A batch that goes on from the melodies at `indices` (which may repeat); this one stays as it is."""
        taken = copy.copy(self)
        taken._keep(indices)
        return taken

    def log_probabilities(self, temperature: float = 1.0) -> Array:
        """Log-probabilities of the next label: [batch, num_labels]. Above temperature 1 they are more even."""
        return log_softmax(self.logits / np.float32(temperature))

    def decode(self, labels: npt.NDArray[np.int64]) -> Events:
        """The events that labels stand for at the next step: [batch]."""
        fixed = np.broadcast_to(self._encoding.label_events(), (len(labels), self._encoding.num_events))
        return np.take_along_axis(np.concatenate([fixed, self.repeats], axis=1), labels[:, None], axis=1)[:, 0]

    def _keep(self, indices: npt.NDArray[np.int64]) -> None:
        self.events = self.events[indices]
        self.logits = self.logits[indices]
        self.repeats = self.repeats[indices]
        self._stream = self._stream.take(indices)
        self._state = self._state.take(indices)

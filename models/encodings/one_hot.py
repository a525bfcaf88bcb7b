"""The one-hot encoding: an input and a label for every event.

Source: `MelodyOneHotEncoding` of note-seq. Label 0 is no event, 1 is note-off, 2 and up are note-ons from `min_note`.
"""

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, EncodingStream, Inputs, Labels, StepsPerBar
from etude.models.melodies.melody import NO_EVENT, NOTE_OFF, Events


class OneHotEncoding(Encoding):
    """Sees the current event, predicts the next one."""

    no_event_label = 0

    def __init__(self, min_note: int, max_note: int) -> None:
        """Sets the range [min_note, max_note) of pitches."""
        super().__init__(min_note, max_note)
        self.input_size = self.num_events

    def label_events(self) -> Events:
        """See base class."""
        return one_hot_label_events(self)

    def inputs(self, events: Events, steps_per_bar: StepsPerBar) -> Inputs:
        """See base class."""
        return one_hot(self.event_labels(events), self.num_events)

    def stream(self, steps_per_bar: StepsPerBar) -> "OneHotStream":
        """See base class."""
        return OneHotStream(self, self.distances(steps_per_bar))


class OneHotStream(EncodingStream):
    """Keeps nothing: an input depends on one event."""

    def __init__(self, encoding: OneHotEncoding, distances: npt.NDArray[np.int64]) -> None:
        """Starts with no events."""
        super().__init__(distances)
        self._encoding = encoding

    def append(self, events: Events) -> Labels:
        """See base class."""
        self.position += 1
        return self._encoding.event_labels(events)


def one_hot_label_events(encoding: Encoding) -> Events:
    """No event, note-off, then the pitches of the range: [num_events]."""
    return np.concatenate([[NO_EVENT, NOTE_OFF], np.arange(encoding.min_note, encoding.max_note)])


def one_hot(indices: npt.NDArray[np.int64], size: int) -> Inputs:
    """Vectors of `size` that are 1 at the index and 0 elsewhere: [..., size]."""
    vectors = np.zeros((indices.size, size), np.float32)
    vectors[np.arange(indices.size), indices.ravel()] = 1.0
    return vectors.reshape(*indices.shape, size)

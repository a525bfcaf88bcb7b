"""The one-hot encoding of melodies: an input and a label for every event.

Source: `MelodyOneHotEncoding` of note-seq. Label 0 is no event, 1 is note-off, 2 and up are note-ons from `min_note`.
"""

import numpy as np

from etude.models.encodings.encoding import Inputs
from etude.models.encodings.melody import MelodyEncoding
from etude.models.encodings.tokens import TokenStream
from etude.models.melodies.melody import NO_EVENT, NOTE_OFF, Events
from etude.models.sequences.batch import Attributes


class OneHotEncoding(MelodyEncoding):
    """Sees the current event, predicts the next one."""

    is_indexed = True
    no_event_label = 0

    def __init__(self, min_note: int, max_note: int) -> None:
        """Sets the range [min_note, max_note) of pitches."""
        super().__init__(min_note, max_note)
        self.input_size = self.num_tokens

    def label_tokens(self) -> Events:
        """See base class."""
        return one_hot_label_tokens(self)

    def inputs(self, tokens: Events, attributes: Attributes) -> Inputs:
        """See base class: indices."""
        return self.token_labels(tokens)

    def stream(self, batch_size: int, attributes: Attributes) -> TokenStream:
        """See base class."""
        return TokenStream(self, batch_size)


def one_hot_label_tokens(encoding: MelodyEncoding) -> Events:
    """No event, note-off, then the pitches of the range: [num_tokens]."""
    return np.concatenate([[NO_EVENT, NOTE_OFF], np.arange(encoding.min_note, encoding.max_note)])

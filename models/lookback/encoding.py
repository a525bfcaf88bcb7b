"""The lookback encoding: the current event, what followed it one and two bars ago, and where in the bar it is.

Source: `LookbackEventSequenceEncoderDecoder` of note-seq over `MelodyOneHotEncoding`. With 36 pitches and two distances
an input has 121 numbers:

  [0, 38)     the current event, one-hot
  [38, 114)   for each distance, the event that would come next if the melody repeated itself, one-hot
  [114, 119)  the number of the next step in binary, lowest bit first, as 1 and -1
  [119, 121)  for each distance, 1 if the current event is a repeat
"""

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Inputs, one_hot
from etude.models.encodings.melody import MelodyEncoding, MelodyStream, binary_counter, binary_numbers, lookback
from etude.models.encodings.one_hot import one_hot_label_tokens
from etude.models.melodies.melody import Events
from etude.models.sequences.batch import Attributes

COUNTER_BITS = 5


class LookbackEncoding(MelodyEncoding):
    """Sees and can predict repeats of what was there some steps or bars ago."""

    no_event_label = 0

    def __init__(
        self, min_note: int, max_note: int, lookback_distances: tuple[int, ...], lookback_unit: str = "steps"
    ) -> None:
        """Sets range and distances; see the base class."""
        super().__init__(min_note, max_note, lookback_distances, lookback_unit)
        self.input_size = self.num_tokens * (1 + self.num_aliases) + COUNTER_BITS + self.num_aliases

    def label_tokens(self) -> Events:
        """See base class."""
        return one_hot_label_tokens(self)

    def inputs(self, tokens: Events, attributes: Attributes) -> Inputs:
        """See base class."""
        distances = self.distances(attributes)
        position = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
        past = lookback(tokens, distances)
        is_repeat = (past == tokens[..., None]) & (position[..., None] >= distances[:, None, :])
        return self.assemble(tokens, lookback(tokens, distances - 1), position, is_repeat)

    def assemble(
        self, events: Events, continuations: Events, position: npt.NDArray[np.int64], is_repeat: npt.NDArray[np.bool_]
    ) -> Inputs:
        """Input vectors [..., input_size] from their parts.

        Args:
          events: the current events, [...].
          continuations: what would come next if the melody repeated itself, [..., num_aliases].
          position: step number of the current event, [...].
          is_repeat: whether the current event is a repeat, [..., num_aliases].
        """
        current_and_next = np.concatenate([events[..., None], continuations], axis=-1)
        one_hots = one_hot(self.token_labels(current_and_next), self.num_tokens)
        flat = one_hots.reshape(*events.shape, self.num_tokens * (1 + self.num_aliases))
        return np.concatenate([flat, binary_counter(position + 1, COUNTER_BITS), is_repeat], axis=-1, dtype=np.float32)

    def stream(self, batch_size: int, attributes: Attributes) -> "LookbackStream":
        """See base class."""
        return LookbackStream(self, batch_size, self.distances(attributes))


class LookbackStream(MelodyStream):
    """Keeps as many past events as the longest distance."""

    def __init__(self, encoding: LookbackEncoding, batch_size: int, distances: npt.NDArray[np.int64]) -> None:
        """Starts with no events."""
        super().__init__(batch_size, distances)
        self._encoding = encoding

    def append(self, tokens: Events) -> Inputs:
        """See base class."""
        encoding = self._encoding
        is_repeat = self._remember(tokens)
        current_and_next = np.empty((len(tokens), 1 + encoding.num_aliases), np.int64)
        current_and_next[:, 0] = tokens
        current_and_next[:, 1:] = self._aliases
        ones = encoding.token_labels(current_and_next)
        ones += np.arange(0, encoding.num_tokens * ones.shape[1], encoding.num_tokens)
        inputs = np.zeros((len(tokens), encoding.input_size), np.float32)
        inputs[np.arange(len(tokens))[:, None], ones] = 1
        after = encoding.num_tokens * ones.shape[1]
        inputs[:, after : after + COUNTER_BITS] = binary_numbers(COUNTER_BITS)[
            (self.position + 1) % (1 << COUNTER_BITS)
        ]
        inputs[:, after + COUNTER_BITS :] = is_repeat
        return inputs

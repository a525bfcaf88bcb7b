"""The encoding of drum tracks: what is struck, and the number of the step in binary.

Source: Magenta's `drum_kit`, a `LookbackEventSequenceEncoderDecoder` without lookback distances: the token, one-hot, then the
number of the next step, lowest bit first, as 1 and -1.
"""

from collections.abc import Mapping

import numpy as np

from etude.models.encodings.encoding import Inputs, Mask, one_hot
from etude.models.encodings.melody import binary_counter
from etude.models.encodings.tokens import TokenEncoding, TokenStream
from etude.models.sequences.batch import Attributes, Tokens

COUNTER_BITS = 6


class CountedEncoding(TokenEncoding):
    """Sees the current token and the step's number, and predicts the next token."""

    is_indexed = False

    def __init__(self, num_tokens: int, masks: Mapping[str, Mask] | None = None) -> None:
        """Sets the vocabulary; see the base class."""
        super().__init__(num_tokens, masks=masks)
        self.input_size = num_tokens + COUNTER_BITS

    def inputs(self, tokens: Tokens, attributes: Attributes) -> Inputs:
        """See base class."""
        return self.assemble(tokens, np.broadcast_to(np.arange(1, tokens.shape[1] + 1), tokens.shape))

    def assemble(self, tokens: Tokens, next_steps: Tokens) -> Inputs:
        """Input vectors [..., input_size] of tokens and the numbers of the steps after them, [...] both."""
        struck = one_hot(self.token_labels(tokens), self.num_tokens)
        return np.concatenate([struck, binary_counter(next_steps, COUNTER_BITS)], axis=-1)

    def stream(self, batch_size: int, attributes: Attributes) -> TokenStream:
        """See base class."""
        return CountedStream(self, batch_size)


class CountedStream(TokenStream):
    """Keeps the number of the step."""

    def __init__(self, encoding: CountedEncoding, batch_size: int) -> None:
        """Starts with no tokens."""
        super().__init__(encoding, batch_size)
        self._counted = encoding
        self._num_steps = 0

    def append(self, tokens: Tokens) -> Inputs:
        """See base class."""
        self._num_steps += 1
        return self._counted.assemble(tokens, np.full(len(tokens), self._num_steps))

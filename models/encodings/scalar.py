"""Tokens as one number each: their place in the vocabulary."""

import numpy as np

from etude.models.encodings.encoding import Inputs
from etude.models.encodings.tokens import TokenEncoding, TokenStream
from etude.models.sequences.batch import Attributes, Tokens


class ScalarEncoding(TokenEncoding):
    """Sees the index of the current token, divided by the number of tokens, and predicts the next one.

    Source: `network_input / n_vocab` of Classical-Piano-Composer. Two tokens are as alike as their names are close in the
    alphabet: it is here to be compared with.
    """

    is_indexed = False

    def __init__(self, num_tokens: int, end_token: int | None = None) -> None:
        """Sets the vocabulary; see the base class."""
        super().__init__(num_tokens, end_token)
        self.input_size = 1

    def inputs(self, tokens: Tokens, attributes: Attributes) -> Inputs:
        """See base class."""
        return (self.token_labels(tokens)[..., None] / self.num_tokens).astype(np.float32)

    def stream(self, batch_size: int, attributes: Attributes) -> TokenStream:
        """See base class."""
        return ScalarStream(self, batch_size)


class ScalarStream(TokenStream):
    """Keeps nothing: an input depends on one token."""

    def append(self, tokens: Tokens) -> Inputs:
        """See base class."""
        return self._encoding.inputs(tokens, {})

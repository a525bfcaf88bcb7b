"""The encoding of a vocabulary of any size: a token is its own label and its own input."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, EncodingStream, Inputs, Labels, Mask
from etude.models.sequences.batch import Attributes, Tokens


class TokenEncoding(Encoding):
    """Sees the current token, as an index, and predicts the next one."""

    is_indexed = True

    def __init__(self, num_tokens: int, end_token: int | None = None, masks: Mapping[str, Mask] | None = None) -> None:
        """Sets the vocabulary.

        Args:
          num_tokens: tokens are 0 to num_tokens - 1.
          end_token: after which a sequence is over, if there is one.
          masks: kinds of tokens that figures are told apart by, such as "note": [num_tokens] each.

        Raises:
          ValueError: if there are no tokens, the end is none of them, or a mask is of another length.
        """
        if num_tokens < 1:
            raise ValueError(f"a vocabulary has at least one token, not {num_tokens}")
        if end_token is not None and not 0 <= end_token < num_tokens:
            raise ValueError(f"the end token {end_token} is not within [0, {num_tokens})")
        self._masks = dict(masks or {})
        for name, mask in self._masks.items():
            if mask.shape != (num_tokens,):
                raise ValueError(f"the mask {name!r} has the shape {mask.shape} instead of ({num_tokens},)")
        self.num_tokens = self.input_size = num_tokens
        self.end_token = end_token

    def token_labels(self, tokens: npt.NDArray[np.signedinteger[Any]]) -> Labels:
        """See base class."""
        outside = tokens[(tokens < 0) | (tokens >= self.num_tokens)]
        if outside.size:
            raise ValueError(f"token {int(outside.flat[0])} is outside the vocabulary [0, {self.num_tokens})")
        return np.asarray(tokens, np.int64)

    def label_tokens(self) -> Tokens:
        """See base class."""
        return np.arange(self.num_tokens)

    def inputs(self, tokens: Tokens, attributes: Attributes) -> Inputs:
        """See base class."""
        return self.token_labels(tokens)

    def stream(self, batch_size: int, attributes: Attributes) -> "TokenStream":
        """See base class."""
        return TokenStream(self, batch_size)

    def token_masks(self, tokens: Tokens) -> Mapping[str, Mask]:
        """See base class."""
        return {name: mask[tokens] for name, mask in self._masks.items()}


class TokenStream(EncodingStream):
    """Keeps nothing: an input depends on one token."""

    def __init__(self, encoding: Encoding, batch_size: int) -> None:
        """Starts with no tokens."""
        self._encoding = encoding
        self._aliases = np.zeros((batch_size, 0), np.int64)

    def append(self, tokens: Tokens) -> Inputs:
        """See base class."""
        return self._encoding.token_labels(tokens)

    def aliases(self) -> Tokens:
        """See base class."""
        return self._aliases

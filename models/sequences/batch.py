"""Sequences of tokens, padded to one length."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]

Attributes = Mapping[str, npt.NDArray[np.int64]]
"""What is known of the sequences of a batch besides their tokens, by name: of each, such as its metre, [batch]; or of each of
its steps, such as the chord under it, [batch, steps], padded with zeros."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """Sequences padded to one length.

    Attributes:
      tokens: [batch, steps], padded with any valid token.
      lengths: [batch].
      attributes: of the sequences.
    """

    tokens: Tokens
    lengths: npt.NDArray[np.int64]
    attributes: Attributes

    @property
    def num_predicted(self) -> npt.NDArray[np.int64]:
        """Steps that a model predicts: all but the first of each sequence, [batch]."""
        return np.maximum(self.lengths - 1, 0)

    @property
    def is_predicted(self) -> npt.NDArray[np.bool_]:
        """Where, from the second step on, a sequence goes on: [batch, steps - 1]."""
        return np.arange(max(self.tokens.shape[1] - 1, 0)) < self.num_predicted[:, None]

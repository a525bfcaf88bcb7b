"""What every encoding shares: tokens, labels, aliases, and the tokens that labels stand for.

An encoding turns the tokens of a sequence into a network's inputs and labels. The input at step t describes the tokens up
to and including step t; the label at step t names the token of step t, given those before it. A network is trained to
predict the label at t + 1 from the inputs up to t.

Labels come in two kinds. Token labels, in [0, num_tokens), name a token each. Aliases follow them, zero of them unless an
encoding has some: labels whose token depends on the step, such as "what was there a bar ago". Several labels can therefore
stand for one token; the last alias that stands for it is the canonical one, as in Magenta.

Everything works on batches: tokens are [batch, steps], padded on the right with any valid token.
"""

import abc
import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from etude.models.sequences.batch import Attributes, Tokens

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

Inputs = npt.NDArray[Any]
"""What a network is given: vectors, float32 [..., input_size]; or indices of the ones in one-hot vectors, int64 [...]."""


class Encoding(abc.ABC):
    """How one family of models reads and predicts sequences.

    Attributes:
      input_size: length of an input vector, or number of different input indices.
      num_tokens: number of different tokens.
      num_aliases: number of labels besides the tokens' own.
      is_indexed: whether inputs are indices instead of vectors.
      unit: what a token is called in figures.
      end_token: after which a sequence is over; None where sequences have no end of their own.
    """

    input_size: int
    num_tokens: int
    num_aliases: int = 0
    is_indexed: bool = False
    unit: str = "token"
    end_token: int | None = None

    @property
    def num_labels(self) -> int:
        """Tokens and aliases together."""
        return self.num_tokens + self.num_aliases

    @abc.abstractmethod
    def token_labels(self, tokens: npt.NDArray[np.signedinteger[Any]]) -> Labels:
        """The label that is a token's own, for tokens of any shape.

        Raises:
          ValueError: if a token is none that can be encoded; the message names it.
        """

    @abc.abstractmethod
    def label_tokens(self) -> Tokens:
        """The token that each token label stands for: [num_tokens]."""

    @property
    def padding(self) -> int:
        """A token to pad batches with."""
        return int(self.label_tokens()[0])

    @abc.abstractmethod
    def inputs(self, tokens: Tokens, attributes: Attributes) -> Inputs:
        """The inputs of a batch of sequences.

        Args:
          tokens: [batch, steps].
          attributes: of the sequences.

        Returns:
          [batch, steps, input_size] or [batch, steps]: at step t, what the network is given after the token of step t.
        """

    @abc.abstractmethod
    def stream(self, batch_size: int, attributes: Attributes) -> "EncodingStream":
        """Starts to encode a batch of sequences step by step, for generation."""

    def aliases(self, tokens: Tokens, attributes: Attributes) -> Tokens:
        """The token that each alias stands for at each step: [batch, steps, num_aliases]."""
        return np.zeros((*tokens.shape, 0), np.int64)

    def label_masks(self) -> Mapping[str, Mask]:
        """Kinds of labels that label accuracies are told apart by: [num_labels] each."""
        return {}

    def token_masks(self, tokens: Tokens) -> Mapping[str, Mask]:
        """Kinds of tokens that figures are told apart by, such as "note": of the shape of the tokens, [batch, steps]."""
        return {}

    def check(self, tokens: npt.NDArray[np.signedinteger[Any]]) -> None:
        """Raises a ValueError that names the first token that cannot be encoded, if there is one."""
        self.token_labels(tokens)

    def labels(self, tokens: Tokens, attributes: Attributes) -> Labels:
        """The canonical label of every token.

        The last alias that stands for it; otherwise its own label. (The first token of a sequence gets a label too, though
        no model predicts it.)

        Args:
          tokens: [batch, steps].
          attributes: of the sequences.

        Returns:
          int64 [batch, steps].
        """
        return self.canonical_labels(tokens, self.aliases(tokens, attributes))

    def canonical_labels(self, tokens: Tokens, aliases: Tokens) -> Labels:
        """The canonical label of tokens [...] where the aliases stand for the tokens `aliases` [..., num_aliases]."""
        labels = self.token_labels(tokens)
        for index in range(self.num_aliases):
            labels = np.where(aliases[..., index] == tokens, self.num_tokens + index, labels)
        return labels


class EncodingStream(abc.ABC):
    """The state of a batch of sequences that are encoded step by step.

    What `append` returns at step t equals `Encoding.inputs` of the whole sequence at step t. Each step is a few operations
    on the whole batch: of small arrays, their number is what takes time.
    """

    @abc.abstractmethod
    def append(self, tokens: Tokens) -> Inputs:
        """Takes the next token of every sequence, [batch].

        Returns:
          The inputs after it, [batch, input_size]; or, where they are indices, [batch].
        """

    @abc.abstractmethod
    def aliases(self) -> Tokens:
        """The token that each alias would stand for at the next step: [batch, num_aliases]."""

    def take(self, indices: npt.NDArray[np.int64]) -> Self:
        """A stream that goes on from the sequences at `indices` (which may repeat); this one stays as it is."""
        taken = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(taken, name, value[indices])
        return taken


def one_hot(indices: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """Vectors of `size` that are 1 at the index and 0 elsewhere: [..., size]."""
    vectors = np.zeros((indices.size, size), np.float32)
    vectors[np.arange(indices.size), indices.ravel()] = 1.0
    return vectors.reshape(*indices.shape, size)


def as_vectors(inputs: Inputs, size: int) -> npt.NDArray[np.float32]:
    """Inputs of either kind as vectors: [..., size]."""
    return one_hot(inputs, size) if np.issubdtype(inputs.dtype, np.integer) else inputs

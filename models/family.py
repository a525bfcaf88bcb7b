"""What a family of models tells the rest: its name, its defaults and its encoding."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration, domain_of, encoding_of
from etude.models.encodings.encoding import Encoding
from etude.models.sequences.domain import MELODY, Domain
from etude.models.sequences.sequence_set import SequenceSet

Arrays = Mapping[str, npt.NDArray[np.generic]]
Shapes = dict[str, tuple[int, ...]]


class SequenceModel(Protocol):
    """What predicts tokens step by step: a network, or counts."""

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first token; its `take(indices)` copies sequences."""

    def step(self, inputs: Any, state: Any) -> tuple[npt.NDArray[np.float32], Any]:
        """Logits after the next inputs, [batch, num_labels], and the state after them."""

    def logits(self, inputs: Any) -> npt.NDArray[np.float32]:
        """Logits after every step of whole sequences: [batch, steps, num_labels]."""


@dataclasses.dataclass(frozen=True)
class Counting:
    """How a family is trained that counts instead of learning by steps.

    Attributes:
      count: the arrays that are stored of a model, from its training sequences.
      first_shapes: the shape of those arrays that tell the shapes of the others.
      other_shapes: these, from those; ValueError if they are damaged.
      make_network: what predicts, from all the arrays; ValueError if they are damaged.
    """

    count: Callable[[Configuration, Encoding, SequenceSet], Arrays]
    first_shapes: Callable[[Configuration], Shapes]
    other_shapes: Callable[[Arrays], Shapes]
    make_network: Callable[[Configuration, Encoding, Arrays], SequenceModel]


@dataclasses.dataclass(frozen=True)
class Family:
    """A family of models: everything outside its folder that needs to know it goes through this.

    Attributes:
      name: what `--config` takes.
      title: how reports call it.
      summary: one sentence on what it sees and predicts.
      defaults: its default configuration.
      make_encoding: the encoding of a configuration of this family: by default the one that reads a token and predicts the
        next one.
      make_domain: the sequences that a configuration of this family knows: by default all over its vocabulary.
      representation: what its sequences are of, as `--representation` of `etude dataset` names it; empty for a family that
        takes any.
      counting: how it is counted; None for a family that is trained by gradients.
    """

    name: str
    title: str
    summary: str
    defaults: Configuration
    make_encoding: Callable[[Configuration], Encoding] = encoding_of
    make_domain: Callable[[Configuration], Domain] = domain_of
    representation: str = MELODY
    counting: Counting | None = None

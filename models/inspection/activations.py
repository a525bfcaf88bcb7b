"""What the units of a network do while it reads a sequence."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.evaluation.likelihood import token_probabilities
from etude.models.networks.cells.arrays import Array
from etude.models.networks.network import Network, State, log_softmax
from etude.models.sequences.batch import Attributes, Tokens

HIDDEN, CELL, ATTENDED = "hidden", "cell", "attended"
UNBOUNDED = (CELL, ATTENDED)
"""What may be of any size, and is therefore shown by its hyperbolic tangent."""


class Part(NamedTuple):
    """A part of a network that has one value a unit.

    Attributes:
      layer: from 0, as the weights count.
      kind: "hidden" is the output of the cells; "cell" what an LSTM remembers; "attended" the output of a layer with
        attention, mixed with what it looked back on; or a gate by its name, such as "forget gate".
    """

    layer: int
    kind: str


@dataclasses.dataclass(frozen=True)
class Activations:
    """What the units did after each token of a sequence.

    Attributes:
      values: of every part, as the network has them, [steps, units].
      probabilities: of every token to come next, in the order of the token labels, [steps, num_tokens].
    """

    values: Mapping[Part, Array]
    probabilities: Array

    def bounded(self) -> dict[Part, Array]:
        """The values on one scale, from -1 to 1: hyperbolic tangents of those that may be of any size, the rest as it is."""
        return {part: np.tanh(values) if part.kind in UNBOUNDED else values for part, values in self.values.items()}


def activations(network: Network, encoding: Encoding, tokens: Tokens, attributes: Attributes) -> Activations:
    """Reads one sequence, from a state of zeros.

    Args:
      network: the network.
      encoding: the model's.
      tokens: of one sequence, in the model's domain, [steps]; at least one.
      attributes: of the sequence, as of a batch of one.

    Raises:
      ValueError: if a token cannot be encoded; the message names it.
    """
    stream, state = encoding.stream(1, attributes), network.initial_state(1)
    values: dict[Part, list[npt.NDArray[np.float32]]] = {}
    logits, aliases = [], []
    for token in tokens:
        gates: list[Array] = []
        after, state = network.step(stream.append(token[None]), state, gates)
        logits.append(after[0])
        aliases.append(stream.aliases()[0].copy())
        for part, row in _rows(network, state, gates):
            values.setdefault(part, []).append(row.copy())
    probabilities = token_probabilities(encoding, log_softmax(np.stack(logits)), np.stack(aliases))
    return Activations({part: np.stack(rows) for part, rows in values.items()}, probabilities)


def _rows(network: Network, state: State, gates: list[Array]) -> list[tuple[Part, Array]]:
    """The values of every part after a step, [units] each."""
    rows = []
    for layer, (output, cell, opened) in enumerate(zip(state.outputs, state.cells, gates, strict=True)):
        rows.append((Part(layer, HIDDEN), output[0, :-1]))
        if cell.shape[1]:
            rows.append((Part(layer, CELL), cell[0]))
        if layer == 0 and state.attention is not None:
            rows.append((Part(layer, ATTENDED), state.attention.memory[0, state.attention.slot - 1]))
        rows += [(Part(layer, name), gate[0]) for name, gate in zip(network.gate_names, opened, strict=True)]
    return rows

"""The network in NumPy: what generation and likelihood run on.

All arithmetic is float32. A batch of sequences runs in lockstep; the state of a sequence can be copied and dropped by
index, which is all that a search needs.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.cells import make_layer
from etude.models.networks.cells.arrays import HALF, Array, Places, aligned
from etude.models.networks.weights import Weights, layer_weights


@dataclasses.dataclass
class Attention:
    """What the first layer attends to, for a batch of sequences.

    Attributes:
      inputs: room for the network's input, and beside it the last attended summary of the memory,
        [batch, input_size + units].
      memory: the layer's last outputs, [batch, attn_length, units], in a ring; empty slots are zeros and take part in
        the softmax, as in Magenta.
      keys: the memory times `attention/memory_kernel`, so that each entry is projected once,
        [attn_length, batch, units].
      energies: room for a step's, of that shape.
      slot: where the next output goes.
    """

    inputs: Array
    memory: Array
    keys: Array
    energies: Array
    slot: int


@dataclasses.dataclass
class State:
    """The state of a batch of sequences.

    Attributes:
      cells: of every layer, what its cells remember besides their output: of an LSTM [batch, units], else [batch, 0].
      outputs: of every layer, the last one, and a 1 for the bias, [batch, units + 1].
      attention: of the first layer, if it attends.
    """

    cells: list[Array]
    outputs: list[Array]
    attention: Attention | None

    def take(self, indices: npt.NDArray[np.int64]) -> "State":
        """A copy that goes on from the sequences at `indices` (which may repeat)."""
        attention = self.attention
        if attention is not None:
            keys = attention.keys.take(indices, axis=1)
            attention = Attention(
                attention.inputs[indices], attention.memory[indices], keys, np.empty_like(keys), attention.slot
            )
        return State([cell[indices] for cell in self.cells], [output[indices] for output in self.outputs], attention)


class Network:
    """A stack of recurrent layers, the first with attention where `attn_length` is set, and a linear layer to the labels.

    What comes in is embedded where there is an embedding, and what comes out of the stack passes through a dense layer where
    there is one.

    The attention is TensorFlow 1's AttentionCellWrapper around an LSTM (after Bahdanau et al. 2014 and Vinyals et al.
    2014): the layer's input is mixed with the last summary; cell and output then query the memory; output and new summary
    are mixed into the layer's output, which enters the memory.
    """

    def __init__(self, hyperparameters: Hyperparameters, weights: Weights) -> None:
        """Takes the weights that `etude.models.networks.weights.shapes` names, as they are now."""
        self._sizes = hyperparameters.rnn_layer_sizes
        self._attn_length = hyperparameters.attn_length
        self._weights = {name: aligned(weight) if weight.ndim > 1 else weight for name, weight in weights.items()}
        self._layers = [
            make_layer(hyperparameters.cell, layer_weights(weights, layer), hyperparameters.forget_bias)
            for layer in range(len(self._sizes))
        ]

    def initial_state(self, batch_size: int) -> State:
        """Zeros for every sequence."""

        def zeros(*shape: int) -> Array:
            return np.zeros((batch_size, *shape), np.float32)

        attention = None
        if self._attn_length:
            units = self._sizes[0]
            width = len(self._weights["attention/input_kernel"])
            keys = np.zeros((self._attn_length, batch_size, units), np.float32)
            memory = zeros(self._attn_length, units)
            attention = Attention(zeros(width), memory, keys, np.empty_like(keys), slot=0)
        outputs = [zeros(units + 1) for units in self._sizes]
        for output in outputs:
            output[:, -1] = 1
        return State([zeros(layer.memory_size) for layer in self._layers], outputs, attention)

    @property
    def gate_names(self) -> tuple[str, ...]:
        """What the gates of every layer are called, in the order of `step`."""
        return self._layers[0].gate_names

    def step(self, inputs: Array | Places, state: State, gates: list[Array] | None = None) -> tuple[Array, State]:
        """One step of every sequence.

        Args:
          inputs: [batch, input_size]; or, where they are one-hot, the places of the ones, [batch].
          state: the state before, which is overwritten: take a copy to go back to it.
          gates: if given, becomes longer by what every layer's gates were, [gates, batch, units].

        Returns:
          Logits, [batch, num_labels], and the state after.
        """
        weights, attention = self._weights, state.attention
        if "embedding/kernel" in weights:
            kernel = weights["embedding/kernel"]
            inputs = kernel[inputs] if inputs.ndim == 1 else inputs @ kernel
        if inputs.ndim == 1 and attention is not None:
            inputs = np.eye(len(weights["attention/input_bias"]), dtype=np.float32)[inputs]
        if attention is not None:
            attention.inputs[:, : inputs.shape[1]] = inputs
            inputs = attention.inputs @ weights["attention/input_kernel"]
            inputs += weights["attention/input_bias"]
        for layer, cell, last in zip(self._layers, state.cells, state.outputs, strict=True):
            opened = layer.step(inputs, cell, last)
            if gates is not None:
                gates.append(opened)
            inputs = last[:, :-1]
            if layer is self._layers[0] and attention is not None:
                inputs = self._attend(cell, inputs, attention)
        if "dense/kernel" in weights:
            inputs = inputs @ weights["dense/kernel"]
            inputs += weights["dense/bias"]
            np.maximum(inputs, 0, out=inputs)
        logits = inputs @ weights["output/kernel"]
        logits += weights["output/bias"]
        return logits, state

    def logits(self, inputs: Array | Places) -> Array:
        """The logits after every step of a batch of whole sequences.

        Args:
          inputs: [batch, steps, input_size], padding on the right does no harm, even if it is not a number; or, where they
            are one-hot, the places of the ones, [batch, steps].

        Returns:
          [batch, steps, num_labels].
        """
        batch, steps = inputs.shape[:2]
        result = np.empty((batch, steps, len(self._weights["output/bias"])), np.float32)
        state = self.initial_state(batch)
        for step in range(steps):
            result[:, step], state = self.step(inputs[:, step], state)
        return result

    def _attend(self, cell: Array, output: Array, attention: Attention) -> Array:
        """The layer's output mixed with what the memory holds on it; both enter the attention's state."""
        weights = self._weights
        query = _linear(cell, output, weights, "attention/query")
        energies = np.add(attention.keys, query, out=attention.energies)
        np.tanh(energies, out=energies)
        shares = softmax(
            (energies.reshape(-1, len(query[0])) @ weights["attention/score_vector"]).reshape(len(energies), -1).T
        )
        summary = np.matmul(shares[:, None], attention.memory)[:, 0]
        mixed = _linear(output, summary, weights, "attention/output")
        attention.inputs[:, -cell.shape[1] :] = summary
        attention.memory[:, attention.slot] = mixed
        np.matmul(mixed, weights["attention/memory_kernel"], out=attention.keys[attention.slot])
        attention.slot = (attention.slot + 1) % self._attn_length
        return mixed


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), through tanh, which cannot overflow."""
    return HALF * np.tanh(HALF * values) + HALF


def softmax(logits: Array) -> Array:
    """Probabilities over the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def log_softmax(logits: Array) -> Array:
    """Logarithms of probabilities over the last axis."""
    shifted = np.asarray(logits - logits.max(axis=-1, keepdims=True))
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def _linear(first: Array, second: Array, weights: Weights, name: str) -> Array:
    return np.concatenate([first, second], axis=1) @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

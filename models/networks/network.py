"""The network in NumPy: what generation and likelihood run on.

All arithmetic is float32. A batch of sequences runs in lockstep; the state of a sequence can be copied and dropped by
index, which is all that a search needs.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from models.hyperparameters import Hyperparameters
from models.networks.weights import FORGET_BIAS, Array, Weights


@dataclasses.dataclass
class Attention:
    """What the first layer attends to, for a batch of sequences.

    Attributes:
      summary: the last attended summary of the memory, [batch, units].
      memory: the layer's last outputs, [batch, attn_length, units], in a ring; empty slots are zeros and take part in
        the softmax, as in Magenta.
      keys: the memory times `attention/memory_kernel`, so that each entry is projected once.
      slot: where the next output goes.
    """

    summary: Array
    memory: Array
    keys: Array
    slot: int


@dataclasses.dataclass
class State:
    """The state of a batch of sequences: cell and output of every layer, [batch, units] each, and the attention."""

    cells: list[Array]
    outputs: list[Array]
    attention: Attention | None

    def take(self, indices: npt.NDArray[np.int64]) -> "State":
        """A copy that goes on from the sequences at `indices` (which may repeat)."""
        attention = self.attention
        if attention is not None:
            attention = Attention(
                attention.summary[indices], attention.memory[indices], attention.keys[indices], attention.slot
            )
        return State([cell[indices] for cell in self.cells], [output[indices] for output in self.outputs], attention)


class Network:
    """A stack of LSTM layers, the first with attention where `attn_length` is set, and a linear layer to the labels.

    The LSTM is TensorFlow 1's BasicLSTMCell. The attention is its AttentionCellWrapper (after Bahdanau et al. 2014 and
    Vinyals et al. 2014): the layer's input is mixed with the last summary; cell and output then query the memory; output
    and new summary are mixed into the layer's output, which enters the memory.
    """

    def __init__(self, hyperparameters: Hyperparameters, weights: Weights) -> None:
        """Takes the weights that `models.networks.weights.shapes` names."""
        self._sizes = hyperparameters.rnn_layer_sizes
        self._attn_length = hyperparameters.attn_length
        self._weights = weights

    def initial_state(self, batch_size: int) -> State:
        """Zeros for every sequence."""
        zeros = [np.zeros((batch_size, units), np.float32) for units in self._sizes]
        attention = None
        if self._attn_length:
            memory = np.zeros((batch_size, self._attn_length, self._sizes[0]), np.float32)
            attention = Attention(zeros[0], memory, memory.copy(), 0)
        return State(list(zeros), list(zeros), attention)

    def step(self, inputs: Array, state: State) -> tuple[Array, State]:
        """One step of every sequence.

        Args:
          inputs: [batch, input_size].
          state: the state before. Its attention memory is overwritten: take a copy to go back to it.

        Returns:
          Logits, [batch, num_labels], and the state after.
        """
        weights = self._weights
        cells, outputs, attention = [], [], state.attention
        for layer, (cell, output) in enumerate(zip(state.cells, state.outputs, strict=True)):
            attends = layer == 0 and attention is not None
            if attends:
                assert attention is not None
                inputs = _linear(inputs, attention.summary, weights, "attention/input")
            gates = np.concatenate([inputs, output], axis=1) @ weights[f"layer_{layer}/kernel"]
            cell, output = lstm_cell(gates + weights[f"layer_{layer}/bias"], cell)
            cells.append(cell)
            outputs.append(output)
            inputs = output
            if attends:
                assert attention is not None
                inputs, attention = self._attend(cell, output, attention)
        logits = inputs @ weights["output/kernel"] + weights["output/bias"]
        return logits, State(cells, outputs, attention)

    def logits(self, inputs: Array) -> Array:
        """The logits after every step of a batch of whole sequences.

        Args:
          inputs: [batch, steps, input_size]; padding on the right does no harm, even if it is not a number.

        Returns:
          [batch, steps, num_labels].
        """
        batch, steps, _ = inputs.shape
        result = np.empty((batch, steps, len(self._weights["output/bias"])), np.float32)
        state = self.initial_state(batch)
        for step in range(steps):
            result[:, step], state = self.step(inputs[:, step], state)
        return result

    def _attend(self, cell: Array, output: Array, attention: Attention) -> tuple[Array, Attention]:
        weights = self._weights
        query = _linear(cell, output, weights, "attention/query")
        scores = np.tanh(attention.keys + query[:, None]) @ weights["attention/score_vector"]
        summary = np.matmul(softmax(scores)[:, None], attention.memory)[:, 0]
        mixed = _linear(output, summary, weights, "attention/output")
        attention.memory[:, attention.slot] = mixed
        attention.keys[:, attention.slot] = mixed @ weights["attention/memory_kernel"]
        slot = (attention.slot + 1) % self._attn_length
        return mixed, Attention(summary, attention.memory, attention.keys, slot)


def lstm_cell(gates: Array, cell: Array) -> tuple[Array, Array]:
    """One step of an LSTM from its four gates before activation.

    Args:
      gates: [batch, 4 x units]: input, new input, forget, output.
      cell: [batch, units].

    Returns:
      The new cell and the output, [batch, units] each:
      cell' = sigmoid(forget + 1) cell + sigmoid(input) tanh(new input); output = sigmoid(output) tanh(cell').
    """
    input_gate, new_input, forget_gate, output_gate = np.split(gates, 4, axis=1)
    new_cell = sigmoid(forget_gate + np.float32(FORGET_BIAS)) * cell + sigmoid(input_gate) * np.tanh(new_input)
    return new_cell, sigmoid(output_gate) * np.tanh(new_cell)


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), through tanh, which cannot overflow."""
    half = np.float32(0.5)
    return half * np.tanh(half * values) + half


def softmax(logits: Array) -> Array:
    """Probabilities over the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def log_softmax(logits: Array) -> Array:
    """Logarithms of probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _linear(first: Array, second: Array, weights: Weights, name: str) -> Array:
    return np.concatenate([first, second], axis=1) @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

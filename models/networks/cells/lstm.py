"""The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

from collections.abc import Mapping

import numpy as np

from etude.models.networks.cells.arrays import HALF, Array, Layer, Places, Shapes, aligned, by_gate, project


def lstm_shapes(input_size: int, units: int) -> Shapes:
    """One kernel for input and last output, gates in TensorFlow 1's order: input, new input, forget, output."""
    return {"kernel": (input_size + units, 4 * units), "bias": (4 * units,)}


def lstm_step(gates: Array, cell: Array, output: Array) -> None:
    """One step of an LSTM, in place.

    cell' = sigmoid(forget) cell + sigmoid(input) tanh(new input); output = sigmoid(output) tanh(cell').

    Args:
      gates: input, forget, output and new input before activation, the first three halved, [4, batch, units]; the first
        three become what they are after it, the last is overwritten. (A sigmoid is 1/2 tanh(x/2) + 1/2, so all four gates
        need but one tanh.)
      cell: [batch, units]; becomes the new cell.
      output: [batch, units]; becomes the output.
    """
    np.tanh(gates, out=gates)
    sigmoids = gates[:3]
    sigmoids *= HALF
    sigmoids += HALF
    input_gate, forget_gate, output_gate, new_input = gates
    cell *= forget_gate
    new_input *= input_gate
    cell += new_input
    np.tanh(cell, out=new_input)
    np.multiply(output_gate, new_input, out=output)


class LstmLayer(Layer):
    """A layer of LSTM cells."""

    gate_names = ("input gate", "forget gate", "output gate")

    def __init__(self, weights: Mapping[str, Array], forget_bias: float) -> None:
        """Lays the weights out as `lstm_step` takes the gates, the bias as last row of the recurrent kernel.

        Args:
          weights: of the shapes of `lstm_shapes`.
          forget_bias: is added to the forget gate's own.
        """
        units = len(weights["bias"]) // 4
        gates = by_gate(np.concatenate([weights["kernel"], weights["bias"][None]]), 4)
        gates[2, -1] += np.float32(forget_bias)
        gates[[0, 2, 3]] *= HALF
        gates = gates[[0, 2, 3, 1]]
        self._kernels, self._recurrent = aligned(gates[:, : -units - 1]), aligned(gates[:, -units - 1 :])
        self.memory_size = units

    def step(self, inputs: Array | Places, memory: Array, output: Array) -> Array:
        """One step of every sequence, in place. See base class."""
        # One product for the input and one for the last output: large ones are slower.
        gates = project(inputs, self._kernels)
        gates += np.matmul(output, self._recurrent)
        lstm_step(gates, memory, output[:, :-1])
        return gates[:3]

"""The gated recurrent unit (Cho et al. 2014), with the reset after the product, as cuDNN has it."""

from collections.abc import Mapping

import numpy as np

from etude.models.networks.cells.arrays import HALF, Array, Layer, Places, Shapes, aligned, by_gate, project


def gru_shapes(input_size: int, units: int) -> Shapes:
    """Kernels and biases for the input and for the last output, gates in Keras's order: update, reset, new."""
    return {
        "kernel": (input_size, 3 * units),
        "recurrent_kernel": (units, 3 * units),
        "bias": (3 * units,),
        "recurrent_bias": (3 * units,),
    }


def gru_step(from_input: Array, from_output: Array, output: Array) -> None:
    """One step of a gated recurrent unit, in place.

    output' = sigmoid(update) output + (1 - sigmoid(update)) new, with new = tanh(new of the input + sigmoid(reset) new of
    the last output); update and reset are sums of the shares of both.

    Args:
      from_input: the input's share in update, reset and new, biases included, update and reset halved,
        [3, batch, units]; update and reset become what they are after activation, new is overwritten.
      from_output: the last output's, the same.
      output: the last output, [batch, units]; becomes the new one.
    """
    gates = from_input[:2]
    gates += from_output[:2]
    np.tanh(gates, out=gates)
    gates *= HALF
    gates += HALF
    update, reset = gates
    new = from_input[2]
    new += reset * from_output[2]
    np.tanh(new, out=new)
    output -= new
    output *= update
    output += new


class GruLayer(Layer):
    """A layer of gated recurrent units, which remember nothing but their output."""

    memory_size = 0
    gate_names = ("update gate", "reset gate")

    def __init__(self, weights: Mapping[str, Array]) -> None:
        """Lays the weights out as `gru_step` takes the gates, the recurrent bias as last row of the recurrent kernel."""
        recurrent = by_gate(np.concatenate([weights["recurrent_kernel"], weights["recurrent_bias"][None]]), 3)
        kernels, bias = by_gate(weights["kernel"], 3), by_gate(weights["bias"][None], 3)
        for gates in (recurrent, kernels, bias):
            gates[:2] *= HALF
        self._kernels, self._recurrent, self._bias = aligned(kernels), aligned(recurrent), bias

    def step(self, inputs: Array | Places, memory: Array, output: Array) -> Array:
        """One step of every sequence, in place. See base class."""
        from_input = project(inputs, self._kernels)
        from_input += self._bias
        gru_step(from_input, np.matmul(output, self._recurrent), output[:, :-1])
        return from_input[:2]

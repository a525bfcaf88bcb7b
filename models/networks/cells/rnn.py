"""The simple recurrent cell (Elman 1990)."""

from collections.abc import Mapping

import numpy as np

from etude.models.networks.cells.arrays import Array, Layer, Places, Shapes, aligned, project


def rnn_shapes(input_size: int, units: int) -> Shapes:
    """One kernel for input and last output, and a bias."""
    return {"kernel": (input_size + units, units), "bias": (units,)}


def rnn_step(total: Array, output: Array) -> None:
    """One step of a simple recurrent cell, in place: output' = tanh(total).

    Args:
      total: input times kernel, last output times kernel, and bias, added up, [batch, units].
      output: [batch, units]; becomes the new output.
    """
    np.tanh(total, out=output)


class RnnLayer(Layer):
    """A layer of simple recurrent cells, which remember nothing but their output."""

    memory_size = 0

    def __init__(self, weights: Mapping[str, Array]) -> None:
        """Takes the bias as last row of the recurrent kernel."""
        units = len(weights["bias"])
        joint = np.concatenate([weights["kernel"], weights["bias"][None]])
        self._kernel, self._recurrent = aligned(joint[None, : -units - 1]), aligned(joint[-units - 1 :])

    def step(self, inputs: Array | Places, memory: Array, output: Array) -> Array:
        """One step of every sequence, in place. See base class."""
        total = project(inputs, self._kernel)[0]
        total += output @ self._recurrent
        rnn_step(total, output[:, :-1])
        return total[None][:0]

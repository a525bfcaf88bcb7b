"""What the layers of all cells share."""

import abc
import math
from typing import cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Shapes = dict[str, tuple[int, ...]]

HALF = np.float32(0.5)

_ALIGNMENT = 64
"""Bytes of a cache line. Products of small batches are half as fast again if every row of a kernel begins with one."""


class Layer(abc.ABC):
    """A layer of cells with its weights.

    Attributes:
      memory_size: numbers that a cell remembers besides its output, for all units together; 0 where there are none.
      gate_names: what its gates are called, in the order of `step`.
    """

    memory_size: int
    gate_names: tuple[str, ...] = ()

    @abc.abstractmethod
    def step(self, inputs: Array | Places, memory: Array, output: Array) -> Array:
        """One step of every sequence, in place.

        Args:
          inputs: [batch, input_size]; or, where they are one-hot, the places of the ones, [batch].
          memory: [batch, memory_size]; becomes the new one.
          output: the last output, and a 1 for the bias, [batch, units + 1]; becomes the new one.

        Returns:
          How far each gate was open, from 0 to 1: [gates, batch, units].
        """


def project(inputs: Array | Places, kernels: Array) -> Array:
    """Inputs, or the places of their ones, times a kernel a gate: [gates, batch, units] from [gates, input_size, units]."""
    if inputs.ndim == 1:
        return kernels.take(cast(Places, inputs), axis=1)
    return np.asarray(np.matmul(inputs, kernels))


def by_gate(kernel: Array, gates: int) -> Array:
    """A kernel a gate, [gates, rows, units], of gates side by side, [rows, gates x units].

    One matrix a gate is faster than all side by side: the product is small, and each gate's result is contiguous.
    """
    return kernel.reshape(len(kernel), gates, -1).transpose(1, 0, 2).copy()


def aligned(array: Array) -> Array:
    """A copy whose every row begins with a cache line."""
    per_line = _ALIGNMENT // array.itemsize
    width = -(-array.shape[-1] // per_line) * per_line
    size = math.prod(array.shape[:-1]) * width
    room = np.zeros(size + per_line, array.dtype)
    start = -room.ctypes.data % _ALIGNMENT // array.itemsize
    result = room[start : start + size].reshape(*array.shape[:-1], width)[..., : array.shape[-1]]
    result[...] = array
    return result

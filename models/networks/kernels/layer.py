"""A recurrent layer of any cell over whole sequences, forward and backward, on arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.networks.cells.arrays import Array, Places
from etude.models.networks.kernels import gru, lstm, rnn

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""Columns of a kernel for each unit."""

_ROWS_AT_ONCE = 512
"""Whose inputs are projected in one product: they stay in the processor's cache until their steps are taken."""

_LEAST_STEPS_AT_ONCE = 8


class Kept(NamedTuple):
    """What backward needs of forward.

    Attributes:
      outputs: the first output, and those of all steps, [1 + steps, batch, units].
      cells: the same of an LSTM's cells; of other cells empty.
      gates: as the cell keeps them, [steps, batch, 4 x units]; of the simple cell empty.
    """

    outputs: Array
    cells: Array
    gates: Array


class Gradients(NamedTuple):
    """With respect to all that goes in.

    Attributes:
      inputs: [steps, batch, input_size]; without steps where they are not wanted.
      weights: by their names.
      state: of the first output, and of an LSTM the first cell, [batch, units] each.
    """

    inputs: Array
    weights: dict[str, Array]
    state: tuple[Array, ...]


class CompiledLayer:
    """A layer, whose weights and state are given at every call; it holds nothing between calls.

    The arithmetic is that of `etude.models.networks.cells`, in float32.
    """

    def __init__(self, cell: str, units: int, forget_bias: float = 0.0) -> None:
        """Makes a layer.

        Args:
          cell: lstm, gru or rnn.
          units: numbers that go out.
          forget_bias: is added to an LSTM's own.
        """
        self.cell = cell
        self.units = units
        self._forget_bias = np.float32(forget_bias)

    @property
    def num_states(self) -> int:
        """Arrays of a state: the last output, and of an LSTM the cell."""
        return 2 if self.cell == "lstm" else 1

    def forward(
        self, inputs: Array | Places, weights: Mapping[str, Array], state: Sequence[Array], keeps: bool = True
    ) -> Kept:
        """Outputs and cells of all steps.

        Args:
          inputs: [steps, batch, input_size]; or, where they are one-hot, the places of the ones, [steps, batch].
          weights: of the shapes of `etude.models.networks.cells.SHAPES`.
          state: the last output, and of an LSTM the cell, [batch, units] each.
          keeps: whether `backward` is to come; without, gates are those of the last step, and cells of the last two.
        """
        steps, batch = inputs.shape[:2]
        units, width = self.units, GATES[self.cell] * self.units
        outputs = _empty(1 + steps, batch, units)
        outputs[0] = state[0]
        gates = _empty(0 if self.cell == "rnn" else steps if keeps else min(steps, 1), batch, 4 * units)
        cells = _empty((1 + steps if keeps else 2) if self.cell == "lstm" else 0, batch, units)
        if self.cell == "lstm":
            cells[0] = state[1]
        if not steps * batch:
            return Kept(outputs, cells, gates)
        kernel, recurrent = self._kernels(weights)
        rooms = _empty(self._block(steps, batch) * batch, width), _empty(batch, width)
        flat = _rows(inputs)
        if self.cell == "lstm":
            bias = weights["bias"] + np.repeat(np.array([0, 0, self._forget_bias, 0], np.float32), units)
            lstm.forward(flat, kernel, recurrent, bias, _rows(outputs), _rows(cells), _rows(gates), *rooms)
        elif self.cell == "gru":
            back = weights["recurrent_bias"]
            bias = weights["bias"] + np.concatenate([back[: 2 * units], np.zeros(units, np.float32)])
            gru.forward(flat, kernel, recurrent, bias, back[2 * units :], _rows(outputs), _rows(gates), *rooms)
        else:
            rnn.forward(flat, kernel, recurrent, weights["bias"], _rows(outputs), *rooms)
        return Kept(outputs, cells, gates)

    def backward(
        self,
        inputs: Array | Places,
        weights: Mapping[str, Array],
        kept: Kept,
        d_outputs: Array,
        d_state: Sequence[Array],
        wants_inputs: bool = True,
    ) -> Gradients:
        """The gradients of a sum of all that comes out, each number times what is given for it.

        Args:
          inputs: as `forward` took them.
          weights: as `forward` took them.
          kept: what it returned.
          d_outputs: of the outputs, [steps, batch, units].
          d_state: of the state after the last step.
          wants_inputs: whether those of the inputs are needed; those of places never are.
        """
        steps, batch = inputs.shape[:2]
        width = GATES[self.cell] * self.units
        d_weights = {name: np.zeros_like(weight) for name, weight in weights.items()}
        d_kernel, d_recurrent = self._kernels(d_weights)
        before = tuple(np.array(values) for values in d_state)
        dense = inputs.ndim == 3 and wants_inputs
        d_inputs = _empty(steps if dense else 0, batch, len(d_kernel))
        if steps * batch:
            kernel, recurrent = (np.ascontiguousarray(matrix.T) for matrix in self._kernels(weights))
            block = self._block(steps, batch) * batch
            first: tuple[Any, ...] = (_rows(inputs), kernel, recurrent, _rows(kept.outputs))
            last: tuple[Any, ...] = (np.empty_like(d_kernel), np.empty_like(d_recurrent))
            sums: tuple[Any, ...] = (d_kernel, d_recurrent, d_weights["bias"])
            rooms: tuple[Any, ...] = (_empty(block, width),)
            flat, given = _rows(d_inputs), _rows(d_outputs)
            if self.cell == "lstm":
                lstm.backward(*first, _rows(kept.cells), _rows(kept.gates), given, *before, *sums, flat, *rooms, *last)
            elif self.cell == "gru":
                sums = (*sums, d_weights["recurrent_bias"])
                rooms = (*rooms, _empty(block, width))
                gru.backward(*first, _rows(kept.gates), given, *before, *sums, flat, *rooms, *last)
            else:
                rnn.backward(*first, given, *before, *sums, flat, *rooms, *last)
        return Gradients(d_inputs, d_weights, before)

    def _kernels(self, weights: Mapping[str, Array]) -> tuple[Array, Array]:
        """Views of the kernels for the input and for the last output."""
        if self.cell == "gru":
            return weights["kernel"], weights["recurrent_kernel"]
        return weights["kernel"][: -self.units], weights["kernel"][-self.units :]

    @staticmethod
    def _block(steps: int, batch: int) -> int:
        """Steps that are projected at a time."""
        return min(steps, max(_LEAST_STEPS_AT_ONCE, _ROWS_AT_ONCE // batch))


def _rows(values: npt.NDArray[Any]) -> Any:
    """Steps and batch as one axis."""
    return values.reshape(-1, *values.shape[2:])


_ALIGNMENT = 64
"""Bytes. TensorFlow takes arrays as they are that begin with a cache line, and copies others."""


def _empty(*shape: int) -> Array:
    """An array with anything in it."""
    size = int(np.prod(shape))
    room = np.empty(size + _ALIGNMENT // 4, np.float32)
    start = -room.ctypes.data % _ALIGNMENT // 4
    return room[start : start + size].reshape(shape)

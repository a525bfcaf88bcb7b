"""An LSTM layer over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `etude.models.networks.cells.lstm`. Inside the loops over time stays only what depends on the step
before: the projection of the inputs and the gradients of the weights are matrix products over a block of steps. Of what is
four times as wide as the layer, only the activated gates are kept for all steps, on a stack from which the gradient takes
them: their memory is used again at once, while it is in the processor's cache.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from etude.models.networks.tensorflow_steps import (
    BLOCK,
    State,
    Tensor,
    activate,
    array_of,
    cell_gradients,
    product_over_steps,
    project,
    shifted,
)


class LstmLayer:
    """A layer of LSTM cells, without recurrent dropout."""

    def __init__(self, units: int, forget_bias: float) -> None:
        """Makes a layer.

        Args:
          units: numbers that go out.
          forget_bias: is added to the forget gate's own.
        """
        self._units = units
        self._forget_bias = forget_bias

    def initial_state(self, batch_size: Tensor) -> State:
        """Zeros: the last output and the cell, [batch, units] each."""
        return tf.zeros([batch_size, self._units]), tf.zeros([batch_size, self._units])

    def __call__(self, inputs: Tensor, weights: Mapping[str, Tensor], state: State) -> tuple[Tensor, State]:
        """The outputs, and the state after the last step: see `etude.models.networks.tensorflow_layers.Layer`."""
        kernel, input_size = weights["kernel"], inputs.shape[2]
        bias = weights["bias"] + tf.repeat(tf.constant([0.0, 0.0, self._forget_bias, 0.0]), self._units)
        outputs, *after = _recurrence(inputs, kernel[:input_size], kernel[input_size:], bias, *state)
        return outputs, tuple(after)


@tf.custom_gradient
def _recurrence(
    inputs: Tensor, input_kernel: Tensor, kernel: Tensor, bias: Tensor, first_output: Tensor, first_cell: Tensor
) -> tuple[tuple[Tensor, ...], Any]:
    """The layer as a function of tensors alone: to outputs, and last output and cell."""
    units = kernel.shape[0]
    steps, batch = tf.unstack(tf.shape(inputs)[:2])
    blocks = (steps + BLOCK - 1) // BLOCK
    first_output, first_cell = (tf.reshape(values, [batch, units]) for values in (first_output, first_cell))

    def forward(block: Tensor, *state: Any) -> tuple[Any, ...]:
        start = block * BLOCK
        projected = project(inputs[start : start + BLOCK], input_kernel, bias)
        return (block + 1, *_forward_block(start, projected, kernel, *state))

    _, last_cell, last_output, activated, cells, array = tf.while_loop(
        lambda block, *_: block < blocks,
        forward,
        (0, first_cell, first_output, _stack(4 * units), _stack(units), array_of(steps, None, units)),
        maximum_iterations=blocks,
    )
    outputs = array.stack()

    def gradient(d_outputs: Tensor, d_last_output: Tensor, d_last_cell: Tensor) -> tuple[Tensor, ...]:
        transposed = tf.transpose(input_kernel), tf.transpose(kernel)

        def backward(
            block: Tensor, state: tuple[Tensor, ...], sums: tuple[Tensor, ...], d_inputs: Any
        ) -> tuple[Any, ...]:
            block -= 1
            start = block * BLOCK
            here = slice(start, start + BLOCK)
            state, d_gates = _backward_block(d_outputs[here], transposed[1], *state)
            first = tf.where(start > 0, outputs[tf.maximum(start - 1, 0)], first_output)
            added = (
                product_over_steps(inputs[here], d_gates),
                product_over_steps(shifted(first, outputs[here]), d_gates),
                tf.reduce_sum(d_gates, axis=[0, 1]),
            )
            sums = tuple(total + more for total, more in zip(sums, added, strict=True))
            return block, state, sums, d_inputs.write(block, project(d_gates, transposed[0], None))

        state = (last_cell, d_last_cell, d_last_output, activated, cells)
        sums = tuple(tf.zeros_like(weight) for weight in (input_kernel, kernel, bias))
        _, (_, d_first_cell, d_first_output, *_), sums, d_inputs = tf.while_loop(
            lambda block, *_: block > 0,
            backward,
            (blocks, state, sums, array_of(blocks, None, *inputs.shape[1:])),
            maximum_iterations=blocks,
        )
        return (d_inputs.concat(), *sums, d_first_output, d_first_cell)

    return (outputs, last_output, last_cell), gradient


def _forward_block(
    start: Tensor,
    projected: Tensor,
    kernel: Tensor,
    cell: Tensor,
    output: Tensor,
    activated: Tensor,
    cells: Tensor,
    outputs: tf.TensorArray,
) -> tuple[Any, ...]:
    """Some steps forward.

    Args:
      start: the first step's number.
      projected: the projected inputs, [count, batch, 4 x units].
      kernel: the recurrent kernel, [units, 4 x units].
      cell: before the steps, [batch, units].
      output: before the steps, [batch, units].
      activated: stack of the activated gates of all steps, [batch, 4 x units] each.
      cells: stack of the cells before all steps, [batch, units] each.
      outputs: of all steps, [batch, units] each.

    Returns:
      cell, output, activated, cells and outputs after them.
    """
    count = tf.shape(projected)[0]

    def step(index: Tensor, cell: Tensor, output: Tensor, activated: Tensor, cells: Tensor, outputs: Any) -> Any:
        gates = activate(projected[index] + tf.matmul(output, kernel))
        activated, cells = _push(activated, tf.concat(gates, axis=1)), _push(cells, cell)
        input_gate, new_input, forget_gate, output_gate = gates
        cell = forget_gate * cell + input_gate * new_input
        output = output_gate * tf.tanh(cell)
        return index + 1, cell, output, activated, cells, outputs.write(start + index, output)

    begin = (0, cell, output, activated, cells, outputs)
    _, *state = tf.while_loop(lambda index, *_: index < count, step, begin, maximum_iterations=count)
    return tuple(state)


def _backward_block(
    d_outputs: Tensor,
    transposed: Tensor,
    cell: Tensor,
    d_cell: Tensor,
    d_output: Tensor,
    activated: Tensor,
    cells: Tensor,
) -> tuple[tuple[Tensor, ...], Tensor]:
    """The steps of a block backward.

    Args:
      d_outputs: gradients with respect to the outputs, [count, batch, units].
      transposed: the recurrent kernel, [4 x units, units]: its product is twice as fast as that of the kernel.
      cell: after the steps, [batch, units].
      d_cell: the gradient with respect to it that comes from later steps.
      d_output: the same of the output after the steps, [batch, units].
      activated: as `_forward_block` returned it.
      cells: as `_forward_block` returned it.

    Returns:
      cell, d_cell, d_output, activated and cells before the steps; and the gradients with respect to the gates before
      activation, [count, batch, 4 x units].
    """
    count, units = tf.shape(d_outputs)[0], transposed.shape[1]

    def step(
        index: Tensor, cell: Tensor, d_cell: Tensor, d_output: Tensor, activated: Tensor, cells: Tensor, d_gates: Any
    ) -> tuple[Any, ...]:
        index -= 1
        activated, gates = _pop(activated, cell.shape[0], 4 * units)
        cells, cell_before = _pop(cells, *cell.shape)
        d_gate, d_cell = cell_gradients(d_cell, d_output + d_outputs[index], gates, cell_before, cell)
        d_gates = d_gates.write(index, d_gate)
        return index, cell_before, d_cell, tf.matmul(d_gate, transposed), activated, cells, d_gates

    begin = (count, cell, d_cell, d_output, activated, cells, array_of(count, None, 4 * units))
    _, *state, array = tf.while_loop(lambda index, *_: index > 0, step, begin, maximum_iterations=count)
    return tuple(state), array.stack()


def _stack(columns: int) -> Tensor:
    """An empty stack of tensors [batch, columns]."""
    return tf.raw_ops.EmptyTensorList(element_shape=[-1, columns], max_num_elements=-1, element_dtype=tf.float32)


def _push(stack: Tensor, value: Tensor) -> Tensor:
    """The stack with a value more."""
    return tf.raw_ops.TensorListPushBack(input_handle=stack, tensor=value)


def _pop(stack: Tensor, batch: int | None, columns: int) -> tuple[Tensor, Tensor]:
    """The stack without its last value, and that value, [batch, columns]."""
    popped = tf.raw_ops.TensorListPopBack(input_handle=stack, element_shape=[-1, columns], element_dtype=tf.float32)
    popped.tensor.set_shape([batch, columns])
    return popped.output_handle, popped.tensor

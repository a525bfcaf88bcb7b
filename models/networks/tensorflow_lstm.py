"""An LSTM layer over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `etude.models.networks.network.lstm_cell`. Inside the loops over time stays only what depends on
the step before: the projection of the inputs and the gradients of the weights are matrix products over a block of steps.
Of what is four times as wide as the layer, only the activated gates are kept for all steps, on a stack from which the
gradient takes them: their memory is used again at once, while it is in the processor's cache.
"""

from typing import Any

import tensorflow as tf

from etude.models.networks.weights import FORGET_BIAS

Tensor = Any

BLOCK = 64
"""Steps that are taken together."""


def lstm_layer(inputs: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The outputs of an LSTM layer that starts from zeros.

    Args:
      inputs: [steps, batch, input_size].
      kernel: [input_size + units, 4 x units], gates in the order input, new input, forget, output.
      bias: [4 x units].

    Returns:
      [steps, batch, units].
    """
    input_size = inputs.shape[2]
    return _recurrence(inputs, kernel[:input_size], kernel[input_size:], bias)


def project(inputs: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Inputs x kernel + bias at every step: [steps, batch, columns]."""
    product = tf.matmul(tf.reshape(inputs, [-1, inputs.shape[2]]), kernel)
    if bias is not None:
        product = tf.nn.bias_add(product, bias)
    shape = tf.concat([tf.shape(inputs)[:2], [kernel.shape[1]]], axis=0)
    return tf.ensure_shape(tf.reshape(product, shape), [*inputs.shape[:2], kernel.shape[1]])


def activate(gates: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Input gate, new input, forget gate and output gate after their activations, [batch, units] each."""
    input_gate, new_input, forget_gate, output_gate = tf.split(gates, 4, axis=1)
    return tf.sigmoid(input_gate), tf.tanh(new_input), tf.sigmoid(forget_gate + FORGET_BIAS), tf.sigmoid(output_gate)


def cell_gradients(
    d_cell: Tensor, d_output: Tensor, activated: Tensor, cell_before: Tensor, cell: Tensor
) -> tuple[Tensor, Tensor]:
    """The backward step of an LSTM cell.

    Args:
      d_cell: gradient with respect to the new cell that comes from later steps, [batch, units].
      d_output: gradient with respect to the output, [batch, units].
      activated: the four activated gates side by side, [batch, 4 x units].
      cell_before: the cell before the step, [batch, units].
      cell: the cell after it, [batch, units].

    Returns:
      Gradients with respect to the gates before activation, [batch, 4 x units], and to the cell before, [batch, units].
    """
    input_gate, new_input, forget_gate, output_gate = tf.split(activated, 4, axis=1)
    squashed = tf.tanh(cell)
    d_cell += d_output * output_gate * (1.0 - squashed * squashed)
    d_gates = tf.concat(
        [
            d_cell * new_input * input_gate * (1.0 - input_gate),
            d_cell * input_gate * (1.0 - new_input * new_input),
            d_cell * cell_before * forget_gate * (1.0 - forget_gate),
            d_output * squashed * output_gate * (1.0 - output_gate),
        ],
        axis=1,
    )
    return d_gates, d_cell * forget_gate


def product_over_steps(left: Tensor, right: Tensor) -> Tensor:
    """The gradient of a kernel: left' x right summed over steps and batch, [left columns, right columns]."""
    flat = (tf.reshape(values, [-1, values.shape[2]]) for values in (left, right))
    return tf.matmul(*flat, transpose_a=True)


def shifted(first: Tensor, values: Tensor) -> Tensor:
    """What was there before each step of a block: the first, then all values but the last."""
    return tf.concat([first[None], values[:-1]], axis=0)


def array_of(size: Tensor, *shape: int | None) -> tf.TensorArray:
    """A TensorArray for `size` tensors of `shape`."""
    shapes = tf.TensorShape(shape)
    return tf.TensorArray(tf.float32, size=size, element_shape=shapes, clear_after_read=False, infer_shape=False)


@tf.custom_gradient
def _recurrence(inputs: Tensor, input_kernel: Tensor, kernel: Tensor, bias: Tensor) -> tuple[Tensor, Any]:
    """The layer as a function of tensors alone: inputs, input kernel, recurrent kernel and bias to outputs."""
    units = kernel.shape[0]
    steps, batch = tf.unstack(tf.shape(inputs)[:2])
    blocks = (steps + BLOCK - 1) // BLOCK
    zeros = tf.zeros([batch, units])

    def forward(block: Tensor, *state: Any) -> tuple[Any, ...]:
        start = block * BLOCK
        projected = project(inputs[start : start + BLOCK], input_kernel, bias)
        return (block + 1, *_forward_block(start, projected, kernel, *state))

    _, last_cell, _, activated, cells, array = tf.while_loop(
        lambda block, *_: block < blocks,
        forward,
        (0, zeros, zeros, _stack(4 * units), _stack(units), array_of(steps, None, units)),
        maximum_iterations=blocks,
    )
    outputs = array.stack()

    def gradient(d_outputs: Tensor) -> tuple[Tensor, ...]:
        transposed = tf.transpose(input_kernel), tf.transpose(kernel)

        def backward(
            block: Tensor, state: tuple[Tensor, ...], sums: tuple[Tensor, ...], d_inputs: Any
        ) -> tuple[Any, ...]:
            block -= 1
            start = block * BLOCK
            here = slice(start, start + BLOCK)
            state, d_gates = _backward_block(d_outputs[here], transposed[1], *state)
            first = tf.where(start > 0, outputs[tf.maximum(start - 1, 0)], zeros)
            added = (
                product_over_steps(inputs[here], d_gates),
                product_over_steps(shifted(first, outputs[here]), d_gates),
                tf.reduce_sum(d_gates, axis=[0, 1]),
            )
            sums = tuple(total + more for total, more in zip(sums, added, strict=True))
            return block, state, sums, d_inputs.write(block, project(d_gates, transposed[0], None))

        state = (last_cell, zeros, zeros, activated, cells)
        sums = tuple(tf.zeros_like(weight) for weight in (input_kernel, kernel, bias))
        _, _, sums, d_inputs = tf.while_loop(
            lambda block, *_: block > 0,
            backward,
            (blocks, state, sums, array_of(blocks, None, *inputs.shape[1:])),
            maximum_iterations=blocks,
        )
        return (d_inputs.concat(), *sums)

    return outputs, gradient


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

"""What loops over the steps of an LSTM are made of, in TensorFlow, with gradients written by hand."""

from typing import Any

import tensorflow as tf

Tensor = Any

State = tuple[Tensor, ...]
"""Of a layer, after a step: what the next one starts from."""

BLOCK = 64
"""Steps that are taken together."""


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
    return tf.sigmoid(input_gate), tf.tanh(new_input), tf.sigmoid(forget_gate), tf.sigmoid(output_gate)


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

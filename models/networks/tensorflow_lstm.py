"""An LSTM layer over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `models.networks.network.lstm_cell`. The input projection is one matrix product over all steps,
and so are the gradients of the weights: inside the loops over time stays only what depends on the step before.
"""

from typing import Any

import tensorflow as tf

from models.networks.weights import FORGET_BIAS

Tensor = Any


def lstm_layer(inputs: Tensor, kernel: Tensor, bias: Tensor, precision: tf.DType = tf.float32) -> Tensor:
    """The outputs of an LSTM layer that starts from zeros.

    Args:
      inputs: [steps, batch, input_size].
      kernel: [input_size + units, 4 x units], gates in the order input, new input, forget, output.
      bias: [4 x units].
      precision: of the matrix products over all steps; what they add up, and all else, is float32.

    Returns:
      [steps, batch, units].
    """
    input_size = inputs.shape[2]
    return _recurrence(precision)(project(inputs, kernel[:input_size], bias, precision), kernel[input_size:])


def project(inputs: Tensor, kernel: Tensor, bias: Tensor, precision: tf.DType = tf.float32) -> Tensor:
    """Inputs x kernel + bias at every step: [steps, batch, columns]."""
    flat = tf.reshape(inputs, [-1, inputs.shape[2]])
    shape = tf.concat([tf.shape(inputs)[:2], [kernel.shape[1]]], axis=0)
    product = tf.matmul(tf.cast(flat, precision), tf.cast(kernel, precision))
    projected = tf.reshape(tf.nn.bias_add(tf.cast(product, tf.float32), bias), shape)
    return tf.ensure_shape(projected, [None, None, kernel.shape[1]])


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


def delay(values: Tensor) -> Tensor:
    """The values of the step before, zeros at the first: [steps, batch, units]."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], axis=0)


def product_over_steps(left: Tensor, right: Tensor, precision: tf.DType = tf.float32) -> Tensor:
    """The gradient of a kernel: left' x right summed over steps and batch, [left columns, right columns]."""
    flat = (tf.cast(tf.reshape(values, [-1, values.shape[2]]), precision) for values in (left, right))
    return tf.cast(tf.matmul(*flat, transpose_a=True), tf.float32)


def array_of_steps(steps: Tensor, *shape: int | None) -> tf.TensorArray:
    """A TensorArray for one tensor of `shape` a step."""
    return tf.TensorArray(tf.float32, size=steps, element_shape=tf.TensorShape(shape), clear_after_read=False)


def _recurrence(precision: tf.DType) -> Any:
    """The recurrent part, as a function of tensors alone.

    It takes projected inputs [steps, batch, 4 x units] and kernel [units, 4 x units], and returns the outputs.
    """

    @tf.custom_gradient
    def recurrence(projected: Tensor, kernel: Tensor) -> tuple[Tensor, Any]:
        units = kernel.shape[0]
        steps = tf.shape(projected)[0]
        zeros = tf.zeros([tf.shape(projected)[1], units])

        def forward(step: Tensor, cell: Tensor, output: Tensor, *arrays: Any) -> tuple[Any, ...]:
            gates = projected[step] + tf.matmul(output, kernel)
            input_gate, new_input, forget_gate, output_gate = activate(gates)
            cell = forget_gate * cell + input_gate * new_input
            output = output_gate * tf.tanh(cell)
            activated = tf.concat([input_gate, new_input, forget_gate, output_gate], axis=1)
            written = (array.write(step, value) for array, value in zip(arrays, (activated, cell, output), strict=True))
            return (step + 1, cell, output, *written)

        arrays = [array_of_steps(steps, None, columns) for columns in (4 * units, units, units)]
        results = tf.while_loop(
            lambda step, *_: step < steps, forward, (0, zeros, zeros, *arrays), maximum_iterations=steps
        )
        activated, cells, outputs = (array.stack() for array in results[3:])

        def gradient(d_outputs: Tensor) -> tuple[Tensor, Tensor]:
            cells_before = delay(cells)

            def backward(step: Tensor, d_cell: Tensor, d_output: Tensor, d_gates: Any) -> tuple[Any, ...]:
                step -= 1
                d_gate, d_cell = cell_gradients(
                    d_cell, d_output + d_outputs[step], activated[step], cells_before[step], cells[step]
                )
                return step, d_cell, tf.matmul(d_gate, kernel, transpose_b=True), d_gates.write(step, d_gate)

            *_, written = tf.while_loop(
                lambda step, *_: step > 0,
                backward,
                (steps, zeros, zeros, array_of_steps(steps, None, 4 * units)),
                maximum_iterations=steps,
            )
            d_gates = written.stack()
            return d_gates, product_over_steps(delay(outputs), d_gates, precision)

        return outputs, gradient

    return recurrence

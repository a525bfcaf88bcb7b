"""The LSTM layer with attention over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `etude.models.networks.network.Network`. The loops over time are compiled, in blocks of at most
BLOCK steps, whose sizes do not depend on how long the sequences are: so little is compiled. Between them come the matrix
products over all steps of a block.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from etude.models.networks.tensorflow_attention_steps import backward_steps, exponentials, forward_steps
from etude.models.networks.tensorflow_steps import BLOCK, State, Tensor, array_of, product_over_steps, project, shifted


class AttentionLayer:
    """A layer of LSTM cells that attends to its own last outputs."""

    def __init__(self, units: int, attn_length: int, forget_bias: float) -> None:
        """Makes a layer.

        Args:
          units: numbers that go out.
          attn_length: steps that it looks back on.
          forget_bias: is added to the forget gate's own.
        """
        self._units = units
        self._attn_length = attn_length
        self._forget_bias = forget_bias

    def initial_state(self, batch_size: Tensor) -> State:
        """Zeros: cell, output before attention, summary, [batch, units] each; last outputs, [batch, attn_length, units]."""
        rows = (tf.zeros([batch_size, self._units]) for _ in range(3))
        return *rows, tf.zeros([batch_size, self._attn_length, self._units])

    def __call__(self, inputs: Tensor, weights: Mapping[str, Tensor], state: State) -> tuple[Tensor, State]:
        """The outputs, and the state after the last step: see `etude.models.networks.tensorflow_layers.Layer`.

        The state is a constant: no gradient goes through it into what was before the first step. The last outputs in it are
        the oldest first.
        """
        input_size = inputs.shape[2]
        mix, kernel = weights["attention/input_kernel"], weights["kernel"]
        # Input and summary enter the gates through the input mix and the LSTM's kernel: one product does both.
        to_gates = tf.matmul(mix, kernel[:input_size])
        bias = tf.matmul(weights["attention/input_bias"][None], kernel[:input_size])[0] + weights["bias"]
        bias += tf.repeat(tf.constant([0.0, 0.0, self._forget_bias, 0.0]), self._units)
        outputs, *after = _recurrence(
            inputs,
            to_gates[:input_size],
            bias,
            tf.concat([to_gates[input_size:], kernel[input_size:]], axis=0),
            weights["attention/query_kernel"],
            weights["attention/query_bias"],
            weights["attention/memory_kernel"],
            weights["attention/score_vector"],
            weights["attention/output_kernel"],
            weights["attention/output_bias"],
            *state,
        )
        return outputs, tuple(after)


def _kernel_gradients(
    before: tuple[Tensor, ...],
    computed: tuple[Tensor, ...],
    outputs: Tensor,
    gradients: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """What a block adds to the gradients of kernel, query kernel and bias, memory kernel, output kernel and bias."""
    _, cells, hiddens, summaries, *_ = computed
    d_gates, *others = gradients
    d_queries, d_keys, d_outputs = (tf.transpose(values, [0, 2, 1]) for values in others)
    return (
        product_over_steps(tf.concat([shifted(before[2], summaries), shifted(before[1], hiddens)], axis=2), d_gates),
        product_over_steps(tf.concat([cells, hiddens], axis=2), d_queries),
        tf.reduce_sum(d_queries, axis=[0, 1]),
        product_over_steps(outputs, d_keys),
        product_over_steps(tf.concat([hiddens, summaries], axis=2), d_outputs),
        tf.reduce_sum(d_outputs, axis=[0, 1]),
    )


@tf.custom_gradient
def _recurrence(*tensors: Tensor) -> tuple[tuple[Tensor, ...], Any]:
    """The layer as a function of tensors alone.

    It takes the inputs [steps, batch, input_size]; the kernel and the bias that take them to the gates; the kernel
    [2 x units, 4 x units] from last summary and last output to the gates; the weights of query, memory, score and output;
    and the state. It returns the outputs and the state after them.
    """
    # The gradient is ours: none of TensorFlow's is to be prepared.
    inputs, input_kernel, bias, *rest = (tf.stop_gradient(values) for values in tensors)
    kernel, query_kernel, query_bias, memory_kernel, score_vector, output_kernel, output_bias, *state_before = rest
    attn_length = state_before[3].shape[1]
    units = memory_kernel.shape[0]
    steps, batch = tf.unstack(tf.shape(inputs)[:2])
    blocks = (steps + BLOCK - 1) // BLOCK
    zeros = tf.zeros([batch, units])
    row, gates, column = (None, units), (None, 4 * units), (units, None)
    empty, later = tf.zeros([attn_length, units, batch]), tf.zeros([attn_length, attn_length, batch])
    shapes = (*[row] * 3, *((BLOCK, *some) for some in (gates, row, row, row, column, (attn_length, None))))

    cell, hidden, summary = (tf.reshape(values, [batch, units]) for values in state_before[:3])
    memory = tf.reshape(tf.transpose(state_before[3], [1, 2, 0]), [attn_length, units, batch])
    keys = exponentials(tf.matmul(memory_kernel[None], memory, transpose_a=True))

    kernels = (
        kernel,
        tf.transpose(query_kernel),
        query_bias,
        tf.transpose(memory_kernel),
        score_vector,
        tf.transpose(output_kernel),
        output_bias,
    )

    def forward(block: Tensor, state: tuple[Tensor, ...], outputs: Any, *arrays: Any) -> tuple[Any, ...]:
        projected = project(_block(inputs, block), input_kernel, bias)
        start = block * BLOCK
        after, (*computed, output) = forward_steps(start, tf.minimum(steps - start, BLOCK), projected, kernels, state)
        outputs = outputs.write(block, tf.transpose(output, [0, 2, 1]))
        values = (*state[:3], *computed)
        return (
            block + 1,
            after,
            outputs,
            *(array.write(block, value) for array, value in zip(arrays, values, strict=True)),
        )

    _, after, written, *saved = tf.while_loop(
        lambda block, *_: block < blocks,
        forward,
        (
            0,
            (cell, hidden, summary, memory, keys),
            *(array_of(blocks, *shape) for shape in ((BLOCK, *row), *shapes)),
        ),
        maximum_iterations=blocks,
    )
    outputs = tf.ensure_shape(written.concat()[:steps], [*inputs.shape[:2], units])

    # The ring, turned so that the oldest comes first.
    last = tf.transpose(tf.roll(after[3], -(steps % attn_length), axis=0), [2, 0, 1])

    def gradient(d_outputs: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
        to_inputs = tf.transpose(input_kernel)
        kernels = (
            kernel[:units],
            tf.transpose(kernel[units:]),
            tf.transpose(query_kernel),
            tf.transpose(memory_kernel),
            memory_kernel,
            score_vector,
            tf.transpose(output_kernel[:units]),
            output_kernel[units:],
        )
        older = tf.concat([tf.transpose(memory, [0, 2, 1]), outputs], axis=0)

        def backward(
            block: Tensor, state: tuple[Tensor, ...], sums: tuple[Tensor, ...], d_inputs: Any
        ) -> tuple[Any, ...]:
            block -= 1
            before = tuple(array.read(block) for array in saved[:3])
            computed = tuple(array.read(block) for array in saved[3:])
            start = block * BLOCK
            state, gradients = backward_steps(
                start,
                tf.minimum(steps - start, BLOCK),
                _block(d_outputs, block),
                tf.transpose(_block(older, block), [0, 2, 1]),
                before[0],
                (*computed[:2], *computed[4:]),
                kernels,
                state,
            )
            d_gates = gradients[0]
            added = (
                product_over_steps(_block(inputs, block), d_gates),
                tf.reduce_sum(d_gates, axis=[0, 1]),
                *_kernel_gradients(before, computed, _block(outputs, block), gradients),
            )
            sums = tuple(total + more for total, more in zip(sums, added, strict=True))
            return block, state, sums, d_inputs.write(block, project(d_gates, to_inputs, None))

        summed = (input_kernel, bias, kernel, query_kernel, query_bias, memory_kernel, output_kernel, output_bias)
        column = tf.transpose(zeros)
        _, state, sums, d_inputs = tf.while_loop(
            lambda block, *_: block > 0,
            backward,
            (
                blocks,
                (*after[3:], empty, later, empty, later, zeros, zeros, column, column),
                tuple(tf.zeros_like(weight) for weight in summed),
                array_of(blocks, BLOCK, *inputs.shape[1:]),
            ),
            maximum_iterations=blocks,
        )
        d_score_vector = tf.reduce_sum(state[9], axis=1)
        d_state = (tf.zeros_like(values) for values in state_before)
        return (d_inputs.concat()[:steps], *sums[:6], d_score_vector, *sums[6:], *d_state)

    return (outputs, *after[:3], last), gradient


def _block(values: Tensor, block: Tensor) -> Tensor:
    """The steps of a block, zeros after the last one: [BLOCK, ...] of [steps, ...]."""
    some = values[block * BLOCK : (block + 1) * BLOCK]
    padded = tf.pad(some, [[0, BLOCK - tf.shape(some)[0]], [0, 0], [0, 0]])
    return tf.ensure_shape(padded, [BLOCK, *values.shape[1:]])

"""The LSTM layer with attention over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `models.networks.network.Network`. Each output is projected to its key once, when it enters the
memory, a ring in which the oldest gives way: the softmax does not care for their order. Forward, only the attention weights
and summaries are kept; backward, the large [attn_length, units, batch] tensors are computed again.

The loops over time are compiled, since the passes over the memory are most of the work and melt into few. They run in blocks
of at most BLOCK steps, whose sizes do not depend on how long the sequences are: so little is compiled. The memory has the
batch last: then every sum over memory or units is over rows of adjacent numbers.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models.networks.tensorflow_lstm import (
    BLOCK,
    Tensor,
    activate,
    array_of,
    cell_gradients,
    product_over_steps,
    project,
    shifted,
)


def attention_layer(
    inputs: Tensor, weights: Mapping[str, Tensor], attn_length: int, precision: tf.DType = tf.float32
) -> Tensor:
    """The outputs of an LSTM layer that attends to its own last outputs, starting from zeros.

    Args:
      inputs: [steps, batch, input_size].
      weights: `layer_0/*` and `attention/*` of `models.networks.weights.shapes`.
      attn_length: number of outputs in the memory.
      precision: of the matrix products over many steps; what they add up, and all else, is float32.

    Returns:
      [steps, batch, units].
    """
    input_size = inputs.shape[2]
    mix, kernel = weights["attention/input_kernel"], weights["layer_0/kernel"]
    # Input and summary enter the gates through the input mix and the LSTM's kernel: one product does both.
    to_gates = tf.matmul(mix, kernel[:input_size])
    bias = tf.matmul(weights["attention/input_bias"][None], kernel[:input_size])[0] + weights["layer_0/bias"]
    return _recurrence(attn_length, precision)(
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
    )


def _attend(memory: Tensor, keys: Tensor, query: Tensor, score_vector: Tensor) -> tuple[Tensor, Tensor]:
    """What a query finds in the memory.

    Args:
      memory: [attn_length, units, batch].
      keys: the memory times the memory kernel.
      query: [units, batch].
      score_vector: [units, 1].

    Returns:
      The summary, [units, batch], and the attention weights, [attn_length, batch].
    """
    weights = tf.nn.softmax(tf.reduce_sum(tf.tanh(keys + query) * score_vector, axis=1), axis=0)
    return tf.reduce_sum(weights[:, None] * memory, axis=0), weights


def _attend_gradient(
    memory: Tensor, keys: Tensor, query: Tensor, score_vector: Tensor, weights: Tensor, d_summary: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The backward step of `_attend`.

    Args:
      memory: as in `_attend`.
      keys: as in `_attend`.
      query: as in `_attend`.
      score_vector: as in `_attend`.
      weights: what `_attend` returned.
      d_summary: gradient with respect to the summary, [units, batch].

    Returns:
      What this step adds to the gradients of memory and keys, [attn_length, units, batch] each; the gradient of the query,
      [units, batch]; that of the score vector, not yet summed, [attn_length, units, batch].
    """
    d_weights = tf.reduce_sum(memory * d_summary, axis=1)
    d_scores = (weights * (d_weights - tf.reduce_sum(weights * d_weights, axis=0)))[:, None]
    features = tf.tanh(keys + query)
    slopes = d_scores * (1.0 - features * features)
    return (
        weights[:, None] * d_summary,
        slopes * score_vector,
        tf.reduce_sum(slopes, axis=0) * score_vector,
        features * d_scores,
    )


def _array(values: Tensor) -> tf.TensorArray:
    """A TensorArray with these elements, whose shape is known when it is compiled."""
    return tf.TensorArray(
        tf.float32, size=values.shape[0], element_shape=values.shape[1:], clear_after_read=False
    ).unstack(values)


def _at(values: Tensor, index: Tensor) -> Tensor:
    """values[index], but not compiled anew for every number that the index can begin with."""
    return tf.gather(values, index)


@tf.function(jit_compile=True)
def _forward_block(
    start: Tensor, count: Tensor, projected: Tensor, kernels: tuple[Tensor, ...], state: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Some steps forward.

    Args:
      start: the first step's number.
      count: steps to take, at most BLOCK.
      projected: the projected inputs, [BLOCK, batch, 4 x units].
      kernels: kernel, query kernel and bias, memory kernel, score vector, output kernel and bias.
      state: cell, hidden and summary, [batch, units] each; memory and keys, [attn_length, units, batch] each.

    Returns:
      The state after them, and what each step computed: activated gates, [BLOCK, batch, 4 x units]; cell, hidden, summary and
      output, [BLOCK, batch, units]; query, [BLOCK, units, batch]; attention weights, [BLOCK, attn_length, batch].
    """
    kernel, query_kernel, query_bias, memory_kernel, score_vector, output_kernel, output_bias = kernels
    attn_length, units = state[3].shape[:2]

    def step(
        index: Tensor, cell: Tensor, hidden: Tensor, summary: Tensor, memory: Any, keys: Any, *arrays: Any
    ) -> tuple[Any, ...]:
        gates = projected[index] + tf.matmul(tf.concat([summary, hidden], axis=1), kernel)
        input_gate, new_input, forget_gate, output_gate = activate(gates)
        cell = forget_gate * cell + input_gate * new_input
        hidden = output_gate * tf.tanh(cell)
        both = tf.concat([cell, hidden], axis=1)
        query = tf.matmul(query_kernel, both, transpose_a=True, transpose_b=True) + query_bias[:, None]
        found, weights = _attend(memory.stack(), keys.stack(), query, score_vector[:, None])
        summary = tf.transpose(found)
        output = tf.matmul(tf.concat([hidden, summary], axis=1), output_kernel) + output_bias
        key = tf.matmul(memory_kernel, output, transpose_a=True, transpose_b=True)
        slot = (start + index) % attn_length
        memory, keys = memory.write(slot, tf.transpose(output)), keys.write(slot, key)
        activated = tf.concat([input_gate, new_input, forget_gate, output_gate], axis=1)
        values = (activated, cell, hidden, summary, output, query, weights)
        written = (array.write(index, value) for array, value in zip(arrays, values, strict=True))
        return (index + 1, cell, hidden, summary, memory, keys, *written)

    rows = tf.zeros_like(projected[..., :units])
    columns = tf.transpose(rows, [0, 2, 1])
    attended = tf.zeros_like(columns[:, :1]) + tf.zeros([attn_length, 1])
    arrays = [_array(values) for values in (tf.zeros_like(projected), rows, rows, rows, rows, columns, attended)]
    _, cell, hidden, summary, memory, keys, *arrays = tf.while_loop(
        lambda index, *_: index < count, step, (0, *state[:3], _array(state[3]), _array(state[4]), *arrays)
    )
    return (cell, hidden, summary, memory.stack(), keys.stack()), tuple(array.stack() for array in arrays)


@tf.function(jit_compile=True)
def _backward_block(
    start: Tensor,
    count: Tensor,
    d_outputs: Tensor,
    before: tuple[Tensor, ...],
    computed: tuple[Tensor, ...],
    kernels: tuple[Tensor, ...],
    state: tuple[Tensor, ...],
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The steps of a block backward.

    Args:
      start: the first step's number.
      count: steps to take, at most BLOCK.
      d_outputs: gradients with respect to the outputs, [BLOCK, batch, units].
      before: the state before the block, as `_forward_block` takes it.
      computed: what `_forward_block` computed.
      kernels: as `_forward_block` takes them.
      state: memory and keys after the block, gradients with respect to them, [attn_length, units, batch] each; gradients with
        respect to cell and hidden, [batch, units] each; to summary, [units, batch]; of the score vector, not yet summed,
        [attn_length, units, batch].

    Returns:
      The state before the block; gradients of every step with respect to gates, [BLOCK, batch, 4 x units], query,
      [BLOCK, units, batch], key and output, [BLOCK, batch, units].
    """
    activated, cells, _, _, outputs, queries, attended = computed
    kernel, query_kernel, _, memory_kernel, score_vector, output_kernel, _ = kernels
    attn_length, units = state[0].shape[:2]
    summary_to_gates, hidden_to_gates = kernel[:units], kernel[units:]
    hidden_to_output, summary_to_output = output_kernel[:units], output_kernel[units:]
    cells_before = shifted(before[0], cells)

    def forgotten(index: Tensor, slot: Tensor) -> tuple[Tensor, Tensor]:
        """The output that a step's own took the place of, and its key: [units, batch] each."""
        output = _at(outputs, tf.maximum(index - attn_length, 0))
        key = tf.matmul(memory_kernel, output, transpose_a=True, transpose_b=True)
        is_older = index < attn_length
        return tf.where(is_older, _at(before[3], slot), tf.transpose(output)), tf.where(
            is_older, _at(before[4], slot), key
        )

    def of_youngest(index: Tensor, d_memory: Tensor, d_keys: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients of the output before a step, and of its key: [batch, units] each."""
        slot = (start + index - 1) % attn_length
        return tf.transpose(_at(d_memory, slot)), tf.transpose(_at(d_keys, slot))

    def step(
        index: Tensor,
        memory: Any,
        keys: Any,
        d_memory: Tensor,
        d_keys: Tensor,
        d_youngest: Tensor,
        d_key: Tensor,
        d_cell: Tensor,
        d_hidden: Tensor,
        d_summary: Tensor,
        d_score: Tensor,
        *arrays: Any,
    ) -> tuple[Any, ...]:
        index -= 1
        slot = (start + index) % attn_length
        output, key = forgotten(index, slot)
        memory, keys = memory.write(slot, output), keys.write(slot, key)
        d_output = _at(d_outputs, index) + d_youngest + tf.matmul(d_key, memory_kernel, transpose_b=True)
        d_hidden += tf.matmul(d_output, hidden_to_output, transpose_b=True)
        d_summary += tf.matmul(summary_to_output, d_output, transpose_b=True)
        added_memory, added_keys, d_query, d_score_here = _attend_gradient(
            memory.stack(), keys.stack(), _at(queries, index), score_vector[:, None], _at(attended, index), d_summary
        )
        # What was in this step's slot before is another output, on which later steps did not depend.
        others = tf.cast(tf.range(attn_length) != slot, tf.float32)[:, None, None]
        d_memory, d_keys = d_memory * others + added_memory, d_keys * others + added_keys
        from_query = tf.matmul(d_query, query_kernel, transpose_a=True, transpose_b=True)
        d_gates, d_cell = cell_gradients(
            d_cell + from_query[:, :units],
            d_hidden + from_query[:, units:],
            _at(activated, index),
            _at(cells_before, index),
            _at(cells, index),
        )
        values = (d_gates, d_query, d_key, d_output)
        written = (array.write(index, value) for array, value in zip(arrays, values, strict=True))
        d_summary = tf.matmul(summary_to_gates, d_gates, transpose_b=True)
        d_hidden = tf.matmul(d_gates, hidden_to_gates, transpose_b=True)
        changed = (*of_youngest(index, d_memory, d_keys), d_cell, d_hidden, d_summary, d_score + d_score_here)
        return (index, memory, keys, d_memory, d_keys, *changed, *written)

    arrays = [_array(tf.zeros_like(values)) for values in (activated, queries, cells, cells)]
    begin = (_array(state[0]), _array(state[1]), *state[2:4], *of_youngest(count, *state[2:4]), *state[4:])
    results = tf.while_loop(lambda index, *_: index > 0, step, (count, *begin, *arrays))
    _, memory, keys, d_memory, d_keys, _, _, *others = results
    return (memory.stack(), keys.stack(), d_memory, d_keys, *others[:4]), tuple(array.stack() for array in others[4:])


def _kernel_gradients(
    before: tuple[Tensor, ...], computed: tuple[Tensor, ...], gradients: tuple[Tensor, ...], precision: tf.DType
) -> tuple[Tensor, ...]:
    """What a block adds to the gradients of kernel, query kernel and bias, memory kernel, output kernel and bias."""
    _, cells, hiddens, summaries, outputs, _, _ = computed
    d_gates, d_queries, d_keys, d_outputs = gradients
    d_queries = tf.transpose(d_queries, [0, 2, 1])
    return (
        product_over_steps(
            tf.concat([shifted(before[2], summaries), shifted(before[1], hiddens)], axis=2), d_gates, precision
        ),
        product_over_steps(tf.concat([cells, hiddens], axis=2), d_queries, precision),
        tf.reduce_sum(d_queries, axis=[0, 1]),
        product_over_steps(outputs, d_keys, precision),
        product_over_steps(tf.concat([hiddens, summaries], axis=2), d_outputs, precision),
        tf.reduce_sum(d_outputs, axis=[0, 1]),
    )


def _recurrence(attn_length: int, precision: tf.DType) -> Any:
    """The layer for a length of memory, as a function of tensors alone.

    It takes the inputs [steps, batch, input_size]; the kernel and the bias that take them to the gates; the kernel
    [2 x units, 4 x units] from last summary and last output to the gates; and the weights of query, memory, score and output.
    It returns the outputs.
    """

    @tf.custom_gradient
    def recurrence(*tensors: Tensor) -> tuple[Tensor, Any]:
        # The gradient is ours: none of TensorFlow's is to be prepared.
        inputs, input_kernel, bias, *rest = (tf.stop_gradient(values) for values in tensors)
        kernels = tuple(rest)
        units = kernels[0].shape[1] // 4
        steps, batch = tf.unstack(tf.shape(inputs)[:2])
        blocks = (steps + BLOCK - 1) // BLOCK
        zeros = tf.zeros([batch, units])
        empty = tf.zeros([attn_length, units, batch])
        row, gates, column, memory = (None, units), (None, 4 * units), (units, None), (attn_length, units, None)
        begin = (zeros, zeros, zeros, empty, empty)
        shapes = [
            *[row] * 3,
            *[memory] * 2,
            *((BLOCK, *some) for some in (gates, *[row] * 4, column, (attn_length, None))),
        ]

        def forward(block: Tensor, *values: Any) -> tuple[Any, ...]:
            start = block * BLOCK
            before, arrays = values[:5], values[5:]
            projected = project(_block(inputs, block), input_kernel, bias, precision)
            after, computed = _forward_block(start, tf.minimum(steps - start, BLOCK), projected, kernels, before)
            written = (array.write(block, value) for array, value in zip(arrays, (*before, *computed), strict=True))
            return (block + 1, *after, *written)

        _, *results = tf.while_loop(
            lambda block, *_: block < blocks,
            forward,
            (0, *begin, *(array_of(blocks, *shape) for shape in shapes)),
            maximum_iterations=blocks,
        )
        after, saved = results[:5], results[5:]

        def gradient(d_outputs: Tensor) -> tuple[Tensor, ...]:
            transposed = tf.transpose(input_kernel)

            def backward(
                block: Tensor, state: tuple[Tensor, ...], sums: tuple[Tensor, ...], d_inputs: Any
            ) -> tuple[Any, ...]:
                block -= 1
                start = block * BLOCK
                before = tuple(array.read(block) for array in saved[:5])
                computed = tuple(array.read(block) for array in saved[5:])
                state, gradients = _backward_block(
                    start, tf.minimum(steps - start, BLOCK), _block(d_outputs, block), before, computed, kernels, state
                )
                d_gates = gradients[0]
                added = (
                    product_over_steps(_block(inputs, block), d_gates, precision),
                    tf.reduce_sum(d_gates, axis=[0, 1]),
                    *_kernel_gradients(before, computed, gradients, precision),
                )
                sums = tuple(total + more for total, more in zip(sums, added, strict=True))
                return block, state, sums, d_inputs.write(block, project(d_gates, transposed, None, precision))

            state = (*after[3:], empty, empty, zeros, zeros, tf.transpose(zeros), empty)
            summed = (input_kernel, bias, *(kernel for index, kernel in enumerate(kernels) if index != 4))
            _, state, sums, d_inputs = tf.while_loop(
                lambda block, *_: block > 0,
                backward,
                (
                    blocks,
                    state,
                    tuple(tf.zeros_like(weight) for weight in summed),
                    array_of(blocks, BLOCK, *inputs.shape[1:]),
                ),
                maximum_iterations=blocks,
            )
            d_score = tf.reduce_sum(state[7], axis=[0, 2])
            return (d_inputs.concat()[:steps], *sums[:6], d_score, *sums[6:])

        return saved[9].concat()[:steps], gradient

    return recurrence


def _block(values: Tensor, block: Tensor) -> Tensor:
    """The steps of a block, zeros after the last one: [BLOCK, ...] of [steps, ...]."""
    some = values[block * BLOCK : (block + 1) * BLOCK]
    padded = tf.pad(some, [[0, BLOCK - tf.shape(some)[0]], [0, 0], [0, 0]])
    return tf.ensure_shape(padded, [BLOCK, *values.shape[1:]])

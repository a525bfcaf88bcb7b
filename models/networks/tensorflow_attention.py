"""The LSTM layer with attention over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `models.networks.network.Network`. The loops over time are compiled, in blocks of at most BLOCK
steps, whose sizes do not depend on how long the sequences are: so little is compiled. Passes over what is remembered,
[attn_length, units, batch], are most of the work, so there are as few as can be:

- The memory is a ring in which the newest takes the place of the oldest: the softmax does not care for their order. The batch
  comes last: every sum over memory or units is over rows of adjacent numbers.
- tanh(key + query) = 1 - 2 r with r = 1 / (1 + e^(2 key) e^(2 query)): the exponentials are taken once for every key and
  query, and a division is left of the tanh. The 1 is the same for the whole memory, so that the softmax does not see it.
- Backward, nothing is added up in the memory. The gradient of an output is gathered, when its step comes, from the steps after
  it that had it in their memory; what is needed of these is in rings, too.
"""

import math
from collections.abc import Mapping, Sequence
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


_LIMIT = 80.0
"""Exponents beyond are cut off: there tanh is 1 to all digits, and the exponentials are finite."""


def _exponentials(values: Tensor) -> Tensor:
    """e^(2 x), which is never zero nor infinite."""
    return tf.exp(tf.clip_by_value(2.0 * values, -_LIMIT, _LIMIT))


def _sum(values: Tensor, axis: int) -> Tensor:
    """The sum over an axis, in halves: what is added is then computed in the same pass, which reduce_sum prevents."""
    rest = []
    while (size := values.shape[axis]) > 1:
        first, second, odd = tf.split(values, [size // 2, size // 2, size % 2], axis=axis)
        values = first + second
        if size % 2:
            rest.append(odd)
    return tf.squeeze(tf.add_n([values, *rest]), axis)


def _attend(memory: Tensor, keys: Tensor, query: Tensor, score_vector: Tensor) -> tuple[Tensor, Tensor]:
    """What a query finds in the memory.

    Args:
      memory: [attn_length, units, batch].
      keys: exponentials of the memory times the memory kernel.
      query: exponentials, [units, batch].
      score_vector: [units, 1].

    Returns:
      The summary, [units, batch], and the attention weights, [attn_length, batch].
    """
    scores = -2.0 * _sum(score_vector / (1.0 + _product(keys, query)), axis=1)
    exponentials = tf.exp(scores - tf.reduce_max(scores, axis=0))
    total = tf.reduce_sum(exponentials, axis=0)
    # Divided at the end: a quotient would be taken anew for every unit.
    return _sum(exponentials[:, None] * memory, axis=0) / total, exponentials / total


def _product(keys: Tensor, query: Tensor) -> Tensor:
    """e^(2 (key + query)), finite."""
    return tf.minimum(keys * query, math.exp(_LIMIT))


def _slopes(keys: Tensor, query: Tensor, d_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over the first axis, each [units, batch].

    Args:
      keys: exponentials, [attn_length, units, batch] or [units, batch].
      query: exponentials, the same.
      d_scores: [attn_length, batch].

    Returns:
      d_score times r (1 - r), a fourth of the slope of tanh, and d_score times r.
    """
    product = _product(keys, query)
    r = 1.0 / (1.0 + product)
    weighted = d_scores[:, None] * r
    # As one complex sum, both are computed in one pass.
    sums = _sum(tf.complex(weighted * (product * r), weighted), axis=0)
    return tf.math.real(sums), tf.math.imag(sums)


def _once(index: Tensor, compute: Any) -> Any:
    """What `compute` returns for an index from 0."""
    return tf.cond(index >= 0, compute, lambda: tf.nest.map_structure(tf.zeros_like, compute()))


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
      kernels: kernel; query kernel, transposed, and bias; memory kernel, transposed; score vector; output kernel, transposed,
        and bias. (A product of two matrices that are both transposed takes twice as long.)
      state: cell, hidden and summary, [batch, units] each; rings of the last outputs and of the exponentials of their keys,
        [attn_length, units, batch] each.

    Returns:
      The state after them, and what each step computed: activated gates, [BLOCK, batch, 4 x units]; cell, hidden and summary,
      [BLOCK, batch, units]; exponentials of the query, [BLOCK, units, batch]; attention weights, [BLOCK, attn_length, batch];
      output, [BLOCK, units, batch].
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
        query = tf.matmul(query_kernel, both, transpose_b=True) + query_bias[:, None]
        query = _exponentials(query)
        found, weights = _attend(memory.stack(), keys.stack(), query, score_vector[:, None])
        summary = tf.transpose(found)
        mixed = tf.concat([hidden, summary], axis=1)
        output = tf.matmul(output_kernel, mixed, transpose_b=True) + output_bias[:, None]
        key = _exponentials(tf.matmul(memory_kernel, output))
        slot = (start + index) % attn_length
        memory, keys = memory.write(slot, output), keys.write(slot, key)
        activated = tf.concat([input_gate, new_input, forget_gate, output_gate], axis=1)
        values = (activated, cell, hidden, summary, query, weights, output)
        written = (array.write(index, value) for array, value in zip(arrays, values, strict=True))
        return (index + 1, cell, hidden, summary, memory, keys, *written)

    rows = tf.zeros_like(projected[..., :units])
    columns = tf.transpose(rows, [0, 2, 1])
    attended = tf.zeros_like(columns[:, :1]) + tf.zeros([attn_length, 1])
    arrays = [_array(values) for values in (tf.zeros_like(projected), rows, rows, rows, columns, attended, columns)]
    _, cell, hidden, summary, memory, keys, *arrays = tf.while_loop(
        lambda index, *_: index < count, step, (0, *state[:3], _array(state[3]), _array(state[4]), *arrays)
    )
    return (cell, hidden, summary, memory.stack(), keys.stack()), tuple(array.stack() for array in arrays)


@tf.function(jit_compile=True)
def _backward_block(
    start: Tensor,
    count: Tensor,
    d_outputs: Tensor,
    outputs: Tensor,
    cell: Tensor,
    computed: tuple[Tensor, ...],
    kernels: tuple[Tensor, ...],
    state: tuple[Tensor, ...],
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The steps of a block backward.

    Args:
      start: the first step's number.
      count: steps to take, at most BLOCK.
      d_outputs: gradients with respect to the outputs, [BLOCK, batch, units].
      outputs: of the steps from attn_length before the block, [BLOCK, units, batch].
      cell: the cell before the block, [batch, units].
      computed: activated gates, cells, queries and attention weights that `_forward_block` computed.
      kernels: as `_forward_block` takes them.
      state: two rings of what the steps have in their memory: outputs and exponentials of their keys, [attn_length, units,
        batch] each. Four of the attn_length steps after: exponentials of the queries, [attn_length, units, batch]; attention
        weights, [attn_length, attn_length, batch]; gradients with respect to the summaries, [attn_length, units, batch]; with
        respect to the scores, [attn_length, attn_length, batch]. Then gradients with respect to cell and hidden after the
        block, [batch, units] each; what the gates after it give to that of the last summary, [units, batch]; and the gradient
        of the score vector, not yet summed, [units, batch].

    Returns:
      The state before the block; gradients of every step with respect to gates, [BLOCK, batch, 4 x units]; query, key and
      output, [BLOCK, units, batch].
    """
    activated, cells, queries, attended = computed
    summary_to_gates, hidden_to_gates, query_kernel, memory_kernel, back, score_vector, hidden_to_output, summary_to_output = kernels
    attn_length, units = state[0].shape[:2]
    cells_before = shifted(cell, cells)
    d_outputs = tf.transpose(d_outputs, [0, 2, 1])
    scale = 4.0 * score_vector[:, None]

    def prepare(index: Tensor, keys: Any, rings: Sequence[Any], newest: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """What the step of an index will need: of its output, the key, and its weights and score gradients in the steps after
        it, of which the next is not yet in the rings; of itself, query and weights.

        As loop variables they are computed once. Otherwise a number's place in a ring would be looked up for every unit.
        """
        slot = (start + index) % attn_length
        is_next = (tf.range(attn_length) == (slot + 1) % attn_length)[:, None]
        weights, d_scores = (
            tf.where(is_next, _at(last, slot), tf.gather(ring.stack(), slot, axis=1))
            for ring, last in zip((rings[1], rings[3]), (newest[1], newest[3]), strict=True)
        )
        here = tf.maximum(index, 0)
        return _at(keys.stack(), slot), weights, d_scores, _at(queries, here), _at(attended, here)

    def step(
        index: Tensor,
        memory: Any,
        keys: Any,
        rings: tuple[Any, ...],
        newest: tuple[Tensor, ...],
        prepared: tuple[Tensor, ...],
        d_cell: Tensor,
        d_hidden: Tensor,
        d_summary: Tensor,
        d_score_vector: Tensor,
        *arrays: Any,
    ) -> tuple[Any, ...]:
        index -= 1
        slot = (start + index) % attn_length
        key, later_weights, d_scores, query, weights = prepared
        # This step's output, which the steps after it had in this slot.
        rings = tuple(
            ring.write((slot + 1) % attn_length, value) for ring, value in zip(rings, newest, strict=True)
        )
        slopes, _ = _slopes(key, rings[0].stack(), d_scores)
        d_key = scale * slopes
        from_memory = _sum(later_weights[:, None] * rings[2].stack(), axis=0)
        d_output = _at(d_outputs, index) + from_memory + tf.matmul(back, d_key)
        d_hidden += tf.matmul(d_output, hidden_to_output, transpose_a=True)
        # What this step had in its memory: in this slot, the output whose place its own took.
        output = _at(outputs, index)
        memory = memory.write(slot, output)
        keys = keys.write(slot, _exponentials(tf.matmul(memory_kernel, output)))

        def with_memory() -> tuple[Tensor, Tensor]:
            total = d_summary + tf.matmul(summary_to_output, d_output)
            d_weights = _sum(memory.stack() * total, axis=1)
            return total, weights * (d_weights - tf.reduce_sum(weights * d_weights, axis=0))

        d_summary, d_score = _once(index, with_memory)
        slopes, features = _slopes(keys.stack(), query, d_score)
        d_query = scale * slopes
        from_query = tf.matmul(d_query, query_kernel, transpose_a=True)
        d_gates, d_cell = cell_gradients(
            d_cell + from_query[:, :units],
            d_hidden + from_query[:, units:],
            _at(activated, index),
            _at(cells_before, index),
            _at(cells, index),
        )
        values = (d_gates, d_query, d_key, d_output)
        written = (array.write(index, value) for array, value in zip(arrays, values, strict=True))
        newest = (query, weights, d_summary, d_score)
        prepared = prepare(index - 1, keys, rings, newest)
        d_summary = tf.matmul(summary_to_gates, d_gates, transpose_b=True)
        d_hidden = tf.matmul(d_gates, hidden_to_gates)
        features = d_score_vector - 2.0 * features
        return (index, memory, keys, rings, newest, prepared, d_cell, d_hidden, d_summary, features, *written)

    arrays = [_array(tf.zeros_like(values)) for values in (activated, d_outputs, d_outputs, d_outputs)]
    memory, keys, *rings = (_array(ring) for ring in state[:6])
    newest = tuple(_at(ring, (start + count) % attn_length) for ring in state[2:6])
    prepared = prepare(count - 1, keys, rings, newest)
    _, memory, keys, rings, newest, _, *results = tf.while_loop(
        lambda index, *_: index > 0,
        step,
        (count, memory, keys, tuple(rings), newest, prepared, *state[6:], *arrays),
    )
    rings = (ring.write(start % attn_length, value) for ring, value in zip(rings, newest, strict=True))
    before = (ring.stack() for ring in (memory, keys, *rings))
    return (*before, *results[:4]), tuple(array.stack() for array in results[4:])


def _kernel_gradients(
    before: tuple[Tensor, ...],
    computed: tuple[Tensor, ...],
    outputs: Tensor,
    gradients: tuple[Tensor, ...],
    precision: tf.DType,
) -> tuple[Tensor, ...]:
    """What a block adds to the gradients of kernel, query kernel and bias, memory kernel, output kernel and bias."""
    _, cells, hiddens, summaries, *_ = computed
    d_gates, *others = gradients
    d_queries, d_keys, d_outputs = (tf.transpose(values, [0, 2, 1]) for values in others)
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
        row, gates, column = (None, units), (None, 4 * units), (units, None)
        empty, later = tf.zeros([attn_length, units, batch]), tf.zeros([attn_length, attn_length, batch])
        shapes = (*[row] * 3, *((BLOCK, *some) for some in (gates, row, row, row, column, (attn_length, None))))

        kernel, query_kernel, query_bias, memory_kernel, score_vector, output_kernel, output_bias = kernels
        transposed = (
            kernel,
            tf.transpose(query_kernel),
            query_bias,
            tf.transpose(memory_kernel),
            score_vector,
            tf.transpose(output_kernel),
            output_bias,
        )

        def forward(block: Tensor, state: tuple[Tensor, ...], outputs: Any, *arrays: Any) -> tuple[Any, ...]:
            projected = project(_block(inputs, block), input_kernel, bias, precision)
            start = block * BLOCK
            after, (*computed, output) = _forward_block(
                start, tf.minimum(steps - start, BLOCK), projected, transposed, state
            )
            outputs = outputs.write(block, tf.transpose(output, [0, 2, 1]))
            values = (*state[:3], *computed)
            return block + 1, after, outputs, *(array.write(block, value) for array, value in zip(arrays, values, strict=True))

        _, after, written, *saved = tf.while_loop(
            lambda block, *_: block < blocks,
            forward,
            (
                0,
                (zeros, zeros, zeros, empty, tf.ones_like(empty)),
                *(array_of(blocks, *shape) for shape in ((BLOCK, *row), *shapes)),
            ),
            maximum_iterations=blocks,
        )
        outputs = tf.ensure_shape(written.concat()[:steps], [*inputs.shape[:2], units])

        def gradient(d_outputs: Tensor) -> tuple[Tensor, ...]:
            to_inputs = tf.transpose(input_kernel)
            backs = (
                kernel[:units],
                tf.transpose(kernel[units:]),
                tf.transpose(query_kernel),
                tf.transpose(memory_kernel),
                memory_kernel,
                score_vector,
                tf.transpose(output_kernel[:units]),
                output_kernel[units:],
            )
            older = tf.pad(outputs, [[attn_length, 0], [0, 0], [0, 0]])

            def backward(
                block: Tensor, state: tuple[Tensor, ...], sums: tuple[Tensor, ...], d_inputs: Any
            ) -> tuple[Any, ...]:
                block -= 1
                before = tuple(array.read(block) for array in saved[:3])
                computed = tuple(array.read(block) for array in saved[3:])
                start = block * BLOCK
                state, gradients = _backward_block(
                    start,
                    tf.minimum(steps - start, BLOCK),
                    _block(d_outputs, block),
                    tf.transpose(_block(older, block), [0, 2, 1]),
                    before[0],
                    (*computed[:2], *computed[4:]),
                    backs,
                    state,
                )
                d_gates = gradients[0]
                added = (
                    product_over_steps(_block(inputs, block), d_gates, precision),
                    tf.reduce_sum(d_gates, axis=[0, 1]),
                    *_kernel_gradients(before, computed, _block(outputs, block), gradients, precision),
                )
                sums = tuple(total + more for total, more in zip(sums, added, strict=True))
                return block, state, sums, d_inputs.write(block, project(d_gates, to_inputs, None, precision))

            summed = (input_kernel, bias, *(kernel for index, kernel in enumerate(kernels) if index != 4))
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
            return (d_inputs.concat()[:steps], *sums[:6], d_score_vector, *sums[6:])

        return outputs, gradient

    return recurrence


def _block(values: Tensor, block: Tensor) -> Tensor:
    """The steps of a block, zeros after the last one: [BLOCK, ...] of [steps, ...]."""
    some = values[block * BLOCK : (block + 1) * BLOCK]
    padded = tf.pad(some, [[0, BLOCK - tf.shape(some)[0]], [0, 0], [0, 0]])
    return tf.ensure_shape(padded, [BLOCK, *values.shape[1:]])

"""The steps of an LSTM with attention, forward and backward, as XLA compiles them.

Passes over what is remembered, [attn_length, units, batch], are most of the work, so there are as few as can be:

- The memory is a ring in which the newest takes the place of the oldest: the softmax does not care for their order. The batch
  comes last: every sum over memory or units is over rows of adjacent numbers.
- tanh(key + query) = 1 - 2 r with r = 1 / (1 + (e^key e^query)^2): the exponentials are taken once for every key and query,
  and a division is left of the tanh. The 1 is the same for the whole memory, so that the softmax does not see it.
- Backward, nothing is added up in the memory. The gradient of an output is gathered, when its step comes, from the steps
  after it that had it in their memory. What is needed of these is in rings, too.

XLA computes an element of a large tensor from all that leads to it, as often as it is used, unless that is costly on its own.
Hence some detours, each with its reason: they change the speed only.
"""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from etude.models.networks.tensorflow_steps import Tensor, activate, cell_gradients, shifted

_LIMIT = 80.0
"""Keys and queries beyond are cut off, to keep their exponentials finite. tanh is 1 to all digits from 10 on, so that this is
only felt where both are as large and nearly cancel out."""


def exponentials(values: Tensor) -> Tensor:
    """e^x, which is never zero nor infinite."""
    return tf.exp(tf.clip_by_value(values, -_LIMIT, _LIMIT))


def _unless_cut_off(exponential: Tensor, gradient: Tensor) -> Tensor:
    """The gradient with respect to a key or query: none where it was cut off, as what is beyond changes nothing."""
    is_within = (exponential > math.exp(-_LIMIT + 0.01)) & (exponential < math.exp(_LIMIT - 0.01))
    return tf.where(is_within, gradient, 0.0)


def _sum(values: Tensor, axis: int) -> Tensor:
    """The sum over an axis, in halves: what is added is then computed in the same pass, as reduce_sum would not."""
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
    shares = tf.exp(scores - tf.reduce_max(scores, axis=0))
    total = tf.reduce_sum(shares, axis=0)
    # Divided at the end: a quotient would be taken anew for every unit.
    return _sum(shares[:, None] * memory, axis=0) / total, shares / total


def _product(keys: Tensor, query: Tensor) -> Tensor:
    """(e^key e^query)^2, finite."""
    root = tf.minimum(keys * query, math.exp(_LIMIT / 2.0))
    return root * root


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


def _array(values: Tensor) -> tf.TensorArray:
    """A TensorArray with these elements, whose shape is known when it is compiled."""
    return tf.TensorArray(
        tf.float32, size=values.shape[0], element_shape=values.shape[1:], clear_after_read=False
    ).unstack(values)


def _at(values: Tensor, index: Tensor) -> Tensor:
    """values[index], but not compiled anew for every number that the index can begin with."""
    return tf.gather(values, index)


@tf.function(jit_compile=True, autograph=False)
def forward_steps(
    start: Tensor, count: Tensor, projected: Tensor, kernels: tuple[Tensor, ...], state: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Some steps forward.

    Args:
      start: the first step's number.
      count: steps to take, at most block, which is a fixed number.
      projected: the projected inputs, [block, batch, 4 x units].
      kernels: kernel; query kernel, transposed, and bias; memory kernel, transposed; score vector; output kernel, transposed,
        and bias. (A product of two matrices that are both transposed takes twice as long.)
      state: cell, hidden and summary, [batch, units] each; rings of the last outputs and of the exponentials of their keys,
        [attn_length, units, batch] each.

    Returns:
      The state after them, and what each step computed: activated gates, [block, batch, 4 x units]; cell, hidden and summary,
      [block, batch, units]; exponentials of the query, [block, units, batch]; attention weights, [block, attn_length, batch];
      output, [block, units, batch].
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
        query = exponentials(query)
        found, weights = _attend(memory.stack(), keys.stack(), query, score_vector[:, None])
        summary = tf.transpose(found)
        mixed = tf.concat([hidden, summary], axis=1)
        output = tf.matmul(output_kernel, mixed, transpose_b=True) + output_bias[:, None]
        key = exponentials(tf.matmul(memory_kernel, output))
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


@tf.function(jit_compile=True, autograph=False)
def backward_steps(
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
      count: steps to take, at most block, which is a fixed number.
      d_outputs: gradients with respect to the outputs, [block, batch, units].
      outputs: of the steps from attn_length before the block, [block, units, batch].
      cell: the cell before the block, [batch, units].
      computed: activated gates, cells, queries and attention weights that `forward_steps` computed.
      kernels: from the summary to the gates, [units, 4 x units]; from the gates to the output before, [4 x units, units];
        from the query to cell and output, [units, 2 x units]; from output to key and back, [units, units] each; the score
        vector, [units]; from the attended output to that of the LSTM, and from the summary to it, [units, units] each.
      state: two rings of what the steps have in their memory: outputs and exponentials of their keys, [attn_length, units,
        batch] each. Four of the attn_length steps after: exponentials of the queries, [attn_length, units, batch]; attention
        weights, [attn_length, attn_length, batch]; gradients with respect to the summaries, [attn_length, units, batch]; with
        respect to the scores, [attn_length, attn_length, batch]. Then gradients with respect to cell and hidden after the
        block, [batch, units] each; what the gates after it give to that of the last summary, [units, batch]; and the gradient
        of the score vector, not yet summed, [units, batch].

    Returns:
      The state before the block; gradients of every step with respect to gates, [block, batch, 4 x units]; query, key and
      output, [block, units, batch].
    """
    activated, cells, queries, attended = computed
    (
        summary_to_gates,
        gates_to_hidden,
        query_to_both,
        output_to_key,
        key_to_output,
        score_vector,
        output_to_hidden,
        summary_to_output,
    ) = kernels
    attn_length, units = state[0].shape[:2]
    cells_before = shifted(cell, cells)
    d_outputs = tf.transpose(d_outputs, [0, 2, 1])
    scale = 4.0 * score_vector[:, None]

    def prepare(index: Tensor, keys: Any, rings: Sequence[Any], newest: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """What a step needs, looked up by the one after it: as loop variables they are not looked up for every unit.

        Of its output, the key, and its weights and score gradients in the steps after it, of which the next one is not yet in
        the rings. Of itself, query and weights.
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
        # Written only now: a ring that is read before it is written to would be copied.
        rings = tuple(ring.write((slot + 1) % attn_length, value) for ring, value in zip(rings, newest, strict=True))
        # This step's output, which the steps after it had in this slot.
        slopes, _ = _slopes(key, rings[0].stack(), d_scores)
        d_key = _unless_cut_off(key, scale * slopes)
        from_memory = _sum(later_weights[:, None] * rings[2].stack(), axis=0)
        d_output = _at(d_outputs, index) + from_memory + tf.matmul(key_to_output, d_key)
        d_hidden += tf.matmul(d_output, output_to_hidden, transpose_a=True)
        # What this step had in its memory: in this slot, the output whose place its own took.
        output = _at(outputs, index)
        memory = memory.write(slot, output)
        keys = keys.write(slot, exponentials(tf.matmul(output_to_key, output)))

        def with_memory() -> tuple[Tensor, Tensor]:
            total = d_summary + tf.matmul(summary_to_output, d_output)
            d_weights = _sum(memory.stack() * total, axis=1)
            return total, weights * (d_weights - tf.reduce_sum(weights * d_weights, axis=0))

        # A branch that is always taken: what it returns is not computed again for every unit.
        d_summary, d_score = tf.cond(
            index >= 0, with_memory, lambda: (tf.zeros_like(d_summary), tf.zeros_like(weights))
        )
        slopes, features = _slopes(keys.stack(), query, d_score)
        d_query = _unless_cut_off(query, scale * slopes)
        from_query = tf.matmul(d_query, query_to_both, transpose_a=True)
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
        d_hidden = tf.matmul(d_gates, gates_to_hidden)
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
    written = (ring.write(start % attn_length, value) for ring, value in zip(rings, newest, strict=True))
    before = (ring.stack() for ring in (memory, keys, *written))
    return (*before, *results[:4]), tuple(array.stack() for array in results[4:])

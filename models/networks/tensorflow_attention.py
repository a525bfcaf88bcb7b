"""The LSTM layer with attention over whole sequences in TensorFlow, with a gradient written by hand.

The arithmetic is that of `models.networks.network.Network`. Each output is projected to its key once, when it enters the
memory. Forward, only the attention weights and summaries are kept; backward, the large [attn_length, batch, units]
tensors are computed again from the outputs.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models.networks.tensorflow_lstm import (
    Tensor,
    activate,
    array_of_steps,
    cell_gradients,
    delay,
    product_over_steps,
    project,
)


def attention_layer(inputs: Tensor, weights: Mapping[str, Tensor], attn_length: int) -> Tensor:
    """The outputs of an LSTM layer that attends to its own last outputs, starting from zeros.

    Args:
      inputs: [steps, batch, input_size].
      weights: `layer_0/*` and `attention/*` of `models.networks.weights.shapes`.
      attn_length: number of outputs in the memory.

    Returns:
      [steps, batch, units].
    """
    input_size = inputs.shape[2]
    units = weights["attention/score_vector"].shape[0]
    mix, kernel = weights["attention/input_kernel"], weights["layer_0/kernel"]
    mixed = project(inputs, mix[:input_size], weights["attention/input_bias"])
    projected = project(mixed, kernel[:input_size], weights["layer_0/bias"])
    # The summary enters the gates through the input mix and the LSTM's kernel: one product does both.
    recurrent = tf.concat([tf.matmul(mix[input_size:], kernel[:input_size]), kernel[input_size:]], axis=0)
    return _recurrence(attn_length, units)(
        projected,
        recurrent,
        weights["attention/query_kernel"],
        weights["attention/query_bias"],
        weights["attention/memory_kernel"],
        weights["attention/score_vector"],
        weights["attention/output_kernel"],
        weights["attention/output_bias"],
    )


@tf.function(jit_compile=True)
def _attend(memory: Tensor, keys: Tensor, query: Tensor, score_vector: Tensor) -> tuple[Tensor, Tensor]:
    """What a query finds in the memory.

    Compiled, since the passes over [attn_length, batch, units] are most of the work and melt into one.

    Args:
      memory: [attn_length, batch, units], oldest first.
      keys: the memory times the memory kernel.
      query: [batch, units].
      score_vector: [units].

    Returns:
      The summary, [batch, units], and the attention weights, [attn_length, batch].
    """
    weights = tf.nn.softmax(tf.reduce_sum(tf.tanh(keys + query) * score_vector, axis=2), axis=0)
    return tf.reduce_sum(weights[..., None] * memory, axis=0), weights


@tf.function(jit_compile=True)
def _attend_gradient(
    memory: Tensor,
    keys: Tensor,
    query: Tensor,
    score_vector: Tensor,
    weights: Tensor,
    d_summary: Tensor,
    d_memory: Tensor,
    d_keys: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The backward step of `_attend`.

    Args:
      memory: as in `_attend`.
      keys: as in `_attend`.
      query: as in `_attend`.
      score_vector: as in `_attend`.
      weights: what `_attend` returned.
      d_summary: gradient with respect to the summary, [batch, units].
      d_memory: gradient with respect to the memory of the step after, [attn_length, batch, units].
      d_keys: likewise for its keys.

    Returns:
      Gradients with respect to memory and keys (later steps included), query and score vector.
    """
    d_weights = tf.reduce_sum(memory * d_summary, axis=2)
    d_scores = weights * (d_weights - tf.reduce_sum(weights * d_weights, axis=0))
    features = tf.tanh(keys + query)
    d_features = d_scores[..., None] * (score_vector - features * features * score_vector)
    d_memory = tf.concat([tf.zeros_like(d_memory[:1]), d_memory[:-1]], axis=0) + weights[..., None] * d_summary
    d_keys = tf.concat([tf.zeros_like(d_keys[:1]), d_keys[:-1]], axis=0) + d_features
    d_score = tf.reduce_sum(features * d_scores[..., None], axis=[0, 1])
    return d_memory, d_keys, tf.reduce_sum(d_features, axis=0), d_score


def _recurrence(attn_length: int, units: int) -> Any:
    """The recurrent part for given sizes, as a function of tensors alone.

    It takes the projected inputs [steps, batch, 4 x units], the kernel [2 x units, 4 x units] from last summary and last
    output to the gates, and the weights of query, memory, score and output; it returns the outputs.
    """

    @tf.custom_gradient
    def recurrence(
        projected: Tensor,
        kernel: Tensor,
        query_kernel: Tensor,
        query_bias: Tensor,
        memory_kernel: Tensor,
        score_vector: Tensor,
        output_kernel: Tensor,
        output_bias: Tensor,
    ) -> tuple[Tensor, Any]:
        steps, batch = tf.unstack(tf.shape(projected)[:2])
        zeros = tf.zeros([batch, units])
        empty = tf.zeros([attn_length, batch, units])

        def forward(
            step: Tensor, cell: Tensor, hidden: Tensor, summary: Tensor, memory: Tensor, keys: Tensor, *arrays: Any
        ) -> tuple[Any, ...]:
            gates = projected[step] + tf.matmul(tf.concat([summary, hidden], axis=1), kernel)
            input_gate, new_input, forget_gate, output_gate = activate(gates)
            cell = forget_gate * cell + input_gate * new_input
            hidden = output_gate * tf.tanh(cell)
            query = tf.matmul(tf.concat([cell, hidden], axis=1), query_kernel) + query_bias
            summary, attended = _attend(memory, keys, query, score_vector)
            output = tf.matmul(tf.concat([hidden, summary], axis=1), output_kernel) + output_bias
            key = tf.matmul(output, memory_kernel)
            activated = tf.concat([input_gate, new_input, forget_gate, output_gate], axis=1)
            values = (activated, cell, hidden, query, attended, summary, output, key)
            written = (array.write(step, value) for array, value in zip(arrays, values, strict=True))
            memory = tf.concat([memory[1:], output[None]], axis=0)
            keys = tf.concat([keys[1:], key[None]], axis=0)
            return (step + 1, cell, hidden, summary, memory, keys, *written)

        columns = (4 * units, units, units, units, units, units, units)
        arrays = [array_of_steps(steps, None, size) for size in columns]
        arrays.insert(4, array_of_steps(steps, attn_length, None))
        results = tf.while_loop(
            lambda step, *_: step < steps,
            forward,
            (0, zeros, zeros, zeros, empty, empty, *arrays),
            shape_invariants=(
                tf.TensorShape([]),
                *(tf.TensorShape([None, units]),) * 3,
                *(tf.TensorShape([attn_length, None, units]),) * 2,
                *(tf.TensorShape(None),) * len(arrays),
            ),
            maximum_iterations=steps,
        )
        activated, cells, hiddens, queries, attended, summaries, outputs, keys = (
            array.stack() for array in results[6:]
        )

        def gradient(d_outputs: Tensor) -> tuple[Tensor, ...]:
            memories = tf.concat([empty, outputs], axis=0)
            all_keys = tf.concat([empty, keys], axis=0)
            cells_before = delay(cells)

            def backward(
                step: Tensor,
                d_cell: Tensor,
                d_hidden: Tensor,
                d_summary: Tensor,
                d_memory: Tensor,
                d_keys: Tensor,
                d_score: Tensor,
                *arrays: Any,
            ) -> tuple[Any, ...]:
                step -= 1
                # The youngest memory of the step after is this step's output.
                d_key = d_keys[-1]
                d_output = d_outputs[step] + d_memory[-1] + tf.matmul(d_key, memory_kernel, transpose_b=True)
                from_output = tf.matmul(d_output, output_kernel, transpose_b=True)
                d_hidden += from_output[:, :units]
                d_summary += from_output[:, units:]

                memory = memories[step : step + attn_length]
                keys_then = all_keys[step : step + attn_length]
                d_memory, d_keys, d_query, d_score_here = _attend_gradient(
                    memory, keys_then, queries[step], score_vector, attended[step], d_summary, d_memory, d_keys
                )
                d_score += d_score_here

                from_query = tf.matmul(d_query, query_kernel, transpose_b=True)
                d_gates, d_cell = cell_gradients(
                    d_cell + from_query[:, :units],
                    d_hidden + from_query[:, units:],
                    activated[step],
                    cells_before[step],
                    cells[step],
                )
                from_gates = tf.matmul(d_gates, kernel, transpose_b=True)
                values = (d_gates, d_query, d_key, d_output)
                written = (array.write(step, value) for array, value in zip(arrays, values, strict=True))
                return step, d_cell, from_gates[:, units:], from_gates[:, :units], d_memory, d_keys, d_score, *written

            arrays = [array_of_steps(steps, None, size) for size in (4 * units, units, units, units)]
            results = tf.while_loop(
                lambda step, *_: step > 0,
                backward,
                (steps, zeros, zeros, zeros, empty, empty, tf.zeros([units]), *arrays),
                shape_invariants=(
                    tf.TensorShape([]),
                    *(tf.TensorShape([None, units]),) * 3,
                    *(tf.TensorShape([attn_length, None, units]),) * 2,
                    tf.TensorShape([units]),
                    *(tf.TensorShape(None),) * len(arrays),
                ),
                maximum_iterations=steps,
            )
            d_gates, d_queries, d_keys, d_outs = (array.stack() for array in results[7:])
            return (
                d_gates,
                product_over_steps(tf.concat([delay(summaries), delay(hiddens)], axis=2), d_gates),
                product_over_steps(tf.concat([cells, hiddens], axis=2), d_queries),
                tf.reduce_sum(d_queries, axis=[0, 1]),
                product_over_steps(outputs, d_keys),
                results[6],
                product_over_steps(tf.concat([hiddens, summaries], axis=2), d_outs),
                tf.reduce_sum(d_outs, axis=[0, 1]),
            )

        return outputs, gradient

    return recurrence

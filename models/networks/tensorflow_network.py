"""The network in TensorFlow: what training and its evaluation run on."""

from collections.abc import Mapping

import tensorflow as tf

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.tensorflow_attention import attention_layer
from etude.models.networks.tensorflow_lstm import Tensor, lstm_layer


def logits(
    hyperparameters: Hyperparameters,
    weights: Mapping[str, Tensor],
    inputs: Tensor,
    lengths: Tensor,
    dropout_seed: Tensor | None = None,
    precision: tf.DType = tf.float32,
) -> Tensor:
    """The logits after every step of a batch of sequences.

    Args:
      hyperparameters: the network's shape.
      weights: as `etude.models.networks.weights.shapes` names them.
      inputs: [batch, steps, input_size], or, where they are one-hot, the places of the ones, [batch, steps]; what stands
        after a sequence's length has no effect, even if it is not a number.
      lengths: [batch].
      dropout_seed: int64 []; with it the outputs of every layer are dropped as in training, with masks that depend on
        nothing else; None keeps all.
      precision: of the matrix products over many steps inside the layers.

    Returns:
      [batch, steps, num_labels].
    """
    if inputs.dtype.is_integer:
        inputs = tf.one_hot(inputs, weights["layer_0/kernel"].shape[0] - hyperparameters.rnn_layer_sizes[0])
    is_real = tf.sequence_mask(lengths, tf.shape(inputs)[1])
    values = tf.transpose(tf.where(is_real[..., None], inputs, 0.0), [1, 0, 2])
    for layer in range(len(hyperparameters.rnn_layer_sizes)):
        if layer == 0 and hyperparameters.attn_length:
            values = attention_layer(values, weights, hyperparameters.attn_length, precision)
        else:
            values = lstm_layer(values, weights[f"layer_{layer}/kernel"], weights[f"layer_{layer}/bias"], precision)
        if dropout_seed is not None and hyperparameters.dropout_keep_prob < 1:
            seed = tf.stack([dropout_seed, tf.constant(layer, tf.int64)])
            values = _dropout(values, hyperparameters.dropout_keep_prob, seed)
    result = tf.tensordot(values, weights["output/kernel"], 1) + weights["output/bias"]
    return tf.transpose(result, [1, 0, 2])


def _dropout(values: Tensor, keep_prob: float, seed: Tensor) -> Tensor:
    """Keeps each value with probability `keep_prob`, scaled up by its inverse; a fresh draw at every step."""
    kept = tf.random.stateless_uniform(tf.shape(values), seed) < keep_prob
    return tf.where(kept, values / keep_prob, 0.0)

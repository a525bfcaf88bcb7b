"""The network in TensorFlow: what training and its evaluation run on."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.tensorflow_attention import attention_layer
from etude.models.networks.tensorflow_lstm import Tensor, lstm_layer

PHILOX_GROUP = 4
"""Numbers that Philox draws for each number of its counter (Salmon et al. 2011)."""


class Dropout(NamedTuple):
    """Which masks are drawn: a row of a batch has the same ones, whatever part of the batch it is taken in.

    Attributes:
      seed: int64 [], of the whole batch: a function of run and training step.
      steps: int32 [], of the whole batch; the part that is given may have less.
      first_row: int64 [], the number in the batch of the first row of the part.
    """

    seed: Tensor
    steps: Tensor
    first_row: Tensor


def logits(
    hyperparameters: Hyperparameters,
    weights: Mapping[str, Tensor],
    inputs: Tensor,
    lengths: Tensor,
    dropout: Dropout | None = None,
) -> Tensor:
    """The logits after every step of a batch of sequences.

    Args:
      hyperparameters: the network's shape.
      weights: as `etude.models.networks.weights.shapes` names them.
      inputs: [batch, steps, input_size], or, where they are one-hot, the places of the ones, [batch, steps]; what stands
        after a sequence's length has no effect, even if it is not a number.
      lengths: [batch].
      dropout: the masks with which the outputs of every layer are dropped, as in training; None keeps all.

    Returns:
      [batch, steps, num_labels].
    """
    if inputs.dtype.is_integer:
        inputs = tf.one_hot(inputs, weights["layer_0/kernel"].shape[0] - hyperparameters.rnn_layer_sizes[0])
    is_real = tf.sequence_mask(lengths, tf.shape(inputs)[1])
    values = tf.transpose(tf.where(is_real[..., None], inputs, 0.0), [1, 0, 2])
    for layer in range(len(hyperparameters.rnn_layer_sizes)):
        if layer == 0 and hyperparameters.attn_length:
            values = attention_layer(values, weights, hyperparameters.attn_length)
        else:
            values = lstm_layer(values, weights[f"layer_{layer}/kernel"], weights[f"layer_{layer}/bias"])
        if dropout is not None and hyperparameters.dropout_keep_prob < 1:
            values = _drop(values, hyperparameters.dropout_keep_prob, dropout, layer)
    result = tf.tensordot(values, weights["output/kernel"], 1) + weights["output/bias"]
    return tf.transpose(result, [1, 0, 2])


def _drop(values: Tensor, keep_prob: float, dropout: Dropout, layer: int) -> Tensor:
    """Keeps each value of [steps, rows, units] with probability `keep_prob`, scaled up by its inverse.

    The numbers of a whole batch are one draw, row after row; of a generator that counts, any rows can be drawn alone.
    """
    steps, rows, units = tf.unstack(tf.shape(values))
    groups = (dropout.steps * units + PHILOX_GROUP - 1) // PHILOX_GROUP
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=tf.stack([dropout.seed, tf.constant(layer, tf.int64)]))
    skipped = tf.cast(dropout.first_row * tf.cast(groups, tf.int64), tf.uint64)
    draws = tf.raw_ops.StatelessRandomUniformV2(
        shape=[rows, groups * PHILOX_GROUP],
        key=key,
        counter=counter + tf.stack([skipped, tf.constant(0, tf.uint64)]),
        alg=tf.random.Algorithm.PHILOX.value,
    )
    kept = tf.reshape(draws[:, : steps * units] < keep_prob, [rows, steps, units])
    return tf.where(tf.transpose(kept, [1, 0, 2]), values / keep_prob, 0.0)

"""The network in TensorFlow: what training and its evaluation run on."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.tensorflow_keras import GATES, KerasLayer
from etude.models.networks.tensorflow_layers import CPU, make_layers
from etude.models.networks.tensorflow_steps import State, Tensor
from etude.models.networks.weights import layer_weights

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


class TensorFlowNetwork:
    """The network as a function of its weights: the arithmetic is that of `etude.models.networks.network.Network`."""

    def __init__(
        self,
        hyperparameters: Hyperparameters,
        input_size: int,
        devices: Collection[str] = (CPU,),
        compiles: bool = True,
    ) -> None:
        """Makes the layers, outside of any graph.

        Args:
          hyperparameters: the network's shape.
          input_size: numbers that come in at a step.
          devices: the kinds that there are, which decide on what layers run.
          compiles: whether compiled layers may be used.
        """
        self._hyperparameters = hyperparameters
        self._input_size = input_size
        self._layers = make_layers(devices, hyperparameters, input_size, compiles)

    def initial_state(self, batch_size: Tensor) -> list[State]:
        """Zeros for every sequence, by layer."""
        return [layer.initial_state(batch_size) for layer in self._layers]

    def logits(
        self, weights: Mapping[str, Tensor], inputs: Tensor, lengths: Tensor, dropout: Dropout | None = None
    ) -> Tensor:
        """The logits after every step of a batch of whole sequences, [batch, steps, num_labels]: see `unroll`."""
        return self.unroll(weights, inputs, lengths, self.initial_state(tf.shape(inputs)[0]), dropout)[0]

    def unroll(
        self,
        weights: Mapping[str, Tensor],
        inputs: Tensor,
        lengths: Tensor,
        state: Sequence[State],
        dropout: Dropout | None = None,
    ) -> tuple[Tensor, list[State]]:
        """The logits after every step of a batch of sequences that go on from a state.

        Args:
          weights: as `etude.models.networks.weights.shapes` names them.
          inputs: [batch, steps, input_size], or, where they are one-hot, the places of the ones, [batch, steps]; what stands
            after a sequence's length has no effect on its steps, even if it is not a number.
          lengths: [batch].
          state: from `initial_state`, or the one after the steps before.
          dropout: the masks with which the outputs of every layer are dropped, as in training; None keeps all.

        Returns:
          [batch, steps, num_labels], and the state after all steps, padding included: only sequences that are as long as the
          batch can go on from it.
        """
        is_real = tf.sequence_mask(lengths, tf.shape(inputs)[1])
        if inputs.dtype.is_integer and getattr(self._layers[0], "takes_places", False):
            values = tf.transpose(tf.where(is_real, inputs, 0))
        else:
            if inputs.dtype.is_integer:
                inputs = tf.one_hot(inputs, self._input_size)
            values = tf.transpose(tf.where(is_real[..., None], inputs, 0.0), [1, 0, 2])
        if "embedding/kernel" in weights:
            values = tf.tensordot(values, weights["embedding/kernel"], 1)
        after: list[State] = []
        for number, (layer, before) in enumerate(zip(self._layers, state, strict=True)):
            own = layer_weights(weights, number)
            if isinstance(layer, KerasLayer) and layer.is_masked and dropout is not None:
                values, next_state = layer(values, own, before, self._recurrent_masks(number, values, dropout))
            else:
                values, next_state = layer(values, own, before)
            after.append(next_state)
            if dropout is not None and self._hyperparameters.dropout_keep_prob < 1:
                values = _drop(values, self._hyperparameters.dropout_keep_prob, dropout, number)
        if "dense/kernel" in weights:
            values = tf.nn.relu(tf.tensordot(values, weights["dense/kernel"], 1) + weights["dense/bias"])
            if dropout is not None and self._hyperparameters.dropout_keep_prob < 1:
                values = _drop(values, self._hyperparameters.dropout_keep_prob, dropout, len(self._layers))
        result = tf.tensordot(values, weights["output/kernel"], 1) + weights["output/bias"]
        return tf.transpose(result, [1, 0, 2]), after

    def _recurrent_masks(self, number: int, values: Tensor, dropout: Dropout) -> Tensor:
        """What a layer's last output is multiplied with for each gate, [batch, gates x units]."""
        keep_prob = self._hyperparameters.recurrent_keep_prob
        width = GATES[self._hyperparameters.cell] * self._hyperparameters.rnn_layer_sizes[number]
        kept = _kept(keep_prob, dropout, -1 - number, tf.shape(values)[1], width, width)
        return tf.where(kept, 1.0 / keep_prob, 0.0)


def _drop(values: Tensor, keep_prob: float, dropout: Dropout, layer: int) -> Tensor:
    """Keeps each value of [steps, rows, units] with probability `keep_prob`, scaled up by its inverse."""
    steps, rows, units = tf.unstack(tf.shape(values))
    kept = _kept(keep_prob, dropout, layer, rows, steps * units, dropout.steps * units)
    by_step = tf.transpose(tf.reshape(kept, [rows, steps, units]), [1, 0, 2])
    return tf.where(by_step, values / keep_prob, 0.0)


def _kept(keep_prob: float, dropout: Dropout, place: int, rows: Tensor, width: Tensor, drawn: Tensor) -> Tensor:
    """Which of some numbers are kept, [rows, width].

    The numbers of a whole batch are one draw, row after row; of a generator that counts, any rows can be drawn alone.

    Args:
      keep_prob: the probability.
      dropout: which masks.
      place: of the masks in the network; each has numbers of its own.
      rows: of the part of the batch.
      width: numbers of a row.
      drawn: numbers that are drawn for a row, at least as many.
    """
    groups = (drawn + PHILOX_GROUP - 1) // PHILOX_GROUP
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=tf.stack([dropout.seed, tf.constant(place, tf.int64)]))
    skipped = tf.cast(dropout.first_row * tf.cast(groups, tf.int64), tf.uint64)
    draws = tf.raw_ops.StatelessRandomUniformV2(
        shape=[rows, groups * PHILOX_GROUP],
        key=key,
        counter=counter + tf.stack([skipped, tf.constant(0, tf.uint64)]),
        alg=tf.random.Algorithm.PHILOX.value,
    )
    return draws[:, :width] < keep_prob

"""The layer against Keras's."""

import numpy as np
import pytest
import tensorflow as tf

from etude.models.networks import tensorflow_lstm
from etude.models.networks.tensorflow_lstm import LstmLayer

STEPS, BATCH, INPUT_SIZE, UNITS = 11, 3, 5, 4


def reordered(weights):
    """Ours has the forget gate third."""
    input_gate, forget_gate, new_input, output_gate = np.split(np.asarray(weights), 4, axis=-1)
    return np.concatenate([input_gate, new_input, forget_gate, output_gate], axis=-1)


@pytest.mark.parametrize("forget_bias", [0.0, 1.0])
@pytest.mark.parametrize("block", [64, 4])
def test_equals_keras(block, forget_bias, monkeypatch):
    """Outputs, state and gradients with respect to all that goes in, from the gradients of all that comes out."""
    monkeypatch.setattr(tensorflow_lstm, "BLOCK", block)
    random = np.random.default_rng(0)
    inputs = tf.Variable(random.normal(size=(STEPS, BATCH, INPUT_SIZE)), dtype=tf.float32)
    state = [tf.Variable(random.normal(size=(BATCH, UNITS)), dtype=tf.float32) for _ in range(2)]
    directions = [
        tf.constant(random.normal(size=shape), tf.float32) for shape in [(STEPS, BATCH, UNITS), *[(BATCH, UNITS)] * 2]
    ]
    keras = tf.keras.layers.LSTM(
        UNITS, return_sequences=True, return_state=True, bias_initializer="glorot_uniform", unit_forget_bias=False
    )
    with tf.GradientTape() as tape:
        by_row, *after = keras(tf.transpose(inputs, [1, 0, 2]), initial_state=state)
        expected = [tf.transpose(by_row, [1, 0, 2]), *after]
        loss = sum(tf.reduce_sum(values * there) for values, there in zip(expected, directions, strict=True))
    d_inputs, *d_state, d_kernel, d_recurrent, d_bias = tape.gradient(
        loss, [inputs, *state, *keras.trainable_variables]
    )

    kernel, recurrent_kernel, bias = map(reordered, keras.get_weights())
    bias -= np.repeat([0, 0, forget_bias, 0], UNITS).astype(np.float32)
    weights = {"kernel": tf.Variable(np.concatenate([kernel, recurrent_kernel])), "bias": tf.Variable(bias)}
    with tf.GradientTape() as tape:
        outputs, after = tf.function(LstmLayer(UNITS, forget_bias))(inputs, weights, tuple(state))
        found = [outputs, *after]
        loss = sum(tf.reduce_sum(values * there) for values, there in zip(found, directions, strict=True))
    gradients = tape.gradient(loss, [inputs, *state, weights["kernel"], weights["bias"]])
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    wanted = [d_inputs, *d_state, np.concatenate([reordered(d_kernel), reordered(d_recurrent)]), reordered(d_bias)]
    for ours, theirs in zip(gradients, wanted, strict=True):
        assert np.abs(theirs).max() > 0.1
        np.testing.assert_allclose(ours, theirs, atol=2e-5)

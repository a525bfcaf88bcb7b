"""Recurrent dropout, whose masks are given, against the plain equations."""

import numpy as np
import pytest
import tensorflow as tf

from etude.models.networks.cells import SHAPES
from etude.models.networks.tensorflow_keras import GATES, KerasLayer

INPUT_SIZE, UNITS, BATCH = 3, 4, 5


def plain(cell, inputs, weights, state, masks):
    """Outputs and state after all steps: the equations with each gate's own copy of the last output, part of it zeros."""
    kernel, bias = weights["kernel"], weights["bias"]
    recurrent = weights["recurrent_kernel"] if cell == "gru" else kernel[INPUT_SIZE:]
    by_gate = tf.split(recurrent, GATES[cell], axis=1)
    kept = tf.split(masks, GATES[cell], axis=1)
    if cell == "lstm":
        # Keras's order of gates, in which masks are given, has the new input third, ours second.
        kept = [kept[0], kept[2], kept[1], kept[3]]
    output, *others = state
    outputs = []
    for value in tf.unstack(inputs):
        own = tf.split(value @ kernel[:INPUT_SIZE] + bias, GATES[cell], axis=1)
        back = [(output * mask) @ part for mask, part in zip(kept, by_gate, strict=True)]
        if cell == "gru":
            back = [part + more for part, more in zip(back, tf.split(weights["recurrent_bias"], 3), strict=True)]
            update, reset = (tf.sigmoid(own[gate] + back[gate]) for gate in (0, 1))
            output = update * output + (1 - update) * tf.tanh(own[2] + reset * back[2])
        elif cell == "lstm":
            i, j, f, o = (part + more for part, more in zip(own, back, strict=True))
            others = [tf.sigmoid(f + 1) * others[0] + tf.sigmoid(i) * tf.tanh(j)]
            output = tf.sigmoid(o) * tf.tanh(others[0])
        else:
            output = tf.tanh(own[0] + back[0])
        outputs.append(output)
    return tf.stack(outputs), (output, *others)


@pytest.mark.parametrize("cell", GATES)
def test_recurrent_dropout_equals_the_plain_equations(cell):
    """In a graph with a loop around, as in training, called with other masks and shapes: outputs, state and gradients."""
    random = np.random.default_rng(0)
    layer = KerasLayer(cell, INPUT_SIZE, UNITS, forget_bias=1.0, is_masked=True)
    weights = {name: random.normal(size=shape) for name, shape in SHAPES[cell](INPUT_SIZE, UNITS).items()}
    ours = {name: tf.Variable(value, dtype=tf.float32) for name, value in weights.items()}

    def loss_of(outputs, after):
        return tf.reduce_sum(outputs**2) + sum(tf.reduce_sum(values**3) for values in after)

    @tf.function(reduce_retracing=True, autograph=False)
    def in_a_loop(inputs, state, masks):
        def add(number, loss, gradients):
            with tf.GradientTape() as tape:
                outputs, after = layer(inputs[number], ours, state, masks[number])
                more = loss_of(outputs, after)
            found = tape.gradient(more, ours)
            return number + 1, loss + more, {name: value + found[name] for name, value in gradients.items()}

        zeros = {name: tf.zeros_like(value) for name, value in ours.items()}
        return tf.while_loop(lambda number, *_: number < tf.shape(masks)[0], add, (0, 0.0, zeros))[1:]

    for batch, steps in ((BATCH, 7), (2, 3), (BATCH, 7)):
        inputs = random.normal(size=(2, steps, batch, INPUT_SIZE))
        state = tuple(random.normal(size=(batch, UNITS)) for _ in layer.initial_state(batch))
        masks = random.choice([0.0, 1.25], size=(2, batch, GATES[cell] * UNITS))
        loss, gradients = in_a_loop(
            *tf.nest.map_structure(lambda v: tf.constant(v, tf.float32), (inputs, state, masks))
        )

        exact = {name: tf.constant(value) for name, value in weights.items()}
        with tf.GradientTape() as tape:
            tape.watch(exact)
            expected = sum(
                loss_of(*plain(cell, *tf.nest.map_structure(tf.constant, (inputs[part], exact, state, masks[part]))))
                for part in range(2)
            )
        assert float(loss) == pytest.approx(float(expected), rel=1e-5)
        for name, value in tape.gradient(expected, exact).items():
            np.testing.assert_allclose(gradients[name], value, atol=2e-5 * np.abs(value).max(), err_msg=name)

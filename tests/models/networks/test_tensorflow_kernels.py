"""Compiled layers against Keras's."""

import numpy as np
import pytest
import tensorflow as tf

from etude.models.networks.cells import SHAPES
from etude.models.networks.kernels import layer as kernel_layer
from etude.models.networks.tensorflow_keras import KerasLayer
from etude.models.networks.tensorflow_kernels import KernelLayer

STEPS, BATCH, INPUT_SIZE, UNITS = 11, 3, 5, 4


@pytest.fixture(params=[512, 1], ids=["one block", "blocks of 4"])
def _block(request, monkeypatch):
    monkeypatch.setattr(kernel_layer, "_ROWS_AT_ONCE", request.param)
    monkeypatch.setattr(kernel_layer, "_LEAST_STEPS_AT_ONCE", 4)


def outputs_and_gradients(layer, inputs, weights, state, directions):
    """All that comes out, and the gradients with respect to all that goes in, in a graph."""

    @tf.function(autograph=False)
    def run():
        with tf.GradientTape() as tape:
            outputs, after = layer(inputs, weights, tuple(state))
            found = [outputs, *after]
            loss = sum(tf.reduce_sum(values * there) for values, there in zip(found, directions, strict=True))
        return found, tape.gradient(loss, [inputs, *state, *weights.values()])

    return run()


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize(("cell", "forget_bias"), [("lstm", 0.0), ("lstm", 1.0), ("gru", 0.0), ("rnn", 0.0)])
def test_equals_keras(cell, forget_bias):
    random = np.random.default_rng(0)
    inputs = tf.Variable(random.normal(size=(STEPS, BATCH, INPUT_SIZE)), dtype=tf.float32)
    layer = KernelLayer(cell, UNITS, forget_bias)
    weights = {
        name: tf.Variable(random.normal(0, 0.5, size=shape), dtype=tf.float32)
        for name, shape in SHAPES[cell](INPUT_SIZE, UNITS).items()
    }
    state = [tf.Variable(random.normal(size=(BATCH, UNITS)), dtype=tf.float32) for _ in layer.initial_state(BATCH)]
    shapes = [(STEPS, BATCH, UNITS), *[(BATCH, UNITS)] * len(state)]
    directions = [tf.constant(random.normal(size=shape), tf.float32) for shape in shapes]
    ours = outputs_and_gradients(layer, inputs, weights, state, directions)
    keras = outputs_and_gradients(KerasLayer(cell, INPUT_SIZE, UNITS, forget_bias), inputs, weights, state, directions)
    for found, expected in zip(ours[0], keras[0], strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-6)
    for found, expected in zip(ours[1], keras[1], strict=True):
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_places_of_ones_are_vectors(cell):
    """Outputs and the gradients of the weights; nobody wants those of the first layer's inputs."""
    random = np.random.default_rng(0)
    places = random.integers(INPUT_SIZE, size=(STEPS, BATCH))
    layer = KernelLayer(cell, UNITS, is_first=True)
    weights = {
        name: tf.Variable(random.normal(0, 0.5, size=shape), dtype=tf.float32)
        for name, shape in SHAPES[cell](INPUT_SIZE, UNITS).items()
    }
    directions = [tf.constant(random.normal(size=(STEPS, BATCH, UNITS)), tf.float32)]
    directions += [tf.zeros((BATCH, UNITS))] * len(layer.initial_state(BATCH))
    given = [tf.constant(places), tf.one_hot(places, INPUT_SIZE)]
    ours, vectors = (
        outputs_and_gradients(layer, inputs, weights, layer.initial_state(BATCH), directions) for inputs in given
    )
    np.testing.assert_allclose(ours[0][0], vectors[0][0], atol=1e-6)
    for name, found, expected in zip(weights, ours[1][-len(weights) :], vectors[1][-len(weights) :], strict=True):
        assert np.abs(expected).max() > 0.1, name
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_without_backward_to_come_less_is_kept_and_the_outputs_are_the_same(cell):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(STEPS, BATCH, INPUT_SIZE)).astype(np.float32)
    weights = {
        name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES[cell](INPUT_SIZE, UNITS).items()
    }
    layer = kernel_layer.CompiledLayer(cell, UNITS)
    state = [np.zeros((BATCH, UNITS), np.float32)] * layer.num_states
    whole, outputs_alone = (layer.forward(inputs, weights, state, keeps) for keeps in (True, False))
    np.testing.assert_array_equal(whole.outputs, outputs_alone.outputs)
    assert outputs_alone.gates.size <= whole.gates.size // STEPS


def test_layers_of_two_parts_do_not_wait_for_each_other():
    layer = KernelLayer("lstm", 3)
    weights = {name: tf.ones(shape) for name, shape in SHAPES["lstm"](2, 3).items()}

    @tf.function
    def gradients(one, other):
        with tf.GradientTape() as tape:
            tape.watch((one, other))
            sums = [tf.reduce_sum(layer(part, weights, layer.initial_state(1))[0]) for part in (one, other)]
            total = tf.add_n(sums)
        return tape.gradient(total, (one, other))

    part = tf.TensorSpec([None, 1, 2], tf.float32)
    graph = gradients.get_concrete_function(part, part).graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    calls = [node for node in nodes if node.op.startswith(("PyFunc", "PartitionedCall", "StatefulPartitionedCall"))]
    assert {node.op for node in calls} == {"PartitionedCall", "PyFuncStateless"}
    assert not any(name.startswith("^") for node in calls for name in node.input)

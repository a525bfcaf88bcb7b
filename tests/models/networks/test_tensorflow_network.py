"""The TensorFlow network against the NumPy one, and its gradients against automatic and numerical differentiation."""

import numpy as np
import pytest
import tensorflow as tf

from etude.models.encodings.encoding import as_vectors
from etude.models.melodies.melody import metres
from etude.models.networks import tensorflow_attention, tensorflow_network
from etude.models.networks.kernels import layer as kernel_layer
from etude.models.networks.network import Network
from etude.models.networks.tensorflow_keras import GATES
from etude.models.networks.tensorflow_network import TensorFlowNetwork
from etude.models.storage.checkpoint import load_arrays, save_arrays

STEPS = 11


def vectors(model, events, steps_per_bar):
    """Inputs, as vectors where they may be given as indices."""
    return as_vectors(model.encoding.inputs(events, metres(steps_per_bar)), model.encoding.input_size)


@pytest.fixture
def inputs(model, random_events):
    batch = np.stack([random_events(seed, STEPS) for seed in range(3)])
    return model.encoding.inputs(batch, metres([16, 12, 6]))


def network_of(model, devices=("CPU",)):
    return TensorFlowNetwork(model.configuration.hyperparameters, model.encoding.input_size, devices)


def tensorflow_logits(model, inputs, lengths, dropout_seed=None, first_row=0, batch_steps=None, devices=("CPU",)):
    weights = {name: tf.constant(value) for name, value in model.weights.items()}
    dropout = None
    if dropout_seed is not None:
        dropout = tensorflow_network.Dropout(
            tf.constant(dropout_seed, tf.int64),
            tf.constant(batch_steps or inputs.shape[1]),
            tf.constant(first_row, tf.int64),
        )
    return network_of(model, devices).logits(weights, tf.constant(inputs), tf.constant(lengths), dropout).numpy()


def plain_logits(hyperparameters, weights, inputs, limit=np.inf):
    """The network's equations, step by step on tensors of any precision, differentiated by TensorFlow itself.

    Keys and queries of attention are cut off at the limit.
    """
    batch = inputs.shape[0]
    cells = [tf.zeros([batch, units], inputs.dtype) for units in hyperparameters.rnn_layer_sizes]
    outputs = list(cells)
    summary, memory = cells[0], [cells[0]] * hyperparameters.attn_length
    result = []

    def linear(name, *parts):
        return tf.concat(parts, 1) @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    for step in range(inputs.shape[1]):
        value = inputs[:, step]
        value = value @ weights["embedding/kernel"] if hyperparameters.embedding_size else value
        for layer in range(len(cells)):
            attends = layer == 0 and hyperparameters.attn_length
            if attends:
                value = linear("attention/input", value, summary)
            kernel, bias = weights[f"layer_{layer}/kernel"], weights[f"layer_{layer}/bias"]
            if hyperparameters.cell == "gru":
                xz, xr, xh = tf.split(value @ kernel + bias, 3, 1)
                recurrent = outputs[layer] @ weights[f"layer_{layer}/recurrent_kernel"]
                hz, hr, hh = tf.split(recurrent + weights[f"layer_{layer}/recurrent_bias"], 3, 1)
                update, new = tf.sigmoid(xz + hz), tf.tanh(xh + tf.sigmoid(xr + hr) * hh)
                outputs[layer] = value = update * outputs[layer] + (1.0 - update) * new
                continue
            gates = tf.concat([value, outputs[layer]], 1) @ kernel + bias
            if hyperparameters.cell == "rnn":
                outputs[layer] = value = tf.tanh(gates)
                continue
            i, j, f, o = tf.split(gates, 4, 1)
            cells[layer] = tf.sigmoid(f + hyperparameters.forget_bias) * cells[layer] + tf.sigmoid(i) * tf.tanh(j)
            outputs[layer] = value = tf.sigmoid(o) * tf.tanh(cells[layer])
            if attends:
                query = linear("attention/query", cells[0], outputs[0])
                entries = tf.stack(memory, 1)
                keys, query = (
                    tf.clip_by_value(values, -limit, limit)
                    for values in (entries @ weights["attention/memory_kernel"], query)
                )
                features = tf.tanh(keys + query[:, None])
                shares = tf.nn.softmax(tf.reduce_sum(weights["attention/score_vector"] * features, 2))
                summary = tf.reduce_sum(shares[..., None] * entries, 1)
                value = linear("attention/output", outputs[0], summary)
                memory = [*memory[1:], value]
        if hyperparameters.dense_size:
            value = tf.nn.relu(value @ weights["dense/kernel"] + weights["dense/bias"])
        result.append(value @ weights["output/kernel"] + weights["output/bias"])
    return tf.stack(result, 1)


def test_equals_numpy(model, devices, inputs):
    found = tensorflow_logits(model, inputs, [STEPS] * 3, devices=devices)
    np.testing.assert_allclose(found, model.network.logits(inputs), atol=2e-5)


def test_a_part_of_a_batch_may_be_empty(model, devices, inputs):
    """In a graph that knows no sizes, as that of training; and it is the same for a part that is not."""
    network = network_of(model, devices)
    weights = {name: tf.constant(value) for name, value in model.weights.items()}
    shape = [None] * 2 + list(inputs.shape[2:])
    logits = tf.function(
        lambda values, lengths: network.logits(weights, values, lengths),
        [tf.TensorSpec(shape, inputs.dtype), tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
    assert logits(inputs[:0], np.zeros(0, np.int64)).shape == (0, STEPS, model.encoding.num_labels)
    found = logits(inputs[1:2], np.full(1, STEPS))
    np.testing.assert_allclose(found, model.network.logits(inputs[1:2]), atol=2e-5)


def to_disk_and_back(state, path):
    """A state as checkpoints keep it."""
    arrays = {str(number): values.numpy() for number, values in enumerate(tf.nest.flatten(state))}
    save_arrays(path, arrays)
    loaded = load_arrays(path, {name: array.shape for name, array in arrays.items()})
    return tf.nest.pack_sequence_as(state, [tf.constant(loaded[name]) for name in arrays])


@pytest.mark.parametrize("sizes", [(1,) * STEPS, (4, 7), (9, 1, 1)])
def test_chunks_of_any_length_equal_the_whole(model, devices, inputs, sizes, tmp_path):
    """The state goes out of each into the next, and in between to disk and back; a row may begin anew where others go on."""
    weights = {name: tf.constant(value) for name, value in model.weights.items()}
    network = network_of(model, devices)
    state, start, found = network.initial_state(3), 0, []
    for size in sizes:
        state = to_disk_and_back(state, tmp_path / "state.npz")
        logits, state = network.unroll(weights, tf.constant(inputs[:, start : start + size]), [size] * 3, state)
        found.append(logits)
        start += size
    whole = tensorflow_logits(model, inputs, [STEPS] * 3, devices=devices)
    np.testing.assert_allclose(np.concatenate(found, axis=1), whole, atol=1e-5)

    kept = tf.constant([1.0, 0.0, 1.0])
    state = tf.nest.map_structure(lambda values: values * tf.reshape(kept, [3] + [1] * (len(values.shape) - 1)), state)
    again, _ = network.unroll(weights, tf.constant(inputs), [STEPS] * 3, state)
    whole = model.network.logits(np.concatenate([inputs, inputs], axis=1))[:, STEPS:]
    np.testing.assert_allclose(again.numpy()[[0, 2]], whole[[0, 2]], atol=2e-5)
    np.testing.assert_allclose(again.numpy()[1], model.network.logits(inputs)[1], atol=2e-5)
    assert np.abs(again.numpy()[0] - model.network.logits(inputs)[0]).max() > 1e-3


def test_inputs_may_be_indices(tiny_model, random_events):
    model = tiny_model("basic", cell="gru")
    inputs = vectors(model, np.stack([random_events(seed, STEPS) for seed in range(3)]), np.full(3, 16))
    found = tensorflow_logits(model, inputs.argmax(axis=2), [STEPS, 4, 1])
    np.testing.assert_array_equal(found[0], tensorflow_logits(model, inputs, [STEPS, 4, 1])[0])


def test_padding_is_harmless(model, devices, inputs):
    """Even if it is not a number: in the logits of real steps and in the gradients."""
    lengths = [STEPS, 4, 1]
    inputs = as_vectors(inputs, model.encoding.input_size)
    whole = tensorflow_logits(model, inputs, lengths, devices=devices)
    padded = inputs.copy()
    for row, length in enumerate(lengths):
        padded[row, length:] = np.nan
    np.testing.assert_array_equal(tensorflow_logits(model, padded, lengths, devices=devices), whole)

    weights = {name: tf.Variable(value) for name, value in model.weights.items()}
    is_real = tf.sequence_mask(lengths, STEPS)
    network = network_of(model, devices)
    gradients = []
    for values in (inputs, padded):
        with tf.GradientTape() as tape:
            logits = network.logits(weights, tf.constant(values), tf.constant(lengths))
            loss = tf.reduce_sum(tf.where(is_real[..., None], logits**2, 0.0))
        gradients.append(tape.gradient(loss, weights))
    for name in weights:
        assert np.isfinite(gradients[1][name]).all()
        np.testing.assert_array_equal(gradients[0][name], gradients[1][name])


def test_saved_weights_give_identical_logits(model, inputs, tmp_path):
    save_arrays(tmp_path / "weights.npz", model.weights)
    shapes = {name: value.shape for name, value in model.weights.items()}
    loaded = type(model)(model.configuration, load_arrays(tmp_path / "weights.npz", shapes), tmp_path)
    np.testing.assert_array_equal(loaded.network.logits(inputs), model.network.logits(inputs))
    found = tensorflow_logits(loaded, inputs, [STEPS] * 3)
    np.testing.assert_array_equal(found, tensorflow_logits(model, inputs, [STEPS] * 3))


def test_gradients(model, devices, random_events):
    """Of a random function of the logits, with respect to every weight."""
    hyperparameters = model.configuration.hyperparameters
    inputs = vectors(model, np.stack([random_events(seed, 7) for seed in range(3)]), np.full(3, 16))
    random = np.random.default_rng(5)
    direction = random.normal(size=model.network.logits(inputs).shape)

    ours = {name: tf.Variable(value) for name, value in model.weights.items()}
    with tf.GradientTape() as tape:
        logits = network_of(model, devices).logits(ours, tf.constant(inputs), tf.constant([7] * 3))
        loss = tf.reduce_sum(logits * tf.constant(direction, tf.float32))
    gradients = tape.gradient(loss, ours)

    @tf.function
    def plain_loss(weights):
        logits = plain_logits(hyperparameters, weights, tf.constant(inputs, tf.float64))
        return tf.reduce_sum(logits * tf.constant(direction))

    @tf.function
    def plain_loss_and_gradients(weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = plain_loss(weights)
        return loss, tape.gradient(loss, weights)

    plain = {name: tf.constant(value, tf.float64) for name, value in model.weights.items()}
    expected_loss, expected = plain_loss_and_gradients(plain)
    assert float(loss) == pytest.approx(float(expected_loss), abs=1e-3)
    for name, value in gradients.items():
        scale = float(tf.reduce_max(tf.abs(expected[name])))
        assert scale > 1e-3, f"{name} does not matter"
        np.testing.assert_allclose(value, expected[name], atol=2e-5 * scale, err_msg=name)
        step = random.normal(size=value.shape)
        step *= 1e-6 / np.abs(step).max()
        up, down = (float(plain_loss({**plain, name: plain[name] + sign * step})) for sign in (1, -1))
        assert (up - down) / 2 == pytest.approx(np.sum(step * value), rel=1e-3, abs=1e-5 * scale * 1e-6), name


@pytest.mark.parametrize("attn_length", [0, 1, 3, 7, 20])
def test_nothing_depends_on_the_blocks(attn_length, tiny_model, random_events, monkeypatch):
    """Logits and gradients are the same whether a sequence is one block or many, shorter or longer than the memory."""
    model = tiny_model("attention", attn_length=attn_length)
    inputs = tf.constant(vectors(model, np.stack([random_events(seed, STEPS) for seed in range(3)]), np.full(3, 16)))
    direction = tf.constant(
        np.random.default_rng(1).normal(size=model.network.logits(inputs.numpy()).shape), tf.float32
    )
    found = []
    for block in (64, 4):
        monkeypatch.setattr(tensorflow_attention, "BLOCK", block)
        monkeypatch.setattr(kernel_layer, "_LEAST_STEPS_AT_ONCE", block)
        monkeypatch.setattr(kernel_layer, "_ROWS_AT_ONCE", 1)
        weights = {name: tf.Variable(value) for name, value in model.weights.items()}
        with tf.GradientTape() as tape:
            logits = network_of(model).logits(weights, inputs, tf.constant([STEPS] * 3))
            loss = tf.reduce_sum(logits * direction)
        found.append({"logits": logits, **tape.gradient(loss, weights)})
    np.testing.assert_allclose(found[0]["logits"], model.network.logits(inputs.numpy()), atol=2e-5)
    for other in found[1:]:
        for name, value in found[0].items():
            scale = float(tf.reduce_max(tf.abs(value)))
            # One output is all that a memory of one holds, whatever the query.
            assert scale > 1e-3 or attn_length == 1, f"{name} does not matter"
            np.testing.assert_allclose(other[name], value, atol=1e-5 * max(scale, 1e-3), err_msg=name)


def test_gradients_where_keys_and_queries_are_cut_off(tiny_model, random_events):
    """Keys of hundreds, as unlucky weights give on long pieces: what is cut off has no gradient, whatever it meets."""
    model = tiny_model("attention", attn_length=4)
    weights = {name: value.astype(np.float64) for name, value in model.weights.items()}
    weights["attention/memory_kernel"] = 150 * np.eye(len(weights["attention/score_vector"]))
    weights["attention/output_bias"] = np.where(np.arange(len(weights["attention/output_bias"])) % 2, 1.0, -1.0)
    weights["attention/query_bias"] = -150 * weights["attention/output_bias"]
    inputs = vectors(model, np.stack([random_events(seed, STEPS) for seed in range(3)]), np.full(3, 16))
    variables = {name: tf.Variable(value, dtype=tf.float32) for name, value in weights.items()}
    exact = {name: tf.constant(value) for name, value in weights.items()}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(exact)
        found = network_of(model).logits(variables, tf.constant(inputs), tf.constant([STEPS] * 3))
        plain = plain_logits(model.configuration.hyperparameters, exact, tf.constant(inputs, tf.float64), limit=80.0)
        loss, plain_loss = tf.reduce_sum(found**2), tf.reduce_sum(plain**2)
    np.testing.assert_allclose(found, plain, atol=1e-3)
    gradients, expected = tape.gradient(loss, variables), tape.gradient(plain_loss, exact)
    for name, value in gradients.items():
        scale = max(float(tf.reduce_max(tf.abs(expected[name]))), 1e-2)
        np.testing.assert_allclose(value, expected[name], atol=1e-3 * scale, err_msg=name)


@pytest.mark.parametrize("factor", [3.0, 1e4])
def test_attention_where_tanh_is_saturated(factor, tiny_model, random_events):
    """Keys and queries of 30 to 50, and so large that they have to be cut off."""
    model = tiny_model("attention", attn_length=4)
    weights = dict(model.weights)
    for name in ("attention/query_kernel", "attention/memory_kernel"):
        weights[name] = weights[name] * np.float32(factor)
    inputs = vectors(model, np.stack([random_events(seed, STEPS) for seed in range(3)]), np.full(3, 16))
    hyperparameters = model.configuration.hyperparameters
    variables = {name: tf.Variable(value) for name, value in weights.items()}
    with tf.GradientTape() as tape:
        logits = network_of(model).logits(variables, tf.constant(inputs), tf.constant([STEPS] * 3))
        loss = tf.reduce_sum(logits**2)
    gradients = tape.gradient(loss, variables)
    assert all(np.isfinite(value).all() for value in gradients.values())
    if factor < 100:
        np.testing.assert_allclose(logits, Network(hyperparameters, weights).logits(inputs), atol=2e-4)


@pytest.mark.parametrize("cell", GATES)
def test_recurrent_dropout(cell, tiny_model):
    """The same for a whole sequence and whatever part of the batch it is taken in; none without training."""
    model = tiny_model("basic", cell=cell, recurrent_keep_prob=0.5, dropout_keep_prob=1.0)
    inputs = np.ones((6, 5, model.encoding.input_size), np.float32)
    np.testing.assert_allclose(tensorflow_logits(model, inputs, [5] * 6), model.network.logits(inputs), atol=2e-5)
    whole = tensorflow_logits(model, inputs, [5] * 6, 7)
    # Nothing comes from before the first step, so the bottom layer's first output has nothing to lose.
    assert np.abs(whole[:, 0] - whole[:1, 0]).max() < 1e-6
    assert len(np.unique(whole[:, 4], axis=0)) == 6
    for first, last, steps in [(0, 2, 5), (2, 6, 5), (1, 5, 3)]:
        part = inputs[first:last, :steps]
        found = tensorflow_logits(model, part, [steps] * len(part), 7, first, 5)
        np.testing.assert_allclose(found, whole[first:last, :steps], atol=1e-6)
    assert not np.array_equal(whole, tensorflow_logits(model, inputs, [5] * 6, 8))


def test_dropout_masks_depend_on_the_seed_alone(tiny_model):
    model = tiny_model("attention", dropout_keep_prob=0.5)
    inputs = np.ones((2, 5, model.encoding.input_size), np.float32)
    first, again, other = (tensorflow_logits(model, inputs, [5, 5], seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    # Two equal sequences side by side get masks of their own.
    assert (first[0] != first[1]).mean() > 0.9


def test_layers_and_seeds_have_masks_of_their_own():
    """And no row or step has that of another, not only of its neighbour."""
    ones = tf.ones([30, 20, 64])
    masks = [
        tensorflow_network._drop(
            ones, 0.5, tensorflow_network.Dropout(tf.constant(seed, tf.int64), 30, tf.constant(0, tf.int64)), layer
        ).numpy()
        / 2
        for seed, layer in [(7, 0), (7, 1), (8, 0)]
    ]
    for mask in masks:
        assert set(np.unique(mask)) == {0, 1}
        assert len(np.unique(mask.reshape(-1, 64), axis=0)) == 30 * 20
    correlations = np.corrcoef([mask.ravel() for mask in masks])
    assert np.abs(correlations - np.eye(3)).max() < 0.03


def test_dropout_of_a_part_is_that_of_its_rows_in_the_batch(tiny_model):
    """Rows and steps of a batch alone, for numbers of units and steps that Philox does not draw evenly."""
    model = tiny_model("attention", rnn_layer_sizes=[3, 7], dropout_keep_prob=0.5)
    inputs = np.ones((6, 5, model.encoding.input_size), np.float32)
    whole = tensorflow_logits(model, inputs, [5] * 6, 7)
    for first, last, steps in [(0, 2, 5), (2, 6, 5), (3, 4, 5), (1, 5, 3), (6, 6, 5)]:
        part = inputs[first:last, :steps]
        found = tensorflow_logits(model, part, [steps] * len(part), 7, first, 5)
        np.testing.assert_allclose(found, whole[first:last, :steps], atol=1e-6)


def test_no_dropout_where_everything_is_kept(tiny_model):
    model = tiny_model("lookback", dropout_keep_prob=1.0)
    inputs = np.ones((2, 5, model.encoding.input_size), np.float32)
    np.testing.assert_array_equal(
        tensorflow_logits(model, inputs, [5, 5], 3), tensorflow_logits(model, inputs, [5, 5], None)
    )


def outputs_after_dropout(tiny_model, keep_prob):
    """The last layer's outputs after dropout, and what they are without, from a network of one layer."""
    model = tiny_model("mono", rnn_layer_sizes=[6], dropout_keep_prob=keep_prob)
    model.weights["output/kernel"][:] = np.eye(6, model.encoding.num_labels)
    model.weights["output/bias"][:] = 0
    inputs = np.ones((40, 50, model.encoding.input_size), np.float32)
    lengths = [50] * 40
    return tensorflow_logits(model, inputs, lengths, 1)[..., :6], tensorflow_logits(model, inputs, lengths)[..., :6]


@pytest.mark.parametrize("keep_prob", [0.5, 0.8])
def test_dropout_keeps_its_share_and_the_mean(tiny_model, keep_prob):
    dropped, whole = outputs_after_dropout(tiny_model, keep_prob)
    kept = dropped != 0
    assert kept.mean() == pytest.approx(keep_prob, abs=0.02)
    # The outputs of the last layer are dropped, its state is not: what is kept is what it was, scaled up.
    np.testing.assert_allclose(dropped[kept], whole[kept] / keep_prob, rtol=1e-4)
    assert np.abs(dropped).mean() == pytest.approx(np.abs(whole).mean(), rel=0.03)


def test_dropout_draws_a_fresh_mask_at_every_step_and_for_every_unit(tiny_model):
    dropped, _ = outputs_after_dropout(tiny_model, 0.5)
    kept = (dropped != 0).astype(float)
    for one, next_one in [(kept[:, :-1], kept[:, 1:]), (kept[..., :-1], kept[..., 1:]), (kept[:-1], kept[1:])]:
        correlation = np.corrcoef(one.ravel(), next_one.ravel())[0, 1]
        assert abs(correlation) < 0.05

import dataclasses

import numpy as np
import pytest

from etude.models.encodings.encoding import as_vectors
from etude.models.hyperparameters import Hyperparameters
from etude.models.melodies.melody import metres
from etude.models.networks.network import log_softmax, sigmoid, softmax
from etude.models.networks.weights import initialise, shapes
from etude.models.registry import configure, make_encoding

CONFIGURATIONS = ["basic_rnn", "mono_rnn", "lookback_rnn", "attention_rnn"]


@pytest.fixture
def inputs(model, random_events):
    """As vectors; indices have a test of their own."""
    batch = np.stack([random_events(seed, 20) for seed in range(3)])
    return as_vectors(model.encoding.inputs(batch, metres([16, 12, 6])), model.encoding.input_size)


def plain_logits(hyperparameters, weights, inputs):
    """The network's equations for one sequence, step by step in float64, with the memory as a list of outputs."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}

    def linear(name, *parts):
        return np.concatenate(parts) @ w[f"{name}_kernel"] + w[f"{name}_bias"]

    cells = [np.zeros(units) for units in hyperparameters.rnn_layer_sizes]
    outputs = list(cells)
    summary, memory = cells[0], [cells[0]] * hyperparameters.attn_length
    result = []
    for value in inputs.astype(np.float64):
        value = value @ w["embedding/kernel"] if hyperparameters.embedding_size else value
        for layer in range(len(cells)):
            attends = layer == 0 and hyperparameters.attn_length
            if attends:
                value = linear("attention/input", value, summary)
            kernel, bias = w[f"layer_{layer}/kernel"], w[f"layer_{layer}/bias"]
            if hyperparameters.cell == "gru":
                xz, xr, xh = np.split(value @ kernel + bias, 3)
                recurrent = outputs[layer] @ w[f"layer_{layer}/recurrent_kernel"] + w[f"layer_{layer}/recurrent_bias"]
                hz, hr, hh = np.split(recurrent, 3)
                update, new = 1 / (1 + np.exp(-xz - hz)), np.tanh(xh + hh / (1 + np.exp(-xr - hr)))
                outputs[layer] = value = update * outputs[layer] + (1 - update) * new
                continue
            gates = np.concatenate([value, outputs[layer]]) @ kernel + bias
            if hyperparameters.cell == "rnn":
                outputs[layer] = value = np.tanh(gates)
                continue
            i, j, f, o = np.split(gates, 4)
            forget = 1 / (1 + np.exp(-f - hyperparameters.forget_bias))
            cells[layer] = cells[layer] * forget + np.tanh(j) / (1 + np.exp(-i))
            outputs[layer] = value = np.tanh(cells[layer]) / (1 + np.exp(-o))
            if attends:
                query = linear("attention/query", cells[0], outputs[0])
                scores = [
                    w["attention/score_vector"] @ np.tanh(entry @ w["attention/memory_kernel"] + query)
                    for entry in memory
                ]
                shares = np.exp(scores) / np.exp(scores).sum()
                summary = sum(share * entry for share, entry in zip(shares, memory, strict=True))
                value = linear("attention/output", outputs[0], summary)
                memory = [*memory[1:], value]
        if hyperparameters.dense_size:
            value = np.maximum(value @ w["dense/kernel"] + w["dense/bias"], 0)
        result.append(value @ w["output/kernel"] + w["output/bias"])
    return np.array(result)


def test_equals_the_plain_equations(model, inputs):
    logits = model.network.logits(inputs)
    assert logits.dtype == np.float32
    for row in range(len(inputs)):
        expected = plain_logits(model.configuration.hyperparameters, model.weights, inputs[row])
        assert np.ptp(expected) > 1
        np.testing.assert_allclose(logits[row], expected, atol=2e-5)


def test_whole_sequences_equal_step_by_step(model, inputs):
    whole = model.network.logits(inputs)
    state = model.network.initial_state(len(inputs))
    for step in range(inputs.shape[1]):
        logits, state = model.network.step(inputs[:, step], state)
        np.testing.assert_array_equal(logits, whole[:, step])


def test_padding_is_harmless(model, inputs):
    """Even if it is not a number, and whatever else is in the batch."""
    lengths = [20, 13, 1]
    whole = model.network.logits(inputs)
    for row, length in enumerate(lengths):
        inputs[row, length:] = np.nan
    found = model.network.logits(inputs)
    for row, length in enumerate(lengths):
        np.testing.assert_array_equal(found[row, :length], whole[row, :length])
        alone = model.network.logits(inputs[row : row + 1, :length])[0]
        np.testing.assert_allclose(alone, whole[row, :length], atol=1e-5)


def test_a_state_taken_is_independent_of_the_one_it_came_from(model, inputs):
    whole = model.network.logits(inputs)
    state = model.network.initial_state(len(inputs))
    for step in range(9):
        _, state = model.network.step(inputs[:, step], state)
    rows = np.array([2, 0, 2, 1])
    taken = state.take(rows)
    for step in range(9, 20):
        _, state = model.network.step(np.ones_like(inputs[:, step]), state)
        logits, taken = model.network.step(inputs[rows, step], taken)
        np.testing.assert_allclose(logits, whole[rows, step], atol=1e-5)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_label_log_probabilities_equal_magenta(name, magenta_figures, magenta_model):
    figures, model = magenta_figures(name), magenta_model(name)
    num_labels = 0
    for melody in figures["melodies"]:
        if "labels" not in melody:
            continue
        events = np.array([melody["squashed"]])
        inputs = model.encoding.inputs(events[:, :-1], metres(16))
        log_probabilities = log_softmax(model.network.logits(inputs))[0]
        rows = len(melody["softmax_first_rows"])
        np.testing.assert_allclose(np.exp(log_probabilities[:rows]), melody["softmax_first_rows"], rtol=1e-4, atol=1e-7)
        labels = np.array(melody["labels"])
        ours = log_probabilities[np.arange(len(labels)), labels].astype(np.float64)
        np.testing.assert_allclose(ours, melody["label_log_prob"], rtol=1e-5, atol=2e-6)
        assert ours.sum() == pytest.approx(melody["log_likelihood"], rel=1e-5)
        num_labels += len(labels)
    assert num_labels > 1000


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_weights_have_the_shapes_of_magentas_variables(name, magenta_figures, magenta_model):
    theirs = sorted(
        [size for size in shape if size > 1 or len(shape) < 4] for shape in magenta_figures(name)["variables"].values()
    )
    configuration = magenta_model(name).configuration
    ours = shapes(configuration.hyperparameters, make_encoding(configuration))
    assert sorted(map(list, ours.values())) == [shape for shape in theirs if shape]


def test_initial_weights_follow_glorot():
    configuration = configure("attention", {"rnn_layer_sizes": [32, 24]})
    encoding = make_encoding(configuration)
    weights = initialise(configuration.hyperparameters, encoding, seed=3)
    limits = {
        "layer_0/kernel": 74 + 32 + 4 * 32,
        "layer_1/kernel": 32 + 24 + 4 * 24,
        "attention/input_kernel": 74 + 32 + 74,
        "attention/query_kernel": 64 + 32,
        "attention/memory_kernel": 64,
        "attention/output_kernel": 64 + 32,
        "output/kernel": 24 + 40,
    }
    for name, fans in limits.items():
        limit = np.sqrt(6 / fans)
        assert np.abs(weights[name]).max() <= limit
        assert weights[name].std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
    for name in weights:
        if name.endswith("bias"):
            assert not weights[name].any()
    assert set(weights) == set(shapes(configuration.hyperparameters, encoding))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_normal_initial_weights(cell):
    overrides = {"cell": cell, "rnn_layer_sizes": [40], "initial_deviation": 0.01}
    configuration = configure("basic", overrides)
    for name, weight in initialise(configuration.hyperparameters, make_encoding(configuration), seed=3).items():
        if name.endswith("bias"):
            assert not weight.any()
        else:
            assert weight.std() == pytest.approx(0.01, rel=0.1)
            assert np.abs(weight).max() > 0.02


def test_initial_forget_bias_as_in_keras():
    configuration = configure("basic", {"rnn_layer_sizes": [3], "forget_bias": 0, "initial_forget_bias": 1})
    weights = initialise(configuration.hyperparameters, make_encoding(configuration), seed=3)
    np.testing.assert_array_equal(weights["layer_0/bias"], np.repeat([0, 0, 1, 0], 3))
    assert not weights["output/bias"].any()


def test_initial_weights_depend_on_the_seed_alone():
    configuration = configure("basic", {"rnn_layer_sizes": [8]})
    encoding = make_encoding(configuration)
    first, second, other = (initialise(configuration.hyperparameters, encoding, seed) for seed in (1, 1, 2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    assert not np.array_equal(first["layer_0/kernel"], other["layer_0/kernel"])


def test_attention_can_be_left_out():
    hyperparameters = dataclasses.replace(Hyperparameters(), attn_length=0)
    assert not any(name.startswith("attention") for name in shapes(hyperparameters, make_encoding(configure("basic"))))


def test_softmax_of_extreme_logits():
    logits = np.array([[1e4, 0, -1e4], [5, 5, 5]], np.float32)
    np.testing.assert_allclose(softmax(logits), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    np.testing.assert_allclose(log_softmax(logits)[0], [0, -1e4, -2e4])
    np.testing.assert_allclose(log_softmax(logits)[1], np.log([1 / 3] * 3), rtol=1e-6)


def test_sigmoid():
    values = np.array([-100, -3, 0, 0.5, 100], np.float32)
    np.testing.assert_allclose(sigmoid(values), 1 / (1 + np.exp(-values.astype(np.float64))), atol=1e-7)


@pytest.mark.parametrize("attn_length", [0, 3])
def test_one_hot_inputs_may_be_given_by_their_places(attn_length, tiny_model, random_events):
    model = tiny_model("basic", attn_length=attn_length)
    indices = model.encoding.inputs(np.stack([random_events(seed, 20) for seed in range(3)]), metres(np.full(3, 16)))
    assert indices.shape == (3, 20)
    whole = model.network.logits(as_vectors(indices, model.encoding.input_size))
    np.testing.assert_allclose(model.network.logits(indices), whole, atol=1e-5)
    state = model.network.initial_state(3)
    for step in range(20):
        logits, state = model.network.step(indices[:, step], state)
        np.testing.assert_allclose(logits, whole[:, step], atol=1e-5)

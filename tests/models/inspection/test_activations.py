import numpy as np
import pytest

from etude.models.encodings.encoding import as_vectors
from etude.models.inspection.activations import ATTENDED, CELL, HIDDEN, Part, activations
from etude.models.melodies.melody import Melody, metres
from etude.models.melodies.melody_set import MelodySet
from etude.models.networks.network import log_softmax

GATES = {"lstm": ("input gate", "forget gate", "output gate"), "gru": ("update gate", "reset gate"), "rnn": ()}
CELLS = {
    "basic": {},
    "lookback": {},
    "mono": {},
    "attention": {},
    "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"},
}


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def plain_activations(hyperparameters, weights, inputs):
    """The equations in float64, one unit of one gate at a time, for networks without attention."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    layers = range(len(hyperparameters.rnn_layer_sizes))
    outputs = [np.zeros(size) for size in hyperparameters.rnn_layer_sizes]
    cells = [np.zeros(size) for size in hyperparameters.rnn_layer_sizes]
    found = {}
    for step, value in enumerate(inputs.astype(np.float64)):
        for layer in layers:
            units = len(outputs[layer])
            before = outputs[layer].copy()
            both = np.concatenate([value, before])

            def total(gate, unit, layer=layer, both=both, units=units):
                column = gate * units + unit
                return both @ w[f"layer_{layer}/kernel"][:, column] + w[f"layer_{layer}/bias"][column]

            for unit in range(units):
                if hyperparameters.cell == "gru":
                    kernels = w[f"layer_{layer}/kernel"], w[f"layer_{layer}/recurrent_kernel"]
                    biases = w[f"layer_{layer}/bias"], w[f"layer_{layer}/recurrent_bias"]
                    of_input = [value @ kernels[0][:, g * units + unit] + biases[0][g * units + unit] for g in range(3)]
                    of_output = [
                        before @ kernels[1][:, g * units + unit] + biases[1][g * units + unit] for g in range(3)
                    ]
                    update, reset = sigmoid(of_input[0] + of_output[0]), sigmoid(of_input[1] + of_output[1])
                    new = np.tanh(of_input[2] + reset * of_output[2])
                    outputs[layer][unit] = update * before[unit] + (1 - update) * new
                    values = {"update gate": update, "reset gate": reset}
                elif hyperparameters.cell == "rnn":
                    outputs[layer][unit] = np.tanh(total(0, unit))
                    values = {}
                else:
                    opened = sigmoid(total(0, unit))
                    kept = sigmoid(total(2, unit) + hyperparameters.forget_bias)
                    shown = sigmoid(total(3, unit))
                    cells[layer][unit] = kept * cells[layer][unit] + opened * np.tanh(total(1, unit))
                    outputs[layer][unit] = shown * np.tanh(cells[layer][unit])
                    values = {"input gate": opened, "forget gate": kept, "output gate": shown, CELL: cells[layer][unit]}
                for kind, number in {**values, HIDDEN: outputs[layer][unit]}.items():
                    found.setdefault(Part(layer, kind), np.zeros((len(inputs), units)))[step, unit] = number
            value = outputs[layer]
    return found


@pytest.fixture(params=CELLS)
def model(request, tiny_model):
    family = request.param if request.param in ("basic", "lookback", "mono", "attention") else "basic"
    return tiny_model(family, **CELLS[request.param])


@pytest.mark.parametrize("model", [name for name in CELLS if name != "attention"], indirect=True)
def test_equals_the_plain_equations(model, random_events):
    hyperparameters = model.configuration.hyperparameters
    events = random_events(3, 25)
    found = activations(model.network, model.encoding, events, metres(16))
    inputs = as_vectors(model.encoding.inputs(events[None], metres(16)), model.encoding.input_size)[0]
    expected = plain_activations(hyperparameters, model.weights, inputs)
    assert found.values.keys() == expected.keys()
    for part, values in expected.items():
        assert np.ptp(values) > 0.1
        np.testing.assert_allclose(found.values[part], values, atol=1e-5)


def test_a_layer_with_attention(tiny_model, random_events):
    model = tiny_model("attention")
    events = random_events(3, 25)
    values = activations(model.network, model.encoding, events, metres(16)).values
    opened = values[Part(0, "output gate")]
    np.testing.assert_allclose(values[Part(0, HIDDEN)], opened * np.tanh(values[Part(0, CELL)]), atol=1e-6)
    # What is attended goes into the next layer, whose output the logits are made of.
    kernel, bias = (model.weights[f"layer_1/{name}"].astype(np.float64) for name in ("kernel", "bias"))
    before = np.vstack([np.zeros(5), values[Part(1, HIDDEN)][:-1]])
    gates = np.hstack([values[Part(0, ATTENDED)], before]) @ kernel + bias
    np.testing.assert_allclose(values[Part(1, "input gate")], sigmoid(gates[:, :5]), atol=1e-5)
    assert not np.allclose(values[Part(0, ATTENDED)], values[Part(0, HIDDEN)], atol=0.1)


def test_what_comes_next_and_how_likely(model, random_events):
    events = random_events(5, 30)
    found = activations(model.network, model.encoding, events, metres(16))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    chosen = found.probabilities[np.arange(29), model.encoding.token_labels(events)[1:]]
    sums = model.evaluate(MelodySet.of([Melody(events)]), squash=False)
    assert np.log(chosen).sum() == pytest.approx(sums["token_log_likelihood"][0], rel=1e-5)


def test_last_layer_makes_the_logits(model, random_events):
    events = random_events(7, 20)
    hidden = activations(model.network, model.encoding, events, metres(16)).values
    last = max(part.layer for part in hidden)
    part = Part(last, ATTENDED) if Part(last, ATTENDED) in hidden else Part(last, HIDDEN)
    logits = hidden[part] @ model.weights["output/kernel"] + model.weights["output/bias"]
    expected = model.network.logits(model.encoding.inputs(events[None], metres(16)))[0]
    np.testing.assert_allclose(log_softmax(logits), log_softmax(expected), atol=1e-5)


def test_bounds(model, random_events):
    shown = activations(model.network, model.encoding, random_events(9, 20), metres(16)).bounded()
    for part, values in shown.items():
        assert np.abs(values).max() <= 1
        if part.kind in GATES[model.configuration.hyperparameters.cell]:
            assert values.min() >= 0

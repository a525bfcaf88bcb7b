"""One optimiser's step against a NumPy recomputation, and what a trainer reports."""

import numpy as np
import pytest

from etude.models.melodies.melody import metres
from etude.models.networks.network import Network, log_softmax
from etude.models.networks.weights import initialise
from etude.models.registry import make_encoding

KEYS = ("weights", "first_moments", "second_moments")


@pytest.fixture
def make_trainer(tiny_configuration, random_weights):
    from etude.models.training.trainer import Trainer

    def make(name="basic", seed=0, weights=random_weights, **overrides):
        configuration = tiny_configuration(name, **{"rnn_layer_sizes": [6], **overrides})
        encoding = make_encoding(configuration)
        return Trainer(configuration, encoding, weights(configuration), seed), configuration, encoding

    return make


@pytest.fixture
def make_batch(random_events):
    def make(encoding, lengths=(9, 5, 2)):
        events = np.stack([random_events(seed, max(lengths) + 1) for seed in range(len(lengths))])
        bars = metres(np.full(len(lengths), 16))
        return encoding.inputs(events[:, :-1], bars), encoding.labels(events, bars)[:, 1:], np.array(lengths)

    return make


def mean_loss(hyperparameters, weights, inputs, labels, lengths):
    """Mean over the real steps, from the network in NumPy."""
    log_probabilities = log_softmax(Network(hyperparameters, weights).logits(inputs)).astype(np.float64)
    losses = -np.take_along_axis(log_probabilities, labels[..., None], -1)[..., 0]
    real = np.arange(labels.shape[1]) < lengths[:, None]
    return losses[real].mean(), (log_probabilities.argmax(-1) == labels)[real], labels[real]


@pytest.mark.parametrize(("name", "padding"), [("basic", 10**6), ("lookback", np.nan)])
def test_figures_are_means_over_real_steps(name, padding, make_trainer, make_batch):
    trainer, configuration, encoding = make_trainer(name, dropout_keep_prob=1.0)
    inputs, labels, lengths = make_batch(encoding)
    expected, correct, real_labels = mean_loss(
        configuration.hyperparameters, trainer.weights(), inputs, labels, lengths
    )
    # Padding must not count, whatever stands there.
    inputs[1, 5:] = inputs[2, 2:] = padding
    figures = trainer.train(inputs, labels, lengths)
    is_event = real_labels != encoding.no_event_label
    assert 0 < is_event.sum() < len(is_event)
    assert figures["loss"] == pytest.approx(expected, rel=1e-5)
    assert figures["accuracy"] == pytest.approx(correct.mean())
    assert figures["event_accuracy"] == pytest.approx(correct[is_event].mean())
    assert figures["no_event_accuracy"] == pytest.approx(correct[~is_event].mean())
    assert trainer.step == 1


def gradient_by_differences(hyperparameters, weights, name, batch, indices):
    """Central differences of the mean loss, with steps large enough for the network's float32."""
    result = []
    for index in indices:
        losses = []
        for step in (5e-3, -5e-3):
            moved = weights[name].copy()
            moved[index] += step
            losses.append(mean_loss(hyperparameters, {**weights, name: moved}, *batch)[0])
        result.append((losses[0] - losses[1]) / 1e-2)
    return np.array(result)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_gradient_is_that_of_the_mean_loss(cell, make_trainer, make_batch):
    """Adam's first moment after one step is a tenth of the gradient, where nothing is clipped."""
    trainer, configuration, encoding = make_trainer("lookback", cell=cell, dropout_keep_prob=1.0, clip_norm=1e6)
    batch = make_batch(encoding)
    before = trainer.weights()
    trainer.train(*batch)
    state = trainer.state()
    random = np.random.default_rng(0)
    for name, value in before.items():
        indices = [tuple(random.integers(size) for size in value.shape) for _ in range(6)]
        expected = gradient_by_differences(configuration.hyperparameters, before, name, batch, indices)
        found = np.array([state[f"first_moments/{name}"][index] for index in indices]) * 10
        np.testing.assert_allclose(found, expected, atol=2e-3 * max(np.abs(expected).max(), 0.01), err_msg=name)


def adam(state, gradients, step, learning_rate, clip_norm):
    """TensorFlow 1's AdamOptimizer on gradients clipped by their own norms, in float64."""
    weights, first, second = ({name: value.astype(np.float64) for name, value in part.items()} for part in state)
    rate = learning_rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    for name, gradient in gradients.items():
        gradient = gradient * min(1.0, clip_norm / np.linalg.norm(gradient))
        first[name] = 0.9 * first[name] + 0.1 * gradient
        second[name] = 0.999 * second[name] + 0.001 * gradient**2
        weights[name] -= rate * first[name] / (np.sqrt(second[name]) + 1e-8)
    return weights, first, second


def parts(trainer):
    state = trainer.state()
    return [
        {name.removeprefix(f"{key}/"): value for name, value in state.items() if name.startswith(f"{key}/")}
        for key in KEYS
    ]


def test_three_steps_of_adam(make_trainer, make_batch):
    """Each with the gradient that an unclipped trainer of the same weights finds; some are clipped, some not."""
    clip_norm = 0.3
    options = {"dropout_keep_prob": 1.0, "learning_rate": 0.01}
    trainer, _, encoding = make_trainer("lookback", clip_norm=clip_norm, **options)
    probe, _, _ = make_trainer("lookback", clip_norm=1e6, **options)
    batch = make_batch(encoding)
    clipped = []
    for step in (1, 2, 3):
        state = probe.state()
        zeros = {name: np.zeros_like(value) for name, value in state.items()}
        probe.restore(zeros | trainer_weights(trainer))
        probe.train(*batch)
        gradients = {name: value * 10.0 for name, value in parts(probe)[1].items()}
        clipped += [np.linalg.norm(gradient) > clip_norm for gradient in gradients.values()]
        expected = adam(parts(trainer), gradients, step, 0.01, clip_norm)
        trainer.train(*batch)
        for ours, theirs in zip(parts(trainer), expected, strict=True):
            for name in ours:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-4, atol=1e-7, err_msg=name)
    assert any(clipped)
    assert not all(clipped)


def trainer_weights(trainer):
    return {f"weights/{name}": value for name, value in trainer.weights().items()}


def test_a_restored_trainer_goes_on_alike(make_trainer, make_batch):
    """With dropout, whose masks are those of the step."""
    trainer, _, encoding = make_trainer("lookback")
    batch = make_batch(encoding)
    for _ in range(3):
        trainer.train(*batch)
    state = trainer.state()
    assert {name: value.shape for name, value in state.items()} == trainer.state_shapes()
    expected = [trainer.train(*batch)["loss"] for _ in range(2)]
    other, _, _ = make_trainer("lookback")
    other.restore(state)
    assert other.step == 3
    assert [other.train(*batch)["loss"] for _ in range(2)] == expected
    other.restore(state)
    assert other.train(*batch)["loss"] == expected[0]


def test_dropout_differs_by_step_and_seed(make_trainer, make_batch):
    losses = []
    for seed in (0, 1):
        trainer, _, encoding = make_trainer("basic", seed=seed, learning_rate=1e-30)
        batch = make_batch(encoding)
        losses += [trainer.train(*batch)["loss"] for _ in range(3)]
    assert len(set(losses)) == 6


@pytest.mark.parametrize("name", ["basic", "attention"])
def test_training_does_not_depend_on_the_number_of_cores(name, make_trainer, make_batch, monkeypatch):
    """With dropout; and where parts are taken one after the other, are shorter than others, or empty."""
    from etude.models.training import trainer as module

    for limit in ("MELODIES_OF_A_PART", "MELODIES_OF_A_PART_WITH_ATTENTION"):
        monkeypatch.setattr(module, limit, 2)
    runs = []
    for cores in (1, 2, 16):
        monkeypatch.setattr(module.os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        trainer, _, encoding = make_trainer(name, rnn_layer_sizes=[6, 5], dropout_keep_prob=0.5)
        batches = [make_batch(encoding, lengths) for lengths in ((3, 5, 4, 9, 12, 11, 2), (6, 7))]
        figures = [trainer.train(*batch) for batch in batches]
        runs.append((figures, parts(trainer)))
    for figures, arrays in runs[1:]:
        for found, expected in zip(figures, runs[0][0], strict=True):
            assert found == pytest.approx(expected, rel=1e-5)
        for found, expected in zip(arrays, runs[0][1], strict=True):
            for key, value in found.items():
                np.testing.assert_allclose(value, expected[key], rtol=1e-4, atol=1e-7, err_msg=key)


def test_log_probabilities_are_without_dropout(make_trainer, make_batch):
    trainer, configuration, encoding = make_trainer("attention")
    inputs, _, lengths = make_batch(encoding)
    expected = log_softmax(Network(configuration.hyperparameters, trainer.weights()).logits(inputs))
    found = trainer.log_probabilities(inputs, lengths)
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(found[row, :length], expected[row, :length], atol=1e-4)


def plain_lstm_layer(layer, inputs, weights, state):
    """The LSTM's equations, differentiated by TensorFlow itself."""
    import tensorflow as tf

    kernel, bias = weights["kernel"], weights["bias"]
    units = kernel.shape[1] // 4

    def step(state, value):
        cell, output = state
        i, j, f, o = tf.split(tf.concat([value, output], 1) @ kernel + bias, 4, 1)
        cell = tf.sigmoid(f + 1.0) * cell + tf.sigmoid(i) * tf.tanh(j)
        return cell, tf.sigmoid(o) * tf.tanh(cell)

    zeros = tf.zeros([tf.shape(inputs)[1], units])
    return tf.ensure_shape(tf.scan(step, inputs, (zeros, zeros))[1], [None, None, units]), state


def plain_attention_layer(layer, inputs, weights, state):
    """The equations of the LSTM with attention: every key projected at every step, oldest memory first."""
    import tensorflow as tf

    units, attn_length = weights["attention/score_vector"].shape[0], state[3].shape[1]

    def linear(name, *parts):
        return tf.concat(parts, 1) @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    def step(state, value):
        cell, hidden, summary, memory = state
        gates = tf.concat([linear("attention/input", value, summary), hidden], 1) @ weights["kernel"]
        i, j, f, o = tf.split(gates + weights["bias"], 4, 1)
        cell = tf.sigmoid(f + 1.0) * cell + tf.sigmoid(i) * tf.tanh(j)
        hidden = tf.sigmoid(o) * tf.tanh(cell)
        query = linear("attention/query", cell, hidden)
        features = tf.tanh(memory @ weights["attention/memory_kernel"] + query[:, None])
        shares = tf.nn.softmax(tf.reduce_sum(weights["attention/score_vector"] * features, 2))
        summary = tf.reduce_sum(shares[..., None] * memory, 1)
        output = linear("attention/output", hidden, summary)
        return cell, hidden, summary, tf.concat([memory[:, 1:], output[:, None]], 1)

    zeros = tf.zeros([tf.shape(inputs)[1], units])
    memory = tf.zeros([tf.shape(inputs)[1], attn_length, units])
    outputs = tf.scan(step, inputs, (zeros, zeros, zeros, memory))[3][:, :, -1]
    return tf.ensure_shape(outputs, [None, None, units]), state


def losses_of_training(make_trainer, make_batch, name, steps, **options):
    """The losses of some steps on four batches in turn, with dropout."""

    def weights(configuration):
        return initialise(configuration.hyperparameters, make_encoding(configuration), 1)

    trainer, _, encoding = make_trainer(name, weights=weights, rnn_layer_sizes=[24, 24], learning_rate=0.003, **options)
    batches = [make_batch(encoding, lengths) for lengths in ((40, 31, 22, 36), (18, 25), (33, 8, 30), (12, 26))]
    return np.array([trainer.train(*batches[step % 4])["loss"] for step in range(steps)])


@pytest.mark.parametrize("name", ["lookback", "attention"])
def test_a_hundred_steps_end_as_those_of_the_plain_formulation(name, make_trainer, make_batch, monkeypatch):
    from etude.models.networks import tensorflow_kernels, tensorflow_layers

    ours = losses_of_training(make_trainer, make_batch, name, 100)
    monkeypatch.setattr(tensorflow_kernels.KernelLayer, "__call__", plain_lstm_layer)
    monkeypatch.setattr(tensorflow_layers.AttentionLayer, "__call__", plain_attention_layer)
    plain = losses_of_training(make_trainer, make_batch, name, 100)
    assert plain[-4:].mean() < 0.8 * plain[:4].mean(), "nothing was learnt"
    assert not np.array_equal(ours, plain), "the same formulation twice"
    np.testing.assert_allclose(ours, plain, atol=1e-3)

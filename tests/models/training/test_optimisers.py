"""Optimisers against Keras's, clipping and learning rates against NumPy, and min-char-rnn's step recomputed."""

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.hyperparameters import Hyperparameters
from etude.models.melodies.melody import metres
from etude.models.registry import make_encoding
from etude.models.training.learning_rate import learning_rate

UNITS, STEPS = 100, 25


@pytest.mark.parametrize("name", ["rmsprop", "adagrad"])
def test_steps_are_those_of_keras(name):
    import tensorflow as tf

    from etude.models.training.optimisers import EPSILON, Optimiser

    random = np.random.default_rng(0)
    start = {"a": random.normal(size=(3, 4)).astype(np.float32), "b": np.ones(5, np.float32)}
    ours = {key: tf.Variable(value) for key, value in start.items()}
    theirs = {key: tf.Variable(value) for key, value in start.items()}
    optimiser = Optimiser(Hyperparameters(optimiser=name, clip_by="none"), ours)
    keras = {
        "rmsprop": lambda: tf.keras.optimizers.RMSprop(0.1, rho=0.9, epsilon=EPSILON),
        "adagrad": lambda: tf.keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=EPSILON),
    }[name]()
    for step in range(4):
        gradients = {key: tf.constant(random.normal(size=value.shape), tf.float32) for key, value in start.items()}
        optimiser.apply(gradients, tf.constant(step, tf.int64), tf.constant(0.1))
        keras.apply_gradients(zip(gradients.values(), theirs.values(), strict=True))
        for key, value in ours.items():
            np.testing.assert_allclose(value, theirs[key], rtol=1e-5)
            assert not np.array_equal(value, start[key])


def test_clipping():
    import tensorflow as tf

    from etude.models.training.optimisers import clip

    gradients = {"a": np.array([[3.0, -4.0]], np.float32), "b": np.array([0.5, 12.0], np.float32)}
    tensors = {name: tf.constant(value) for name, value in gradients.items()}
    norms = {name: np.linalg.norm(value) for name, value in gradients.items()}
    joint = np.sqrt(sum(norm**2 for norm in norms.values()))
    expected = {
        "variable_norm": {name: value * min(1, 6 / norms[name]) for name, value in gradients.items()},
        "global_norm": {name: value * 6 / joint for name, value in gradients.items()},
        "value": {name: np.clip(value, -6, 6) for name, value in gradients.items()},
        "none": gradients,
    }
    for by, values in expected.items():
        found = clip(tensors, by, 6.0)
        for name, value in values.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-6, err_msg=by)


def test_learning_rates():
    assert learning_rate(Hyperparameters(learning_rate=0.01), 12345, 10) == 0.01
    decayed = Hyperparameters(learning_rate=0.01, learning_rate_decay=0.02)
    assert [learning_rate(decayed, step, 10) for step in (0, 50)] == pytest.approx([0.01, 0.005])
    by_epoch = Hyperparameters(learning_rate=0.003, learning_rate_epoch_factor=0.97, learning_rate_epochs=20)
    found = [learning_rate(by_epoch, step, 10) for step in (0, 209, 210, 219, 230)]
    assert found == pytest.approx([0.003, 0.003, 0.003 * 0.97, 0.003 * 0.97, 0.003 * 0.97**3], rel=1e-12)


@pytest.mark.parametrize("name", ["cell", "optimiser", "clip_by", "batches", "loss", "window_labels"])
def test_words_that_are_none_of_the_choices(name):
    with pytest.raises(UsageError, match=f"hyperparameter {name} must be .* or .*, not other"):
        Hyperparameters(**{name: "other"})


def min_char_rnn(weights, inputs, labels, hidden):
    """Loss, gradients and last hidden state of a chunk: a tanh cell and a softmax, back through time, losses summed."""
    size = inputs.shape[1]
    kernel, recurrent = weights["layer_0/kernel"][:size], weights["layer_0/kernel"][size:]
    states, loss, d_logits = [hidden], 0.0, []
    for vector, label in zip(inputs, labels, strict=True):
        states.append(np.tanh(vector @ kernel + states[-1] @ recurrent + weights["layer_0/bias"]))
        scores = np.exp(states[-1] @ weights["output/kernel"] + weights["output/bias"])
        shares = scores / scores.sum()
        loss -= np.log(shares[label])
        shares[label] -= 1
        d_logits.append(shares)
    gradients = {name: np.zeros_like(value) for name, value in weights.items()}
    d_next = np.zeros_like(hidden)
    for step in reversed(range(len(inputs))):
        gradients["output/kernel"] += np.outer(states[step + 1], d_logits[step])
        gradients["output/bias"] += d_logits[step]
        d_total = (weights["output/kernel"] @ d_logits[step] + d_next) * (1 - states[step + 1] ** 2)
        gradients["layer_0/bias"] += d_total
        gradients["layer_0/kernel"] += np.outer(np.concatenate([inputs[step], states[step]]), d_total)
        d_next = recurrent @ d_total
    return loss, gradients, states[-1]


def test_the_arithmetic_of_min_char_rnn(tiny_configuration, random_weights, random_events):
    """100 units, chunks of 25 with carried state, Adagrad 0.1, every gradient cut off at 5: three steps of it."""
    from etude.models.training.trainer import Trainer

    overrides = {
        "cell": "rnn", "rnn_layer_sizes": [UNITS], "dropout_keep_prob": 1.0, "initial_deviation": 0.01, "batch_size": 1,
        "batches": "stream", "chunk_steps": STEPS, "loss": "sum", "optimiser": "adagrad", "learning_rate": 0.1,
        "clip_by": "value", "clip_norm": 5.0,
    }  # fmt: skip
    configuration = tiny_configuration("basic", **overrides)
    encoding = make_encoding(configuration)
    start = random_weights(configuration, scale=0.1)
    trainer = Trainer(configuration, encoding, start, 0)
    events = random_events(0, 3 * STEPS + 1)[None]
    inputs, labels = encoding.inputs(events[:, :-1], metres([16])), encoding.labels(events, metres([16]))[:, 1:]
    vectors = np.eye(encoding.input_size)[inputs[0]]
    weights = {name: value.astype(np.float64) for name, value in start.items()}
    squares = {name: np.zeros_like(value) for name, value in weights.items()}
    hidden, cut = np.zeros(UNITS), 0
    for chunk in range(3):
        here = slice(chunk * STEPS, (chunk + 1) * STEPS)
        loss, gradients, hidden = min_char_rnn(weights, vectors[here], labels[0, here], hidden)
        figures = trainer.train(inputs[:, here], labels[:, here], np.array([STEPS]), begins=np.array([chunk == 0]))
        assert figures["loss"] * STEPS == pytest.approx(loss, rel=1e-4)
        for name, gradient in gradients.items():
            cut += int((np.abs(gradient) > 5).sum())
            clipped = np.clip(gradient, -5, 5)
            squares[name] += clipped**2
            weights[name] -= 0.1 * clipped / np.sqrt(squares[name] + 1e-8)
            np.testing.assert_allclose(trainer.weights()[name], weights[name], atol=2e-3, err_msg=name)
    assert cut > 0, "nothing was clipped"

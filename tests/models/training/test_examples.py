"""Batches of parts of sequences: what they hold, and what a trainer makes of them."""

import numpy as np
import pytest

from etude.models.melodies.melody import Melody, metres
from etude.models.melodies.melody_set import MelodySet
from etude.models.networks.network import Network, log_softmax
from etude.models.registry import make_encoding
from etude.models.training.examples import Examples

LENGTHS = (23, 9, 2, 17, 12)


@pytest.fixture
def melodies(random_events):
    return MelodySet.of(Melody(random_events(seed, length), steps_per_bar=16) for seed, length in enumerate(LENGTHS))


@pytest.fixture
def make(tiny_configuration, random_weights, melodies):
    from etude.models.training.trainer import Trainer

    def make(name="lookback", **overrides):
        settings = {"rnn_layer_sizes": [6, 5], "dropout_keep_prob": 1.0, "learning_rate": 1e-30, "batch_size": 2}
        configuration = tiny_configuration(name, **{**settings, **overrides})
        encoding = make_encoding(configuration)
        examples = Examples(melodies, encoding, configuration.hyperparameters, seed=1)
        return Trainer(configuration, encoding, random_weights(configuration), 0), examples, encoding, configuration

    return make


def losses_of_whole_melodies(trainer, encoding, configuration, melodies):
    """The loss of every step of every melody from the network in NumPy."""
    network = Network(configuration.hyperparameters, trainer.weights())
    result = []
    for index in range(len(melodies)):
        events, bar = melodies.events(index)[None], metres([16])
        log_probabilities = log_softmax(network.logits(encoding.inputs(events[:, :-1], bar)))[0]
        labels = encoding.labels(events, bar)[0, 1:]
        result.append(-log_probabilities[np.arange(len(labels)), labels].astype(np.float64))
    return result


@pytest.mark.parametrize(
    ("name", "overrides"), [("lookback", {}), ("attention", {"attn_length": 3}), ("basic", {"cell": "gru"})]
)
def test_a_stream_has_the_losses_of_whole_melodies(name, overrides, make, melodies):
    """Whatever the chunks: the state goes on within a melody, begins anew with the next, row by row, and is restored."""
    trainer, examples, encoding, configuration = make(name, batches="stream", chunk_steps=5, **overrides)
    expected = losses_of_whole_melodies(trainer, encoding, configuration, melodies)
    total, steps = 0.0, 0
    for step in range(2 * examples.steps_per_epoch):
        example = examples.batch(step)
        figures = trainer.train(*example[:3], begins=example.begins)
        total += figures["loss"] * example.lengths.sum()
        steps += int(example.lengths.sum())
        if step == 2:
            state = {key: value.copy() for key, value in trainer.state().items()}
            trainer, *_ = make(name, batches="stream", chunk_steps=5, **overrides)
            trainer.restore(state)
    assert steps == 2 * (sum(LENGTHS) - len(LENGTHS))
    assert total == pytest.approx(2 * sum(losses.sum() for losses in expected), rel=1e-4)


def test_the_last_label_of_windows(make, melodies):
    """Many to one: of each window, which begins with an empty state, the loss of its last step."""
    trainer, examples, _, configuration = make(batches="windows", chunk_steps=4, window_labels="last")
    network = Network(configuration.hyperparameters, trainer.weights())
    windows = 0
    for step in range(examples.steps_per_epoch):
        example = examples.batch(step)
        log_probabilities = log_softmax(network.logits(example.inputs))
        rows = np.arange(len(example.lengths))
        last = example.lengths - 1
        losses = -log_probabilities[rows, last, example.labels[rows, last]]
        assert trainer.train(*example[:3])["loss"] == pytest.approx(losses.mean(), rel=1e-4)
        windows += len(rows)
    assert windows == sum(max(1, length - 1 - 4 + 1) for length in LENGTHS)


def test_windows_hold_what_whole_melodies_do(make, melodies):
    """Inputs that look back further than the window, too."""
    _, examples, encoding, _ = make(batches="windows", chunk_steps=4, window_stride=4)
    bar = metres([16])
    whole = [encoding.inputs(melodies.events(index)[None, :-1], bar)[0] for index in range(len(melodies))]
    places = {row.tobytes() for inputs in whole for row in np.asarray(inputs, np.float32)}
    for step in range(examples.steps_per_epoch):
        example = examples.batch(step)
        for row, length in zip(example.inputs, example.lengths, strict=True):
            assert all(vector.tobytes() in places for vector in row[:length])

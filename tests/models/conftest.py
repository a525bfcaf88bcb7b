import json
import pathlib

import numpy as np
import pytest

from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.model import Model, load
from etude.models.networks.weights import initialise
from etude.models.registry import configure, family, make_encoding

MAGENTA = pathlib.Path(__file__).parents[1] / "testdata" / "magenta"

TINY = {
    "basic": {"rnn_layer_sizes": [6, 5]},
    "mono": {"rnn_layer_sizes": [6]},
    "lookback": {"rnn_layer_sizes": [6, 5], "lookback_distances": [2, 3]},
    "attention": {"rnn_layer_sizes": [6, 5], "lookback_distances": [2, 3], "attn_length": 3},
    "ngram": {"order": 3},
}


@pytest.fixture(scope="session")
def magenta_figures():
    """What Magenta computes with the bundle of a configuration, for melodies of at least two events."""
    loaded = {}

    def figures(name):
        if name not in loaded:
            loaded[name] = json.loads((MAGENTA / name / "figures.json").read_text())
        return loaded[name]

    return figures


@pytest.fixture(scope="session")
def magenta_bundle():
    return lambda name: MAGENTA / name / "bundle.mag"


@pytest.fixture(scope="session")
def magenta_model(magenta_bundle):
    loaded = {}

    def model(name):
        if name not in loaded:
            loaded[name] = load(magenta_bundle(name))
        return loaded[name]

    return model


@pytest.fixture(scope="session")
def tiny_configuration():
    """A configuration of a few units over one octave, so that few events make a whole tree."""

    def configuration(name, **overrides):
        return configure(name, {**TINY[name], **overrides}, min_note=60, max_note=72)

    return configuration


@pytest.fixture(scope="session")
def random_weights():
    """Weights far from their initial values, so that every part of the network matters."""

    def weights(configuration, seed=0, scale=0.6):
        random = np.random.default_rng(seed)
        counting = family(configuration.config).counting
        if counting is not None:
            # Pitches of different frequency, so that hardly any two tokens are equally likely.
            pitches = random.choice(np.arange(60, 72), (150, 60), p=random.dirichlet(np.full(12, 3.0)))
            events = np.where(random.random(pitches.shape) < 0.6, random.choice([-2, -2, -1], pitches.shape), pitches)
            return counting.count(configuration, make_encoding(configuration), MelodySet.of(map(Melody, events)))
        start = initialise(configuration.hyperparameters, make_encoding(configuration), seed)
        return {name: (w + random.normal(size=w.shape) * scale).astype(np.float32) for name, w in start.items()}

    return weights


@pytest.fixture(scope="session")
def tiny_model(tiny_configuration, random_weights):
    def model(name, seed=0, **overrides):
        configuration = tiny_configuration(name, **overrides)
        return Model(configuration, random_weights(configuration, seed), pathlib.Path(name))

    return model


@pytest.fixture(scope="session")
def random_events():
    """Melodies of a pitch range, most steps of them without an event."""

    def events(seed, steps, low=60, high=72):
        random = np.random.default_rng(seed)
        drawn = random.choice([-2, -2, -1, 0], steps)
        drawn = np.where(drawn == 0, random.integers(low, high, steps), drawn)
        drawn[0] = random.integers(low, high)
        return drawn

    return events

import subprocess
import sys

import pytest

from etude.models.configuration import Configuration
from etude.models.encodings.attention import AttentionEncoding
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.errors import UsageError
from etude.models.lookback.encoding import LookbackEncoding
from etude.models.registry import FAMILIES, configure, family, make_encoding
from etude.models.storage.run_directory import from_proto, to_proto

MAGENTA = {
    "basic": (48, 84, 0, {"clip_norm": 5.0, "attn_length": 0}),
    "mono": (0, 128, None, {"clip_norm": 5.0, "attn_length": 0}),
    "lookback": (
        48,
        84,
        0,
        {"clip_norm": 5.0, "attn_length": 0, "lookback_distances": (16, 32), "lookback_unit": "steps"},
    ),
    "attention": (
        48,
        84,
        0,
        {"clip_norm": 3.0, "attn_length": 40, "lookback_distances": (16, 32), "lookback_unit": "steps"},
    ),
}


@pytest.mark.parametrize("name", MAGENTA)
def test_defaults_are_magentas(name):
    low, high, key, special = MAGENTA[name]
    configuration = configure(name)
    assert (configuration.config, configuration.min_note, configuration.max_note) == (name, low, high)
    assert (configuration.transpose_to_key, configuration.steps_per_quarter) == (key, 4)
    hyperparameters = configuration.hyperparameters
    common = {
        "batch_size": 128,
        "rnn_layer_sizes": (128, 128),
        "dropout_keep_prob": 0.5,
        "learning_rate": 0.001,
    }
    for field, value in {**common, **special}.items():
        assert getattr(hyperparameters, field) == value, field


def test_every_family_is_described():
    assert {*MAGENTA, "ngram"} < set(FAMILIES)
    for name, found in FAMILIES.items():
        assert found.name == name == found.defaults.config
        assert found.title
        assert found.summary.endswith(".")


def test_magentas_names_are_accepted():
    for name in MAGENTA:
        assert family(f"{name}_rnn") is family(name)
        assert configure(f"{name}_rnn") == configure(name)


@pytest.mark.parametrize("name", ["Basic", "rnn", "", "basic_rnn_rnn", "performance_rnn"])
def test_an_unknown_name_lists_the_families(name):
    with pytest.raises(UsageError, match=f"'{name}'.*basic, lookback, attention, mono"):
        configure(name)


def test_encodings():
    assert type(make_encoding(configure("basic"))) is OneHotEncoding
    assert type(make_encoding(configure("mono"))) is OneHotEncoding
    assert type(make_encoding(configure("lookback"))) is LookbackEncoding
    attention = make_encoding(configure("attention", {"lookback_distances": [4]}, min_note=60, max_note=80))
    assert type(attention) is AttentionEncoding
    assert (attention.min_note, attention.max_note, attention.num_aliases) == (60, 80, 1)


def test_what_does_not_go_with_a_family():
    with pytest.raises(UsageError, match="unknown hyperparameter 'lookback_distances'"):
        configure("basic", {"lookback_distances": [16]})
    for low, high in [(-1, 84), (48, 129), (48, 59), (84, 48)]:
        with pytest.raises(UsageError, match="octave or more within"):
            configure("basic", min_note=low, max_note=high)
    with pytest.raises(UsageError, match="transpose_to_key must be from 0"):
        configure("basic", transpose_to_key=12)


@pytest.mark.parametrize("name", MAGENTA)
def test_configurations_are_stored_whole(name):
    configuration = configure(name, {"rnn_layer_sizes": [7, 5], "learning_rate": 0.1}, min_note=24)
    assert from_proto(to_proto(configuration)) == configuration
    for key in (None, 0, 7):
        keyed = Configuration(name, transpose_to_key=key)
        assert from_proto(to_proto(keyed)).transpose_to_key == key


HEAVY = "{'tensorflow', 'note_seq', 'apache_beam', 'tensorboard', 'pretty_midi', 'librosa'}"


@pytest.mark.parametrize(
    "statement",
    [
        "import etude; assert 'numpy' not in sys.modules",
        "from etude import load",
        "import etude.models.registry, etude.models.generation, etude.models.dataset, etude.pipelines.rendering.midi",
        "import etude.models.training.train",
    ],
)
def test_what_inference_and_data_workers_import_is_light(statement):
    code = f"import sys; {statement}; found = {HEAVY} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)

import dataclasses
import pathlib
import re

import pytest

from etude.models.encodings.lookback import LookbackHyperparameters
from etude.models.errors import UsageError
from etude.models.hyperparameters import Hyperparameters, as_text, meanings, override, parse_overrides
from etude.models.registry import FAMILIES

DEFAULTS = LookbackHyperparameters()
README = pathlib.Path(__file__).parents[2] / "models" / "training" / "README.md"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("batch_size=64", {"batch_size": 64}),
        ("batch_size=64,rnn_layer_sizes=[64,32]", {"batch_size": 64, "rnn_layer_sizes": [64, 32]}),
        (" batch_size = 64 , rnn_layer_sizes = [ 64, 32 ] ,", {"batch_size": 64, "rnn_layer_sizes": [64, 32]}),
        ("rnn_layer_sizes=[8],learning_rate=1e-4", {"rnn_layer_sizes": [8], "learning_rate": 0.0001}),
        ("lookback_unit=bars", {"lookback_unit": "bars"}),
        ("residual_connections=true,use_cudnn=False", {"residual_connections": True, "use_cudnn": False}),
        ("lookback_distances=[]", {"lookback_distances": []}),
    ],
)
def test_magentas_form_is_read(text, expected):
    assert parse_overrides(text) == expected


def test_what_is_no_assignment():
    with pytest.raises(UsageError, match=r"name=value.* not 'batch_size'"):
        parse_overrides("learning_rate=0.1,batch_size")


def test_nothing_in_a_value_is_run():
    assert parse_overrides("batch_size=__import__('os').getpid()") == {"batch_size": "__import__('os').getpid()"}


def test_endless_brackets_are_a_word():
    text = "[" * 10_000
    assert parse_overrides(f"batch_size={text}") == {"batch_size": text}


def test_what_is_printed_can_be_read():
    changed = override(DEFAULTS, {"rnn_layer_sizes": (7, 5), "lookback_distances": [3], "lookback_unit": "bars"})
    assert override(DEFAULTS, parse_overrides(str(changed))) == changed
    assert override(DEFAULTS, parse_overrides(str(DEFAULTS))) == DEFAULTS


def test_values_get_the_type_of_their_field():
    changed = override(DEFAULTS, {"clip_norm": 3, "rnn_layer_sizes": 64})
    assert (changed.clip_norm, changed.rnn_layer_sizes) == (3.0, (64,))
    assert isinstance(changed.clip_norm, float)
    assert dataclasses.replace(changed, clip_norm=5.0, rnn_layer_sizes=(128, 128)) == DEFAULTS


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(UsageError, match=r"'batchsize'.*rnn_layer_sizes=\[128,128\],.*batch_size=128,.*lookback_unit"):
        override(DEFAULTS, {"batchsize": 3})
    with pytest.raises(UsageError, match="'learning_rat'; did you mean 'learning_rate'"):
        override(DEFAULTS, {"learning_rat": 3})


def test_a_family_has_its_own():
    with pytest.raises(UsageError, match="unknown hyperparameter 'lookback_unit'"):
        override(Hyperparameters(), {"lookback_unit": "bars"})
    assert isinstance(override(DEFAULTS, {"batch_size": 3}), LookbackHyperparameters)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("batch_size", 2.5, "takes a whole number.*batch_size=128.*not 2.5"),
        ("batch_size", True, "takes a whole number"),
        ("batch_size", [3], "takes a whole number"),
        ("learning_rate", "fast", "takes a number.*not 'fast'"),
        ("rnn_layer_sizes", [64, "x"], r"takes a list of whole numbers in square brackets.*\[128,128\]"),
        ("rnn_layer_sizes", [64, 0.5], "takes a list of whole numbers"),
        ("lookback_unit", 3, "takes a word"),
        ("learning_rate", 1 << 2000, "takes no number of 2"),
        ("batch_size", -(1 << 63), "takes no number of 2"),
    ],
)
def test_a_wrong_type_is_explained(name, value, message):
    with pytest.raises(UsageError, match=f"{name} {message}"):
        override(DEFAULTS, {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("rnn_layer_sizes", []),
        ("rnn_layer_sizes", [4, 0]),
        ("dropout_keep_prob", 0.0),
        ("dropout_keep_prob", 1.1),
        ("dropout_keep_prob", float("nan")),
        ("attn_length", -1),
        ("clip_norm", 0.0),
        ("learning_rate", -0.1),
        ("learning_rate", float("nan")),
        ("lookback_distances", [0]),
        ("lookback_distances", [32, 16]),
        ("lookback_distances", [16, 16]),
        ("lookback_unit", "beats"),
        ("batch_size", 1 << 21),
        ("attn_length", 4097),
        ("rnn_layer_sizes", [1 << 20]),
        ("rnn_layer_sizes", [4] * 100),
        ("lookback_distances", [1 << 20]),
        ("chunk_steps", 0),
        ("chunk_steps", 1 << 21),
        ("window_stride", 0),
        ("window_labels", "last"),
        ("recurrent_keep_prob", 0.0),
        ("recurrent_keep_prob", 1.5),
        ("forget_bias", float("inf")),
        ("initial_forget_bias", float("nan")),
        ("initial_deviation", -0.1),
        ("learning_rate_decay", -0.1),
        ("learning_rate_epoch_factor", 0.0),
        ("learning_rate_epoch_factor", 1.1),
        ("learning_rate_epochs", -1),
    ],
)
def test_values_out_of_range(name, value):
    with pytest.raises(UsageError, match=f"hyperparameter {name} must be"):
        override(DEFAULTS, {name: value})


@pytest.mark.parametrize("name", ["residual_connections", "use_cudnn"])
def test_what_is_not_supported_is_refused_by_name(name):
    with pytest.raises(UsageError, match=name):
        override(DEFAULTS, {name: True})
    assert override(DEFAULTS, {name: False}) == DEFAULTS


@pytest.mark.parametrize(("name", "value"), [("cell", "gru"), ("cell", "rnn"), ("recurrent_keep_prob", 0.5)])
def test_what_does_not_go_with_attention(name, value):
    assert getattr(override(DEFAULTS, {name: value}), name) == value
    with pytest.raises(UsageError, match=f"hyperparameter {name} must be .* where attn_length is not 0, not {value}"):
        override(DEFAULTS, {name: value, "attn_length": 3})


@pytest.mark.parametrize("name", FAMILIES)
def test_every_hyperparameter_says_what_it_means(name):
    means = meanings(FAMILIES[name].defaults.hyperparameters)
    assert all(means.values()), means
    assert list(means) == list(as_text(FAMILIES[name].defaults.hyperparameters))


def test_the_readme_has_every_hyperparameter():
    text = README.read_text(encoding="utf-8")
    values = as_text(Hyperparameters())
    rows = [f"| `{name}` | `{values[name]}` | {meaning} |" for name, meaning in meanings(Hyperparameters()).items()]
    assert re.findall(r"^\| `.*", text, re.MULTILINE) == rows


def test_the_examples_of_the_readme_can_be_read():
    examples = re.findall(r'--hparams "(.*)"', README.read_text(encoding="utf-8"))
    assert len(examples) == 3
    for example in examples:
        assert override(Hyperparameters(), parse_overrides(example)) != Hyperparameters()


def test_windows_leave_no_step_out():
    """A stride beyond the size would; of others than windows it means nothing."""
    with pytest.raises(UsageError, match="window_stride must be at most chunk_steps, 20"):
        override(Hyperparameters(), {"batches": "windows", "chunk_steps": 20, "window_stride": 21})
    assert (
        override(Hyperparameters(), {"batches": "stream", "chunk_steps": 20, "window_stride": 21}).window_stride == 21
    )

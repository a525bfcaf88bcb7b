import numpy as np
import pytest

from etude import load
from etude.models.errors import EtudeError
from etude.models.hyperparameters import as_text
from etude.models.networks.weights import initialise, shapes
from etude.models.registry import configure, make_encoding
from etude.models.storage.checkpoint import save_arrays
from etude.models.storage.run_directory import RunDirectory, to_proto, weight_shapes
from etude.models.storage.run_pb2 import Run

CONFIGURATION = configure("attention", {"rnn_layer_sizes": [4], "attn_length": 2})


def arrays(step):
    weights = initialise(CONFIGURATION.hyperparameters, make_encoding(CONFIGURATION), seed=step)
    return {**{f"weights/{name}": value for name, value in weights.items()}, "step": np.array(step)}


@pytest.fixture
def run(tmp_path):
    """A run with checkpoints of steps 10 and 20, the best of which was step 10."""
    run = RunDirectory(tmp_path / "run")
    description = Run(configuration=to_proto(CONFIGURATION), seed=3, num_steps=20)
    description.dataset.fingerprint = "abc"
    run.write(description)
    for step in (10, 20):
        save_arrays(run.checkpoint(step), arrays(step))
    save_arrays(run.best, arrays(10))
    return run


def test_what_is_stored_comes_back(run):
    stored = run.read()
    assert (stored.seed, stored.num_steps, stored.dataset.fingerprint) == (3, 20, "abc")
    assert run.configuration() == CONFIGURATION
    assert dict(stored.configuration.hyperparameters.values) == as_text(CONFIGURATION.hyperparameters)


def test_a_field_that_runs_no_longer_have(run):
    run.config.write_text(f'{run.config.read_text()}precision: "float32"\n')
    assert run.read().seed == 3
    assert load(run.path).configuration == CONFIGURATION


@pytest.mark.parametrize("config", ["attention", "basic"])
def test_a_run_of_before_hyperparameters_were_values(run, config):
    """Its hyperparameters were the fields of a message, the same ones for all families."""
    old = """batch_size: 32 rnn_layer_sizes: 4 rnn_layer_sizes: 3 dropout_keep_prob: 0.75 attn_length: 2 clip_norm: 3
        learning_rate: 0.002 lookback_distances: 8 lookback_unit: "bars" """
    expected = {
        "batch_size": 32, "rnn_layer_sizes": (4, 3), "dropout_keep_prob": 0.75, "attn_length": 2, "clip_norm": 3.0,
        "learning_rate": 0.002,
    }  # fmt: skip
    if config == "attention":
        expected |= {"lookback_distances": (8,), "lookback_unit": "bars"}
    run.config.write_text(
        f'configuration {{ config: "{config}" min_note: 48 max_note: 84 transpose_to_key: 0 steps_per_quarter: 4 '
        f"hyperparameters {{ {old} }} }}"
    )
    assert run.configuration() == configure(config, expected)


def test_a_hyperparameter_that_is_newer_than_the_run(run):
    stored = run.read()
    del stored.configuration.hyperparameters.values["dropout_keep_prob"]
    run.write(stored)
    assert run.configuration() == CONFIGURATION


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("batch_size", "many", "takes a whole number"),
        ("clip_norm", "0.0", "must be a number above 0"),
        ("attn_length", "2000000000", "must be"),
        ("rnn_layer_sizes", "[2000000000]", "must be"),
        ("rnn_layer_sizes", "[" + "4," * 1000 + "4]", "must be"),
        ("batch_size", "(" * 100000, "takes a whole number"),
        ("batchsize", "3", "unknown hyperparameter 'batchsize'; did you mean 'batch_size'"),
    ],
)
def test_hyperparameters_are_read_strictly(run, name, text, message):
    stored = run.read()
    stored.configuration.hyperparameters.values[name] = text
    run.write(stored)
    with pytest.raises(EtudeError, match=rf"config\.textproto is damaged.*{message}"):
        load(run.path)


@pytest.mark.parametrize("steps", [0, -4, 2000000000])
def test_absurd_numbers(run, steps):
    text = run.config.read_text()
    assert "steps_per_quarter: 4" in text
    run.config.write_text(text.replace("steps_per_quarter: 4", f"steps_per_quarter: {steps}"))
    with pytest.raises(EtudeError, match=r"config\.textproto is damaged: .*must be"):
        load(run.path)


def test_steps_are_those_of_whole_checkpoints(run):
    (run.checkpoints / ".step-00000030.npz.abc.part").touch()
    (run.checkpoints / "step-40.npz").touch()
    (run.checkpoints / "step-00000050.npz.bak").touch()
    assert run.steps() == [10, 20]
    assert RunDirectory(run.path / "none").steps() == []


@pytest.mark.parametrize(("which", "step"), [("best", 10), ("latest", 20), ("10", 10), ("20", 20)])
def test_a_model_is_loaded_from_a_checkpoint(run, which, step):
    model = load(run.path, which)
    assert (model.step, model.configuration, model.training_fingerprint) == (step, CONFIGURATION, "abc")
    for name, value in arrays(step).items():
        if name != "step":
            np.testing.assert_array_equal(model.weights[name.removeprefix("weights/")], value)
    assert load(str(run.path)).step == 10


def test_the_latest_stands_in_for_the_best(run):
    run.best.unlink()
    assert load(run.path).step == 20


@pytest.mark.parametrize("which", ["30", "-10", "first", "", "²"])
def test_a_checkpoint_that_is_not_there(run, which):
    with pytest.raises(EtudeError, match=r"no checkpoint .*best, latest, 10, 20"):
        load(run.path, which)


def test_a_run_without_checkpoints(run):
    for path in run.checkpoints.iterdir():
        path.unlink()
    with pytest.raises(EtudeError, match="no checkpoint yet; train it with 'etude train --run-dir"):
        load(run.path)


def test_what_is_no_run(tmp_path):
    with pytest.raises(EtudeError, match=r"there is no model .*none"):
        load(tmp_path / "none")
    with pytest.raises(EtudeError, match=r"not a run directory: it has no config\.textproto"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"configuration {",
        b"unknown_field: 3",
        b"seed: 'three'",
        b"configuration { config: 'basic' min_note: 60 max_note: 50 }",
        b"configuration { config: 'basic' min_note: 48 max_note: 84 steps_per_quarter: -8 }",
        b"configuration { config: 'basic' min_note: 60 max_note: 80 hyperparameters { batch_size: -1 } }",
    ],
)
def test_a_damaged_configuration(run, content):
    run.config.write_bytes(content)
    with pytest.raises(EtudeError, match=r"config\.textproto is damaged"):
        load(run.path)


def test_weights_of_another_shape(run):
    other = configure("attention", {"rnn_layer_sizes": [5], "attn_length": 2})
    run.write(Run(configuration=to_proto(other)))
    with pytest.raises(EtudeError, match=r"best\.npz"):
        load(run.path)


def test_weight_shapes_are_those_of_the_network():
    expected = shapes(CONFIGURATION.hyperparameters, make_encoding(CONFIGURATION))
    assert weight_shapes(CONFIGURATION) == {f"weights/{name}": shape for name, shape in expected.items()}

import random
import resource

import numpy as np
import pytest

from etude import load
from etude.models.errors import EtudeError, UsageError
from etude.models.magenta.load import is_checkpoint
from etude.models.magenta.magenta_pb2 import GeneratorBundle
from etude.models.magenta.tensors import tensors_of_version_1
from etude.models.networks.network import log_softmax

CONFIGURATIONS = {
    "basic_rnn": {"rnn_layer_sizes": (24, 16), "attn_length": 0, "clip_norm": 5.0},
    "mono_rnn": {"rnn_layer_sizes": (24, 16), "attn_length": 0, "clip_norm": 5.0},
    "lookback_rnn": {"rnn_layer_sizes": (24, 16), "attn_length": 0, "lookback_distances": (16, 32)},
    "attention_rnn": {"rnn_layer_sizes": (24, 16), "attn_length": 8, "clip_norm": 3.0},
}
CELL = "rnn/multi_rnn_cell/cell_0/"
ATTENTION = f"{CELL}attention_cell_wrapper/"


def variables(path):
    """The variables of a bundle, by Magenta's names."""
    return dict(tensors_of_version_1(GeneratorBundle.FromString(path.read_bytes()).checkpoint_file[0]))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_bundles_load(name, magenta_model, magenta_figures, magenta_bundle):
    model, figures = magenta_model(name), magenta_figures(name)
    configuration = model.configuration
    assert configuration.config == name.removesuffix("_rnn")
    assert (configuration.min_note, configuration.max_note) == (figures["min_note"], figures["max_note"])
    assert configuration.transpose_to_key == figures["transpose_to_key"]
    for hyperparameter, value in CONFIGURATIONS[name].items():
        assert getattr(configuration.hyperparameters, hyperparameter) == value
    assert model.path == magenta_bundle(name)
    assert model.training_fingerprint == ""
    assert all(weight.dtype == np.float32 for weight in model.weights.values())


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_log_likelihoods_equal_magenta(name, magenta_model, magenta_figures):
    melodies = [melody for melody in magenta_figures(name)["melodies"] if "labels" in melody]
    found = magenta_model(name).log_likelihood([melody["events"] for melody in melodies])
    assert found == pytest.approx([melody["log_likelihood"] for melody in melodies], rel=1e-5)
    squashed = magenta_model(name).log_likelihood([melody["squashed"] for melody in melodies], squash=False)
    assert squashed == pytest.approx(found, rel=1e-6)


OTHERS = {"one_drum": "drum_tracks", "drum_kit": "drum_tracks", "polyphony": "polyphonic_sequences"}


@pytest.mark.parametrize("name", OTHERS)
def test_log_likelihoods_of_drums_and_polyphony_equal_magenta(name, magenta_model, magenta_figures):
    model, figures = magenta_model(name), magenta_figures(name)
    sequences = [sequence for sequence in figures[OTHERS[name]] if "log_likelihood" in sequence]
    found = model.log_likelihood([sequence["events"] for sequence in sequences])
    assert found == pytest.approx([sequence["log_likelihood"] for sequence in sequences], rel=1e-5)
    for sequence in sequences:
        tokens = model.domain.parse(sequence["events"])[None]
        steps = log_softmax(model.network.logits(model.encoding.inputs(tokens[:, :-1], {})))[0]
        np.testing.assert_allclose(
            steps[np.arange(len(steps)), sequence["labels"]], sequence["label_log_prob"], rtol=1e-5, atol=1e-5
        )
        first = np.exp(steps[: len(sequence["softmax_first_rows"])])
        np.testing.assert_allclose(first, sequence["softmax_first_rows"], atol=1e-6)


def test_variables_are_those_of_the_graph(magenta_figures, magenta_bundle):
    for name in [*CONFIGURATIONS, *OTHERS]:
        expected = {key.removesuffix(":0"): shape for key, shape in magenta_figures(name)["variables"].items()}
        found = {key: list(value.shape) for key, value in variables(magenta_bundle(name)).items()}
        assert {key: shape for key, shape in expected.items() if key != "global_step"} == found


def test_a_bundle_written_again_is_the_same_model(magenta_bundle, magenta_model, write_bundle, tmp_path):
    """So the hostile bundles below are refused for what they change alone."""
    path = write_bundle(
        tmp_path / "again.mag", "attention_rnn", variables(magenta_bundle("attention_rnn")), (), (-1, 8, 24)
    )
    melody = [60, -2, 62, -2, 64, -1, 67, -2] * 5
    assert load(path).log_likelihood([melody]) == magenta_model("attention_rnn").log_likelihood([melody])


def refused(path, message="bundle"):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(EtudeError, match=message) as caught:
        load(path)
    assert path.name in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_missing_and_empty_files(tmp_path):
    refused(tmp_path / "none.mag", "No such file")
    (tmp_path / "empty.mag").write_bytes(b"")
    refused(tmp_path / "empty.mag", "not a Magenta bundle")
    (tmp_path / "folder.mag").mkdir()
    refused(tmp_path / "folder.mag", "directory")


def test_a_bundle_cut_short(tmp_path, magenta_bundle):
    data = magenta_bundle("attention_rnn").read_bytes()
    # The description at the end, which nothing needs, can be cut off whole.
    data = data[: data.rindex(b'"\x13')]
    path = tmp_path / "short.mag"
    for length in [*range(1, 100, 7), *range(100, len(data) - 1, len(data) // 60), *range(len(data) - 60, len(data))]:
        path.write_bytes(data[:length])
        refused(path)


def test_flipped_bits(tmp_path, magenta_bundle):
    """Each gives the same weights, or an error; never other weights, and never another exception."""
    name = "attention_rnn"
    data = magenta_bundle(name).read_bytes()
    original = load(magenta_bundle(name))
    weights_end = len(GeneratorBundle.FromString(data).checkpoint_file[0])
    chooser = random.Random(5)
    path = tmp_path / "flipped.mag"
    refused_ones = 0
    for number in range(200):
        damaged = bytearray(data)
        damaged[chooser.randrange(weights_end if number % 2 else len(data))] ^= 1 << chooser.randrange(8)
        path.write_bytes(damaged)
        try:
            model = load(path)
        except EtudeError:
            refused_ones += 1
        else:
            for key, value in original.weights.items():
                np.testing.assert_array_equal(model.weights[key], value)
    assert refused_ones > 90


def test_random_bytes(tmp_path):
    chooser = random.Random(6)
    for length in (1, 10, 100, 100_000):
        (tmp_path / "random.mag").write_bytes(chooser.randbytes(length))
        refused(tmp_path / "random.mag")


def test_random_bytes_in_place_of_the_checkpoint(tmp_path):
    chooser = random.Random(7)
    bundle = GeneratorBundle(checkpoint_file=[chooser.randbytes(1000)])
    bundle.generator_details.id = "basic_rnn"
    (tmp_path / "inner.mag").write_bytes(bundle.SerializeToString())
    refused(tmp_path / "inner.mag", "not a TensorFlow checkpoint")


@pytest.mark.parametrize("config", ["performance_rnn", "polyphony_rnn", "", "drum_kit_rnn"])
def test_bundles_of_other_models(tmp_path, write_bundle, magenta_bundle, config):
    refused(write_bundle(tmp_path / "other.mag", config, variables(magenta_bundle("basic_rnn"))))


def test_weights_of_another_configuration(tmp_path, write_bundle, magenta_bundle):
    path = write_bundle(tmp_path / "swapped.mag", "lookback_rnn", variables(magenta_bundle("basic_rnn")))
    refused(path, "layer_0/kernel has the shape")


@pytest.mark.parametrize(
    "missing", [f"{ATTENTION}kernel", f"{ATTENTION}basic_lstm_cell/kernel", "fully_connected/biases"]
)
def test_missing_variables(tmp_path, write_bundle, magenta_bundle, missing):
    tensors = variables(magenta_bundle("attention_rnn"))
    del tensors[missing]
    refused(write_bundle(tmp_path / "missing.mag", "attention_rnn", tensors, (), (-1, 8, 24)), f"no variable {missing}")


def test_no_layers(tmp_path, write_bundle):
    refused(write_bundle(tmp_path / "none.mag", "basic_rnn", {"global_step": np.array(3)}), "no LSTM layer")


SHAPES = [(), (0,), (-1,), (2**62,), (2**62, 2**62), (-2, -48), (-1, -96), (1,) * 70, (3, 32), (96, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    "name", [f"{ATTENTION}basic_lstm_cell/bias", f"{ATTENTION}attention/attn_w", f"{ATTENTION}attention/attn_v"]
)
def test_declared_shapes_that_lie(tmp_path, write_bundle, magenta_bundle, name, shape):
    tensors = variables(magenta_bundle("attention_rnn"))
    path = write_bundle(tmp_path / "lying.mag", "attention_rnn", tensors, {name: shape}, (-1, 8, 24))
    refused(path)


@pytest.mark.parametrize("shape", [(), (0,), (7,), (0, 96), (1, 1, 24), (0, 0, 24, 24), (1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize(
    "name",
    [
        f"{ATTENTION}basic_lstm_cell/bias",
        f"{ATTENTION}basic_lstm_cell/kernel",
        f"{ATTENTION}attention/attn_w",
        f"{ATTENTION}attention/attn_v",
        "fully_connected/weights",
    ],
)
def test_variables_of_odd_shapes(tmp_path, write_bundle, magenta_bundle, name, shape):
    tensors = {**variables(magenta_bundle("attention_rnn")), name: np.zeros(shape, np.float32)}
    refused(write_bundle(tmp_path / "odd.mag", "attention_rnn", tensors, (), (-1, 8, 24)))


def test_more_dimensions_than_can_be_multiplied_in_time(tmp_path, write_bundle, magenta_bundle):
    tensors = variables(magenta_bundle("basic_rnn"))
    shapes = {"fully_connected/biases": (2**62,) * 200_000}
    refused(write_bundle(tmp_path / "bomb.mag", "basic_rnn", tensors, shapes))


@pytest.mark.parametrize("step", [np.array(77), np.array([77]), np.array([1, 2, 3]), np.zeros((0,), np.int64)], ids=str)
def test_global_steps(tmp_path, write_bundle, magenta_bundle, step):
    tensors = {**variables(magenta_bundle("basic_rnn")), "global_step": step}
    path = write_bundle(tmp_path / "step.mag", "basic_rnn", tensors)
    if step.size == 1:
        assert load(path).step == 77
    else:
        refused(path)


@pytest.mark.parametrize(
    "shape", [None, (), (-1, 8), (-1, 0, 24), (-1, -8, 24), (-1, 2**31 - 1, 24), (-1, 10**6, 24), (1, 2, 3, 4)], ids=str
)
def test_attention_lengths_that_cannot_be(tmp_path, write_bundle, magenta_bundle, shape):
    path = write_bundle(tmp_path / "length.mag", "attention_rnn", variables(magenta_bundle("attention_rnn")), (), shape)
    refused(path, "attention")


def test_a_bundle_that_is_too_large(tmp_path):
    with (tmp_path / "large.mag").open("wb") as file:
        file.truncate((1 << 30) + 1)
    refused(tmp_path / "large.mag", "larger than 1,073,741,824 bytes")


@pytest.mark.parametrize("path", [".", "/", "..", ""])
def test_folders_are_no_checkpoints(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EtudeError, match="not a run directory"):
        load(path)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, magenta_bundle):
    """A checkpoint of format version 2, written by TensorFlow, of a bundle's variables."""

    def write(name):
        import tensorflow as tf

        prefix = tmp_path_factory.mktemp(name) / "train" / "model.ckpt"
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            for key, value in variables(magenta_bundle(name)).items():
                tf.compat.v1.get_variable(key, initializer=value)
                # Adam's moments stand beside the weights in what training writes.
                tf.compat.v1.get_variable(f"{key}/Adam", initializer=np.zeros_like(value))
            step = tf.compat.v1.train.get_or_create_global_step()
            session.run(tf.compat.v1.global_variables_initializer())
            session.run(step.assign(200))
            tf.compat.v1.train.Saver().save(session, str(prefix), global_step=200, write_meta_graph=False)
        return prefix.with_name("model.ckpt-200")

    return write


@pytest.fixture(scope="module")
def lookback_checkpoint(checkpoint):
    return checkpoint("lookback_rnn")


MELODY = [60, -2, 62, -2, 64, -1, 67, -2] * 5


def test_checkpoints_of_training(checkpoint, lookback_checkpoint, magenta_model):
    attention = checkpoint("attention_rnn")
    for prefix, config, overrides in [
        (lookback_checkpoint, "lookback_rnn", {}),
        (lookback_checkpoint.with_name("model.ckpt-200.index"), "lookback", {}),
        (lookback_checkpoint.with_name("model.ckpt-200.data-00000-of-00001"), "lookback", {}),
        (attention, "attention_rnn", {"attn_length": 8}),
    ]:
        assert is_checkpoint(prefix)
        model = load(prefix, config=config, overrides=overrides)
        bundle = magenta_model(f"{model.configuration.config}_rnn")
        assert model.step == 200
        assert model.configuration.hyperparameters == bundle.configuration.hyperparameters
        for name, weight in bundle.weights.items():
            np.testing.assert_array_equal(model.weights[name], weight)
        assert model.log_likelihood([MELODY]) == bundle.log_likelihood([MELODY])


def test_checkpoints_that_do_not_fit(lookback_checkpoint):
    with pytest.raises(UsageError, match="--config NAME"):
        load(lookback_checkpoint)
    with pytest.raises(EtudeError, match="layer_0/kernel has the shape"):
        load(lookback_checkpoint, config="basic")
    with pytest.raises(EtudeError, match="no variable"):
        load(lookback_checkpoint, config="attention")
    with pytest.raises(UsageError, match="unknown hyperparameter"):
        load(lookback_checkpoint, config="lookback", overrides={"rnn_layers": 3})


def copy(prefix, folder):
    folder.mkdir()
    for part in prefix.parent.glob("model.ckpt-200.*"):
        (folder / part.name.replace("model.ckpt-200", "model")).write_bytes(part.read_bytes())
    return folder / "model"


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_damaged_checkpoints(lookback_checkpoint, tmp_path, suffix):
    prefix = copy(lookback_checkpoint, tmp_path / "copy")
    part = prefix.with_name("model" + suffix)
    data = part.read_bytes()
    original = load(prefix, config="lookback")
    chooser = random.Random(8)
    damages = [data[: len(data) * share // 10] for share in range(10)] + [chooser.randbytes(len(data))]
    for _ in range(60):
        flipped = bytearray(data)
        flipped[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
        damages.append(bytes(flipped))
    refused_ones = 0
    for damaged in damages:
        part.write_bytes(damaged)
        try:
            model = load(prefix, config="lookback")
        except EtudeError:
            refused_ones += 1
        else:
            for name, weight in original.weights.items():
                np.testing.assert_array_equal(model.weights[name], weight)
    # The moments of Adam take two thirds of the file, and are not needed.
    assert refused_ones > 20
    part.unlink()
    with pytest.raises(EtudeError):
        load(prefix, config="lookback")


def test_a_folder_with_brackets(lookback_checkpoint, tmp_path):
    prefix = copy(lookback_checkpoint, tmp_path / "[run] *")
    for part in list(prefix.parent.iterdir()):
        part.rename(part.with_name(part.name.replace("model", "model[1]")))
    assert load(prefix.with_name("model[1]"), config="lookback").step == 200

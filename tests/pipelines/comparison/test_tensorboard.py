import io
import json
import wave

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import metadata

from etude.models.generation import GenerationOptions, generate
from etude.models.model import load
from etude.pipelines.compare import compare
from etude.pipelines.comparison.tensorboard import MELODIES, SAMPLE_RATE, final_figures, final_tag
from etude.pipelines.comparison.units import PIECES, SHUFFLES
from etude.pipelines.comparison.words import Words
from etude.pipelines.evaluation.inspect import held_out_pieces, inspect
from etude.pipelines.generation.generate import write_melodies

MODELS = ("basic-0", "lookback-0")


def read(folder):
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    return multiplexer


def sessions(multiplexer):
    """The rows of the HParams page: name and hyperparameters of every session, by run."""
    found = {}
    for run in multiplexer.Runs():
        try:
            content = multiplexer.GetAccumulator(run).PluginTagToContent(metadata.PLUGIN_NAME)
        except KeyError:
            continue
        if metadata.SESSION_START_INFO_TAG in content:
            found[run] = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    return found


@pytest.fixture(scope="module")
def generated(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    options = GenerationOptions(num_outputs=MELODIES + 1, num_steps=32)
    for name in MODELS:
        model = load(trained.runs[name])
        write_melodies(model, generate(model, np.array([60]), options), options, folder / name)
    return [folder / name for name in MODELS]


@pytest.fixture(scope="module")
def output(trained, generated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    for _ in range(2):  # a second time, since nothing may pile up
        compare([trained.runs[name] for name in MODELS], trained.dataset, folder, generated=generated)
    return folder


def test_runs_are_named_after_models_once(output):
    runs = read(output).Runs()
    assert sorted(runs) == sorted(f"tensorboard/{name}{part}" for name in MODELS for part in ("", "/eval", "/train"))
    assert [path.name for path in output.glob(".*")] == []
    assert len(list(output.rglob("*tfevents*"))) == 6


def test_final_figures_are_those_of_the_results(output):
    multiplexer = read(output)
    results = json.loads((output / "results.json").read_text())
    for configuration in results["configurations"]:
        (run,) = configuration["runs"]
        for figure in final_figures(Words()):
            group, _, name = figure.rpartition(".")
            expected = run[group][name] if group else run[name]
            (event,) = multiplexer.Scalars(f"tensorboard/{run['name']}", final_tag(figure))
            assert event.step == run["step"]
            assert event.value == pytest.approx(expected, rel=1e-6)


def test_what_units_follow_is_what_inspect_says(trained, output):
    multiplexer = read(output)
    for name in MODELS:
        model = load(trained.runs[name])
        inspection = inspect(model, held_out_pieces(model, "", "eval", PIECES, 0), SHUFFLES)
        expected = {f"units/{one.feature.replace(' ', '_')}": one for one in inspection.following if one.is_clear}
        tags = multiplexer.GetAccumulator(f"tensorboard/{name}").Tags()["scalars"]
        assert {tag for tag in tags if tag.startswith("units/")} == set(expected)
        for tag, one in expected.items():
            (event,) = multiplexer.Scalars(f"tensorboard/{name}", tag)
            assert event.value == pytest.approx(abs(one.followers[0].correlation))
    assert expected


def test_hyperparameters_stand_beside_them(output):
    multiplexer = read(output)
    found = sessions(multiplexer)
    assert {run: info.group_name for run, info in found.items()} == {f"tensorboard/{name}": name for name in MODELS}
    lookback = found["tensorboard/lookback-0"].hparams
    assert lookback["config"].string_value == "lookback"
    assert lookback["batch_size"].number_value == 8
    assert lookback["seed"].number_value == 0
    contents = [
        multiplexer.GetAccumulator(f"tensorboard/{name}").PluginTagToContent(metadata.PLUGIN_NAME) for name in MODELS
    ]
    (content,) = [content[metadata.EXPERIMENT_TAG] for content in contents if metadata.EXPERIMENT_TAG in content]
    experiment = metadata.parse_experiment_plugin_data(content)
    assert [info.name.tag for info in experiment.metric_infos] == [
        final_tag(figure) for figure in final_figures(Words())
    ]
    columns = {info.name: info for info in experiment.hparam_infos}
    assert columns.keys() == lookback.keys()
    assert [value.string_value for value in columns["config"].domain_discrete.values] == ["basic", "lookback"]


def test_curves_are_those_of_the_runs(trained, output):
    ours, theirs = read(output), read(trained.runs["basic-0"])
    assert theirs.Runs().keys() == {"train", "eval"}
    for split in theirs.Runs():
        run = f"tensorboard/basic-0/{split}"
        assert ours.GetAccumulator(run).Tags()["scalars"] == theirs.GetAccumulator(split).Tags()["scalars"]
        points = [
            [(event.wall_time, event.step, event.value) for event in multiplexer.Scalars(name, "loss")]
            for multiplexer, name in ((ours, run), (theirs, split))
        ]
        assert points[0] == points[1] != []


def test_melodies_are_pictures(output):
    multiplexer = read(output)
    for name in MODELS:
        accumulator = multiplexer.GetAccumulator(f"tensorboard/{name}")
        assert accumulator.Tags()["images"] == [f"melodies/{number}" for number in range(1, MELODIES + 1)]
        for tag in accumulator.Tags()["images"]:
            (event,) = accumulator.Images(tag)
            image = Image.open(io.BytesIO(event.encoded_image_string))
            assert image.size == (event.width, event.height)
            assert len(image.convert("RGB").getcolors()) > 3


def test_melodies_are_heard(output):
    accumulator = read(output).GetAccumulator("tensorboard/basic-0")
    assert accumulator.Tags()["audio"] == [f"melodies/{number}" for number in range(1, MELODIES + 1)]
    (event,) = accumulator.Audio("melodies/1")
    with wave.open(io.BytesIO(event.encoded_audio_string)) as file:
        assert file.getframerate() == event.sample_rate == SAMPLE_RATE
        assert file.getnframes() == event.length_frames > 32 * 0.125 * SAMPLE_RATE
        assert np.frombuffer(file.readframes(file.getnframes()), "<i2").any()


def test_tags_are_described(output):
    multiplexer = read(output)
    metadata_of = multiplexer.GetAccumulator("tensorboard/basic-0").SummaryMetadata
    assert "ranks" in metadata_of("final/event_loss").summary_description
    assert "nats under the model" in metadata_of("melodies/1").summary_description
    evaluations = multiplexer.GetAccumulator("tensorboard/basic-0/eval")
    assert all(evaluations.SummaryMetadata(tag).summary_description for tag in evaluations.Tags()["scalars"])


def test_what_the_output_shows_already_is_not_doubled(trained, tmp_path):
    from shutil import copytree

    run = copytree(trained.runs["basic-0"], tmp_path / "runs" / "basic-0")
    compare([run], trained.dataset, tmp_path)
    multiplexer = read(tmp_path)
    assert sorted(multiplexer.Runs()) == ["runs/basic-0/eval", "runs/basic-0/train", "tensorboard/basic-0"]
    # Rows of one name are joined, so both have to say the same.
    mine, theirs = (sessions(multiplexer)[run] for run in ("tensorboard/basic-0", "runs/basic-0/eval"))
    assert mine.group_name == theirs.group_name == "basic-0"
    assert dict(mine.hparams) == dict(theirs.hparams)


def test_a_killed_comparison_leaves_the_old_folder(trained, output, tmp_path, monkeypatch):
    from etude.pipelines.comparison import tensorboard

    compare([trained.runs["basic-0"]], trained.dataset, tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*tfevents*"))

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tensorboard, "_write_curves", fail)
    with pytest.raises(KeyboardInterrupt):
        compare([trained.runs["basic-1"]], trained.dataset, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*tfevents*")) == before != []
    assert not (tmp_path / "tensorboard" / "basic-1").exists()


def test_models_of_one_name_are_told_apart(trained, tmp_path):
    from shutil import copytree

    runs = [copytree(trained.runs["basic-0"], tmp_path / folder / "run") for folder in ("one", "two")]
    compare(runs, trained.dataset, tmp_path / "comparison", allow_other_training_data=True)
    assert sorted(path.name for path in (tmp_path / "comparison" / "tensorboard").iterdir()) == ["run-1", "run-2"]

import json
import pathlib

import pytest

from etude import load
from etude.models.dataset import read_melodies
from etude.models.errors import EtudeError
from etude.models.storage.folder import LocalFolder
from etude.pipelines.evaluation.evaluate import evaluate_model, totals_by_beam

TESTDATA = pathlib.Path(__file__).parents[2] / "testdata"


@pytest.fixture
def dataset(music_folder, tmp_path):
    """A dataset of several shards, with enough on the eval side."""
    from etude.pipelines.convert import convert
    from etude.pipelines.dataset import create_dataset

    convert([str(music_folder)], tmp_path / "notes")
    create_dataset([tmp_path / "notes"], tmp_path / "dataset", eval_ratio=0.5, shards=3)
    return tmp_path / "dataset"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_beam_job_gives_the_sums_of_one_process(dataset, workers):
    model = load(TESTDATA / "magenta" / "attention_rnn" / "bundle.mag")
    melodies = read_melodies(dataset, "eval")
    alone = model.evaluate(melodies)
    totals = alone.totals()
    beam = totals_by_beam(model, LocalFolder(dataset), "eval", workers)
    assert beam["num_sequences"] == len(alone) == len(melodies) > 20
    assert beam.keys() == totals.keys()
    for name, total in totals.items():
        assert beam[name] == pytest.approx(total, rel=1e-5), name


def test_the_figures_of_a_beam_job_are_those_of_one_process(dataset):
    model = load(TESTDATA / "magenta" / "basic_rnn" / "bundle.mag")
    alone, beam = (
        evaluate_model(model, dataset, "eval", beam_options=options) for options in ([], ["--runner=FnApiRunner"])
    )
    assert beam["num_melodies"] == alone["num_melodies"]
    assert beam["log_likelihood"] == pytest.approx(alone["log_likelihood"], rel=1e-5)
    for kind in ("label", "event"):
        assert beam[kind] == pytest.approx(alone[kind], rel=1e-5)


def test_a_dataset_of_other_steps(dataset):
    """Refused, in this process as by a Beam job."""
    description = json.loads((dataset / "dataset.json").read_text())
    description["extraction"]["steps_per_quarter"] = 8
    (dataset / "dataset.json").write_text(json.dumps(description))
    model = load(TESTDATA / "magenta" / "basic_rnn" / "bundle.mag")
    for workers in (1, 2):
        with pytest.raises(EtudeError, match=r"bundle\.mag takes 4 steps a quarter note, but .*dataset has 8"):
            evaluate_model(model, dataset, "eval", workers=workers)


def test_the_report_says_what_it_is_of(dataset):
    model = load(TESTDATA / "magenta" / "basic_rnn" / "bundle.mag")
    figures = evaluate_model(model, dataset, "eval")
    assert figures["config"] == "basic"
    assert figures["split"] == "eval"
    assert figures["num_melodies"] == len(read_melodies(dataset, "eval"))
    # Basic has one label an event.
    assert figures["event"]["loss"] == figures["label"]["loss"]

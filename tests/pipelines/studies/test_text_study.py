"""A small study of models of text: sweeps, equal parameters, a floor, ways of sampling, a large version, other sources."""

import dataclasses
import json
import re

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.models.storage.metrics import read_metrics
from etude.pipelines.studies.file import read_study
from etude.pipelines.studies.study import run_study

STUDY = """\
sources = ["corpus:ryansMammoth"]
seeds = [0]
num_epochs = 2
contrasts = [["small", "rnn"]]
floor = "ngram"

[dataset]
eval_ratio = 0.3

[hparams]
batch_size = 4
rnn_layer_sizes = [3]
chunk_steps = 20

[configurations.small]
config = "abc-characters"

[configurations.rnn]
config = "abc-characters"
as_many_parameters_as = "small"
hparams = { cell = "rnn" }

[configurations.ngram]
representation = "abc_characters"

[sweeps.rate]
values = [{ learning_rate = 0.003 }, { learning_rate = 0.01 }]

[generate]
num_outputs = 1
num_steps = 30

[samplings]
num_tunes = 2
num_steps = 40
settings = [{ label = "Warm", temperature = 0.7 }, { search = "greedy" }]

[large]
num_epochs = 9

[large.hparams]
rnn_layer_sizes = [5]

[large.configurations.rnn]
hparams = { cell = "gru" }
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text-study")
    random = np.random.default_rng(0)
    tunes = []
    for number in range(12):
        bars = ["".join("CDEFGABc"[pitch] for pitch in random.integers(8, size=4)) for _ in range(4)]
        tunes.append(f"<start>\nX:{number + 1}\nM:4/4\nL:1/4\nK:C\n{'|'.join(bars)}|\n<end>\n")
    (folder / "tunes.txt").write_text("".join(tunes))
    path = folder / "text.toml"
    path.write_text(STUDY)
    return read_study(path, sources=[str(folder / "tunes.txt")])


@pytest.fixture(scope="module")
def finished(study, tmp_path_factory):
    output = tmp_path_factory.mktemp("finished-text-study")
    run_study(study, output, command="etude study text.toml")
    return output, json.loads((output / "results.json").read_text()), (output / "report.html").read_text()


def test_what_the_file_says(study):
    assert [one.name for one in study.configurations] == ["small", "rnn", "ngram", "rate-0.01"]
    (sweep,) = study.sweeps
    assert sweep.points == (("0.003", "small"), ("0.01", "rate-0.01"))
    assert [one.label for one in study.samplings] == ["Warm", "search greedy"]


def test_the_large_version(study, tmp_path):
    path = tmp_path / "text.toml"
    path.write_text(STUDY)
    large = read_study(path, is_large=True)
    small, rnn = (one.configuration.hyperparameters for one in large.configurations[:2])
    assert (large.num_epochs, small.rnn_layer_sizes, small.chunk_steps, rnn.cell) == (9, (5,), 20, "gru")
    assert large.sources == ("corpus:ryansMammoth",)
    path.write_text(STUDY.partition("[large]")[0])
    with pytest.raises(EtudeError, match=r"text.toml has no large version: a table \[large\]"):
        read_study(path, is_large=True)


def test_runs_are_evaluated_once_an_epoch(finished):
    output, *_ = finished
    lines = read_metrics(output / "runs" / "small-seed0" / "metrics.jsonl")
    per_epoch = next(line["step"] / line["epoch"] for line in lines if "epoch" in line)
    assert [line["step"] for line in lines if line["split"] == "eval"] == pytest.approx([per_epoch, 2 * per_epoch])


def test_equal_parameters(finished):
    _, results, _ = finished
    sizes = {one["name"]: one["hyperparameters"]["rnn_layer_sizes"][0] for one in results["configurations"][:2]}
    assert sizes["small"] == 3 < sizes["rnn"]


def test_what_was_asked_comes_first_and_what_is_missing_is_said(finished):
    _, results, report = finished
    verdict = results["verdict"]
    assert verdict["headline"].startswith("Unfinished: ")
    assert "No way of sampling writes a whole tune; of real tunes 100%" in verdict["headline"]
    assert any("bits a character" in sentence for sentence in verdict["sentences"])
    assert "has too few evaluations to tell" in verdict["sentences"][0]
    assert verdict["headline"] in report
    assert re.search(r'aria-label="Character loss by Rate: 0.003 \d', report)
    assert 'aria-label="Character loss against epochs: Rate' in report


def test_ways_of_sampling(finished):
    output, results, report = finished
    labels = ["Warm", "search greedy", "Real tunes"]
    of_small = [one for one in results["samples"] if one["configuration"] == "small"]
    assert [one["label"] for one in of_small] == labels
    assert of_small[2]["figures"]["whole"]["value"] == 1
    lines = [json.loads(line) for line in (output / "samples" / "small-seed0-samples.jsonl").read_text().splitlines()]
    assert len(lines) == 4
    for line in lines:
        assert line["text"].startswith("X:")
        assert len(line["tokens"]) - line["num_primer_tokens"] <= 40
        assert line["is_ended"] or len(line["tokens"]) - line["num_primer_tokens"] == 40
    assert 'aria-label="Ends in a loop by sampling: Warm' in report


def test_again_does_nothing(study, finished):
    output, *_ = finished
    before = {path: path.stat().st_mtime_ns for path in output.glob("[rs]*/**/*") if path.is_file()}
    assert before
    run_study(study, output, command="etude study text.toml")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_other_ways_of_sampling_train_nothing_again(study, finished):
    output, *_ = finished
    before = {path: path.stat().st_mtime_ns for path in output.glob("runs/*/checkpoints/*")}
    run_study(dataclasses.replace(study, samplings=study.samplings[:1]), output, command="etude study text.toml")
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert len((output / "samples" / "small-seed0-samples.jsonl").read_text().splitlines()) == 2

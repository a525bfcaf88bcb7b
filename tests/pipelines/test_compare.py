import csv
import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from etude.models import registry
from etude.models.configuration import pitch_range
from etude.models.dataset import read_melodies
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.errors import EtudeError
from etude.models.evaluation.evaluation import evaluate as evaluate_model
from etude.models.evaluation.figures import report
from etude.models.family import Family
from etude.models.melodies.melody import Melody
from etude.models.model import load
from etude.models.registry import configure
from etude.models.storage.records import write_records
from etude.models.storage.sequence_examples import encode_melody
from etude.models.training.schedule import Schedule
from etude.models.training.train import train
from etude.pipelines.compare import compare
from etude.pipelines.comparison.breakdowns import breakdowns
from etude.pipelines.comparison.statistics.significance import sign_flip_test


@pytest.fixture(scope="session")
def output(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    compare([trained.runs[name] for name in ("basic-0", "basic-1", "lookback-0", "mono-0")], trained.dataset, folder)
    return folder


@pytest.fixture(scope="session")
def results(output):
    return json.loads((output / "results.json").read_text())


def test_figures_of_a_run_are_those_of_evaluate(trained, results):
    melodies = read_melodies(trained.dataset, "eval")
    runs = [run for configuration in results["configurations"] for run in configuration["runs"]]
    assert [run["name"] for run in runs] == ["basic-0", "basic-1", "lookback-0", "mono-0"]
    for run in runs:
        expected = report(load(run["model"]).evaluate(melodies).totals(), "event")
        assert run["num_melodies"] == expected["num_melodies"]
        assert run["num_steps"] == expected["num_steps"]
        assert run["log_likelihood"] == pytest.approx(expected["log_likelihood"])
        for group in ("label", "event"):
            assert {name: run[group][name] for name in expected[group]} == pytest.approx(expected[group])


def test_event_loss_of_basic_is_its_label_loss(results):
    basic, lookback, _ = results["configurations"]
    assert basic["event"]["loss"] == pytest.approx(basic["label"]["loss"])
    assert lookback["event"]["loss"] < lookback["label"]["loss"]


def test_seeds_are_one_configuration(results):
    basic = results["configurations"][0]
    losses = [run["event"]["loss"] for run in basic["runs"]]
    assert [run["seed"] for run in basic["runs"]] == [0, 1]
    assert basic["event"]["loss"] == pytest.approx(np.mean(losses))
    assert basic["seeds"]["event"]["loss"] == pytest.approx(
        {"mean": np.mean(losses), "standard_deviation": np.std(losses, ddof=1), "min": min(losses), "max": max(losses)}
    )
    low, high = basic["intervals"]["event"]["loss"]
    assert low < basic["event"]["loss"] < high


def test_pairs_are_within_a_space(results):
    assert [{pair["first"], pair["second"]} for pair in results["pairs"]] == [{"basic", "lookback"}]
    (pair,) = results["pairs"]
    losses = {configuration["name"]: configuration["event"]["loss"] for configuration in results["configurations"]}
    assert pair["nats_per_step"]["value"] == pytest.approx(losses[pair["second"]] - losses[pair["first"]])
    assert pair["nats_per_step"]["value"] > 0


def test_baselines_have_no_likelihood_where_there_is_none(results):
    baselines = {baseline["name"]: baseline for baseline in results["baselines"] if "key 0" in baseline["pitch_range"]}
    assert list(baselines) == ["no_event", "unigram", "bigram", "repeat_bar"]
    assert baselines["no_event"]["event"]["loss"] is None
    assert baselines["bigram"]["event"]["loss"] < baselines["unigram"]["event"]["loss"]
    assert results["configurations"][0]["best_baseline"] == min(
        (name for name in baselines if name != "no_event"), key=lambda name: baselines[name]["event"]["loss"]
    )


def test_breakdowns_average_to_the_whole(results):
    basic = results["configurations"][0]
    found = [breakdown for breakdown in results["breakdowns"] if breakdown["pitch_range"] == basic["pitch_range"]]
    assert {"metre", "position_in_bar_16", "position_in_bar_12", "bar", "length", "event", "repetition"} == {
        match["name"] for match in found
    }
    for breakdown in found:
        if breakdown["name"].startswith("position"):
            continue
        weights = [category["num_steps"] for category in breakdown["categories"]]
        losses = [category["loss"]["basic"]["value"] for category in breakdown["categories"]]
        assert sum(weights) == basic["num_steps"]
        assert np.average(losses, weights=weights) == pytest.approx(basic["event"]["loss"], rel=1e-6)


def test_table_has_every_figure(output, results):
    rows = list(csv.DictReader((output / "results.csv").read_text().splitlines()))
    found = {row["name"]: row for row in rows if row["kind"] == "configuration" and row["figure"] == "event.loss"}
    for configuration in results["configurations"]:
        assert float(found[configuration["name"]]["value"]) == pytest.approx(configuration["event"]["loss"])
        assert float(found[configuration["name"]]["low"]) == pytest.approx(
            configuration["intervals"]["event"]["loss"][0]
        )
    assert {row["kind"] for row in rows} == {"configuration", "run", "baseline", "pair", "breakdown"}


def test_same_input_same_bytes(trained, output, tmp_path):
    compare([trained.runs[name] for name in ("basic-0", "basic-1", "lookback-0", "mono-0")], trained.dataset, tmp_path)
    again = (tmp_path / "results.json").read_text().replace(str(tmp_path), str(output))
    assert again == (output / "results.json").read_text()


def test_two_copies_of_a_model_cannot_be_told_apart(trained, tmp_path):
    copy = shutil.copytree(trained.runs["basic-0"], tmp_path / "copy")
    results = compare([trained.runs["basic-0"], copy], trained.dataset, tmp_path / "report")
    (pair,) = results.pairs
    assert pair.p_value == 1.0
    assert not pair.is_told_apart
    assert pair.nats_per_step.value == 0.0
    assert "cannot be told apart" in results.verdict.headline


def test_a_model_is_told_apart_from_its_early_checkpoint(trained, tmp_path):
    results = compare([trained.runs["basic-early"], trained.runs["basic-0"]], trained.dataset, tmp_path)
    (pair,) = results.pairs
    assert pair.is_told_apart
    assert pair.first == "basic, num_steps=40"
    assert pair.p_value < 0.001
    assert pair.nats_per_step.interval[0] > 0


def test_sums_of_parts_are_those_of_the_whole(trained):
    model = load(trained.runs["lookback-0"])
    melodies = read_melodies(trained.dataset, "eval").map(lambda events: model.domain.enter(events)[0])
    divisions = breakdowns(melodies, 4)

    def evaluate(indices):
        return evaluate_model(model.encoding, melodies.select(indices), model.predict, divisions)

    whole = evaluate(range(20))
    parts = evaluate(range(7)) + evaluate(range(7, 20))
    assert parts.values.keys() == whole.values.keys()
    assert sum("/" in name for name in whole.values) == 3 * len(divisions)
    for name, sums in whole.values.items():
        assert parts[name] == pytest.approx(sums, rel=1e-4, abs=1e-4)


def test_the_test_is_on_event_log_likelihoods(trained, results):
    melodies = read_melodies(trained.dataset, "eval")
    likelihood = {
        name: load(trained.runs[name]).evaluate(melodies)["token_log_likelihood"]
        for name in ("basic-0", "basic-1", "lookback-0")
    }
    differences = (likelihood["basic-0"] + likelihood["basic-1"]) / 2 - likelihood["lookback-0"]
    assert results["pairs"][0]["p_value"] == sign_flip_test(differences).p_value


def test_other_training_data_is_refused(trained, make_dataset, tmp_path):
    other = make_dataset(tmp_path / "other", seed=1, fingerprint="a" * 64)
    with pytest.raises(EtudeError, match=f"{'f' * 64}.*{'a' * 64}.*--allow-other-training-data"):
        compare([trained.runs["basic-0"]], other, tmp_path / "report")
    assert not (tmp_path / "report").exists()
    results = compare([trained.runs["basic-0"]], other, tmp_path / "report", allow_other_training_data=True)
    assert results.configurations[0].runs[0].training_fingerprint == "f" * 64
    assert "basic-0: trained on another dataset" in " ".join(results.verdict.sentences)


def test_bad_input_is_said(trained, tmp_path):
    with pytest.raises(EtudeError, match="nothing to compare"):
        compare([], trained.dataset, tmp_path)
    with pytest.raises(EtudeError, match="no model"):
        compare([tmp_path / "missing"], trained.dataset, tmp_path)
    empty = tmp_path / "empty"
    shutil.copytree(trained.runs["basic-0"], empty, ignore=shutil.ignore_patterns("*.npz"))
    with pytest.raises(EtudeError, match="no checkpoint"):
        compare([empty], trained.dataset, tmp_path)
    with pytest.raises(EtudeError, match="no split 'test'"):
        compare([trained.runs["basic-0"]], trained.dataset, tmp_path, split="test")


def test_other_steps_are_refused(trained, make_dataset, tmp_path):
    other = make_dataset(tmp_path / "other")
    description = json.loads((other / "dataset.json").read_text())
    description["extraction"]["steps_per_quarter"] = 8
    (other / "dataset.json").write_text(json.dumps(description))
    with pytest.raises(EtudeError, match=r"takes 4 steps a quarter note, but .* has 8"):
        compare([trained.runs["basic-0"]], other, tmp_path)


def test_no_tensorflow_is_needed():
    code = "import sys, etude.pipelines.compare; sys.exit('tensorflow' in sys.modules or 'apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_counts_of_the_dataset_are_in_order(trained, tmp_path):
    copied = shutil.copytree(trained.dataset, tmp_path / "dataset")
    description = json.loads((copied / "dataset.json").read_text())
    description["rejected"] = {reason: str(number) for number, reason in enumerate("hgfedcba")}
    (copied / "dataset.json").write_text(json.dumps(description))
    compare([trained.runs["basic-0"]], copied, tmp_path / "output")
    found = json.loads((tmp_path / "output" / "results.json").read_text())["dataset"]["description"]["rejected"]
    assert list(found.items()) == [(reason, 7 - number) for number, reason in enumerate("abcdefgh")]


class PitchEncoding(OneHotEncoding):
    """Of melodies in which every step begins a note."""

    no_event_label = None

    def label_tokens(self):
        return np.arange(self.min_note, self.max_note)


def test_models_that_know_no_no_event(make_dataset, tmp_path, monkeypatch):
    """They have no such baseline and no such sentence; all their steps are events."""
    defaults = configure("basic", {"rnn_layer_sizes": [4], "batch_size": 4})
    pitches = dataclasses.replace(defaults, config="pitches")
    family = Family(
        "pitches", "Pitches", "", pitches, lambda one: PitchEncoding(one.min_note, one.max_note), pitch_range
    )
    monkeypatch.setitem(registry.FAMILIES, "pitches", family)
    dataset = make_dataset(tmp_path / "dataset", num_train=6, num_eval=4)
    random = np.random.default_rng(0)
    for path in dataset.glob("*.tfrecord"):
        melodies = [random.integers(60, 72, random.integers(5, 30)) for _ in range(6 if "train" in path.name else 4)]
        write_records(path, [encode_melody(Melody(events, id=str(i))) for i, events in enumerate(melodies)])
    train(pitches, dataset, tmp_path / "run", Schedule(num_steps=2, eval_every=1))

    compare([tmp_path / "run"], dataset, tmp_path / "report")
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert [baseline["name"] for baseline in results["baselines"]] == ["unigram", "bigram", "repeat_bar"]
    assert "no event" not in json.dumps(results["verdict"], ensure_ascii=False)
    (run,) = results["configurations"][0]["runs"]
    assert run["label"]["event_accuracy"] == run["label"]["accuracy"] == run["event"]["accuracy"]
    last = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-2])["label"]
    assert last["event_accuracy"] == last["accuracy"]


def test_counted_models_beside_the_baselines_that_count(trained, tmp_path):
    """A bigram that was trained as a model is the baseline, figure by figure."""
    runs = [tmp_path / "bigram", tmp_path / "longer"]
    for run, hyperparameters in zip(runs, ({"order": 2, "smoothing": "laplace"}, {"order": 4}), strict=True):
        train(configure("ngram", hyperparameters), trained.dataset, run, Schedule())
    found = compare(runs, trained.dataset, tmp_path / "report")
    bigram, longer = found.configurations
    (baseline,) = [baseline for baseline in found.baselines if baseline.name == "bigram"]
    for name, estimate in baseline.figures.items():
        assert bigram.figures[name].value == pytest.approx(estimate.value, rel=1e-6), name
        assert bigram.figures[name].interval == pytest.approx(estimate.interval, rel=1e-6), name
    assert longer.figures["event.loss"].value < baseline.figures["event.loss"].value

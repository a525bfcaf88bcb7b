"""Counted models through the very functions that train, store and load networks."""

import numpy as np
import pytest

from etude import load
from etude.models.configuration import Configuration
from etude.models.dataset import read_melodies
from etude.models.errors import EtudeError, UsageError
from etude.models.ngram.hyperparameters import NgramHyperparameters
from etude.models.registry import configure, family
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage import run_pb2
from etude.models.storage.checkpoint import save_arrays
from etude.models.storage.metrics import read_metrics
from etude.models.storage.run_directory import RunDirectory, to_proto
from etude.models.training.counting import count_model
from etude.models.training.schedule import Schedule
from etude.models.training.train import train

MELODY = [60, -2, 62, -2, 64, -1]


@pytest.fixture
def run(tmp_path, dataset):
    train(configure("ngram", {"order": 3, "smoothing": "witten-bell"}), dataset, tmp_path / "run", Schedule())
    return tmp_path / "run"


def test_a_run_of_one_step(run, dataset):
    model = load(run)
    assert (model.configuration.hyperparameters, model.step) == (NgramHyperparameters(3, "witten-bell"), 1)
    assert model.training_fingerprint == "toy"
    (line,) = read_metrics(run / "metrics.jsonl")
    totals = model.evaluate(read_melodies(dataset, "eval")).totals()
    assert line["log_likelihood"] == pytest.approx(totals["log_likelihood"] / totals["num_sequences"], rel=1e-6)
    assert line["event"]["loss"] == pytest.approx(-totals["token_log_likelihood"] / totals["num_steps"], rel=1e-6)
    # Three patterns, over and over: whoever knows the shares of the events alone loses 1.4 nats a step.
    assert line["event"]["loss"] < 0.7


def test_the_same_command_again_changes_nothing(run, dataset):
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    result = train(load(run).configuration, dataset, run, Schedule())
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    assert (result.step, result.stopped_early) == (1, False)
    with pytest.raises(EtudeError, match="order=3 instead of 4"):
        train(configure("ngram", {"order": 4, "smoothing": "witten-bell"}), dataset, run, Schedule())


def test_there_is_nothing_to_start_from(run, dataset, tmp_path):
    with pytest.raises(EtudeError, match="is counted: leave out --init-from"):
        train(configure("ngram"), dataset, tmp_path / "other", Schedule(), initial_model=run)


@pytest.mark.parametrize("name", ["sizes", "contexts/1", "counts/2"])
def test_damaged_counts_are_refused(run, name):
    file = RunDirectory(run).checkpoint(1)
    arrays = dict(load(run).weights)
    save_arrays(file, {**arrays, name: -np.asarray(arrays[name]) - 1})
    with pytest.raises(EtudeError, match=r"step-00000001\.npz cannot be read"):
        load(run)


def test_a_vocabulary_of_300_with_an_end(tmp_path):
    """Stored with its symbols, read back, and generated from until the end."""
    letters = tuple(chr(0x100 + number) for number in range(297))
    configuration = Configuration(
        "ngram",
        hyperparameters=NgramHyperparameters(2),
        representation="letters",
        vocabulary=("<unknown>", "<start>", *letters, "<end>"),
    )
    random = np.random.default_rng(0)
    lists = SequenceSet.pack([[1, *random.integers(200, 299, random.integers(2, 9)), 299] for _ in range(200)])
    run = RunDirectory(tmp_path / "letters")
    run.write(run_pb2.Run(configuration=to_proto(configuration)))
    result = count_model(run, configuration, family("ngram").counting, lists, lists, seed=0)
    model = load(run.path)
    assert model.configuration == configuration
    assert result.best["token"]["loss"] > 0
    sequences = model.generate(num_outputs=20, num_steps=60, seed=1)
    ended = [sequence for sequence in sequences if sequence.tokens[-1] == 299]
    assert len(ended) > 10
    for one in ended:
        assert one.tokens[0] == 1
        assert len(one.text) == len(one.tokens) - 2
        assert model.log_likelihood([one.tokens]) == pytest.approx([one.log_likelihood], abs=1e-3)
    with pytest.raises(UsageError, match="not in the vocabulary of 300"):
        model.log_likelihood(["abc"])

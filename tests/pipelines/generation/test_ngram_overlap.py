import dataclasses
import pathlib

import numpy as np
import pytest

from etude.models.melodies.content import hash_runs, interval_numbers
from etude.models.melodies.melody import squash
from etude.models.model import Model
from etude.models.networks.weights import initialise
from etude.models.registry import configure, make_encoding
from etude.models.storage import run_pb2
from etude.models.storage.run_directory import RunDirectory, to_proto
from etude.pipelines.generation import ngram_overlap
from etude.pipelines.generation.ngram_overlap import NGRAM_SIZES, TrainingNgrams, training_ngrams


def runs_of_notes(events, size):
    """Every run of notes as a tuple of intervals and durations, in plain Python."""
    onsets = [step for step, event in enumerate(events) if event >= 0]
    ends = [
        next((step for step in range(onset + 1, len(events)) if events[step] >= -1), len(events)) for onset in onsets
    ]
    tokens = [
        (events[onset] - events[before], end - onset)
        for before, onset, end in zip(onsets, onsets[1:], ends[1:], strict=False)
    ]
    return [tuple(tokens[start : start + size]) for start in range(len(tokens) - size + 1)]


def melody(seed, steps=100):
    random = np.random.default_rng(seed)
    events = np.where(random.random(steps) < 0.6, random.integers(60, 64, steps), -2)
    return np.where(random.random(steps) < 0.1, -1, events)


@pytest.fixture
def run(tmp_path):
    """A run directory of a model and the name of its dataset."""

    def make(fingerprint="abc", folder="dataset"):
        configuration = configure("basic", {"rnn_layer_sizes": [4]})
        description = run_pb2.Run(configuration=to_proto(configuration))
        description.dataset.path = str(tmp_path / folder)
        description.dataset.fingerprint = fingerprint
        RunDirectory(tmp_path / "run").write(description)
        weights = initialise(configuration.hyperparameters, make_encoding(configuration), 0)
        return Model(configuration, weights, tmp_path / "run", 1, fingerprint)

    return make


def test_overlap_is_the_share_of_known_runs():
    training = [melody(seed) for seed in range(6)]
    known = TrainingNgrams(
        {
            n: np.unique(np.concatenate([hash_runs([interval_numbers(events)], n) for events in training]))
            for n in NGRAM_SIZES
        }
    )
    for seed in range(4, 9):
        found = known.overlap(melody(seed))
        for size in NGRAM_SIZES:
            plain = {runs_of_note for events in training for runs_of_note in runs_of_notes(events.tolist(), size)}
            runs = runs_of_notes(melody(seed).tolist(), size)
            assert len(runs) > 20
            assert found[str(size)] == pytest.approx(np.mean([run in plain for run in runs]))
    assert known.overlap(melody(2)) == {"4": 1.0, "8": 1.0}
    assert known.overlap(melody(2) + np.where(melody(2) >= 0, 5, 0))["4"] == 1.0
    assert known.overlap(np.array([60, 62, 64, 65, 67, -2])) == {
        "4": known.overlap(np.array([60, 62, 64, 65, 67]))["4"],
        "8": None,
    }


def test_a_bundle_has_no_training_melodies(run):
    assert training_ngrams(dataclasses.replace(run(), path=pathlib.Path("x.mag"), training_fingerprint="")) is None


def test_a_dataset_that_is_gone(run):
    assert training_ngrams(run()) is None


def test_training_melodies_are_taken_in_the_models_key(run, monkeypatch, tmp_path):
    model = run()
    (tmp_path / "dataset").mkdir()
    events = melody(3) + np.where(melody(3) >= 0, 7, 0)

    class Description:
        fingerprint = "abc"

    monkeypatch.setattr(ngram_overlap, "read_description", lambda folder: Description)
    from etude.models.melodies.melody import Melody
    from etude.models.melodies.melody_set import MelodySet

    def read(folder, split, configuration):
        assert (folder.name, split) == ("dataset", "train")
        return MelodySet.of([Melody(squash(events, configuration.min_note, configuration.max_note, 0)[0])])

    monkeypatch.setattr(ngram_overlap, "read_for_model", read)
    known = training_ngrams(model)
    assert known is not None
    assert known.overlap(events) == {"4": 1.0, "8": 1.0}
    Description.fingerprint = "another"
    assert training_ngrams(model) is None


def test_a_dataset_named_from_a_folder_above_the_run(run, monkeypatch, tmp_path):
    model = run(folder="x")
    description = RunDirectory(model.path).read()
    description.dataset.path = f"{tmp_path.name}/data"
    RunDirectory(model.path).write(description)
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(ngram_overlap, "_fingerprint", lambda folder: "abc" if folder == tmp_path / "data" else "")
    assert ngram_overlap.training_dataset(model) == tmp_path / "data"

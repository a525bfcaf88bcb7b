"""The training loop with real TensorFlow, on a toy corpus."""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import etude
from etude import load
from etude.models.dataset import read_melodies
from etude.models.errors import EtudeError, UsageError
from etude.models.evaluation.figures import report
from etude.models.melodies.melody import Melody
from etude.models.storage.run_directory import RunDirectory
from etude.models.training import train as train_module
from etude.models.training.train import Schedule, train

SCHEDULE = Schedule(num_steps=23, seed=3, eval_every=5)


class StoppedError(Exception):
    """What a progress callback raises to end a run in its middle."""


def stop_after(step):
    def progress(done, total, note=""):
        if done >= step:
            raise StoppedError

    return progress


def timeless(path):
    """The figures of a run without those that depend on the clock."""
    clock = ("wall_time", "events_per_second")
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in clock} for line in lines]


def weights_of(path):
    return {part.name: part.read_bytes() for part in sorted((path / "checkpoints").iterdir())}


KILLED = """
import os, pathlib, signal, sys
from etude.models.registry import configure
from etude.models.training.train import Schedule, train

dataset, run, moment, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
calls = []

def kill_in_time(*_):
    calls.append(moment)
    if len(calls) == count:
        os.kill(os.getpid(), signal.SIGKILL)

def replace(path, target, replace=pathlib.Path.replace):
    kill_in_time()
    return replace(path, target)

if moment == "replace":
    pathlib.Path.replace = replace
overrides = {"rnn_layer_sizes": [6], "batch_size": 4, "learning_rate": 0.02}
progress = kill_in_time if moment == "step" else lambda *_: None
train(configure("lookback", overrides), dataset, run, Schedule(23, 3, 5), progress=progress)
"""


@pytest.fixture(scope="module", autouse=True)
def killed_runs(tmp_path_factory, dataset):
    """Runs in other processes that kill themselves, started early since they take their time."""
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(etude.__file__).parents[1])}
    processes = {}
    for moment, count in [("step", 7), ("replace", 7)]:
        run = tmp_path_factory.mktemp("killed") / "run"
        command = [sys.executable, "-P", "-c", KILLED, str(dataset), str(run), moment, str(count)]
        processes[moment] = run, subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    yield processes
    for _, process in processes.values():
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, dataset, toy_configuration):
    """A run from start to end, with its result."""
    path = tmp_path_factory.mktemp("runs") / "undisturbed"
    reported = []
    result = train(
        toy_configuration("lookback"),
        dataset,
        path,
        SCHEDULE,
        progress=lambda done, total, note="": reported.append((done, total, note)),
    )
    assert [done for done, *_ in reported] == list(range(1, 24))
    assert all(total == 23 and "loss" in note for _, total, note in reported)
    return path, result


def test_what_a_run_leaves(undisturbed, dataset):
    path, result = undisturbed
    assert sorted(part.name for part in path.iterdir()) == [
        "checkpoints", "config.textproto", "eval", "metrics.jsonl", "train",
    ]  # fmt: skip
    assert list(weights_of(path)) == ["best.npz", "step-00000020.npz", "step-00000023.npz"]
    lines = timeless(path)
    assert [line["step"] for line in lines if line["split"] == "train"] == [10, 20, 23]
    assert [line["step"] for line in lines if line["split"] == "eval"] == [5, 10, 15, 20, 23]
    evaluations = [line for line in lines if line["split"] == "eval"]
    best = min(evaluations, key=lambda line: line["event"]["loss"])
    assert (result.step, result.stopped_early, result.best["step"]) == (23, False, best["step"])
    run = RunDirectory(path).read()
    assert (run.seed, run.num_steps, run.eval_every) == (3, 23, 5)
    assert (run.dataset.path, run.dataset.fingerprint) == (str(dataset), "toy")


def test_the_stored_figures_are_those_of_the_stored_weights(undisturbed, dataset):
    """Evaluated again in NumPy."""
    path, result = undisturbed
    for which, step in [("best", result.best["step"]), ("latest", 23)]:
        model = load(path, which)
        assert model.step == step
        assert model.training_fingerprint == "toy"
        figures = report(model.evaluate(read_melodies(dataset, "eval")).totals(), "event")
        (line,) = [line for line in timeless(path) if line["split"] == "eval" and line["step"] == step]
        assert line["log_likelihood"] == pytest.approx(figures["log_likelihood"], rel=1e-5)
        for kind in ("label", "event"):
            for name, value in line[kind].items():
                assert value == pytest.approx(figures[kind][name], rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("name", ["basic", "attention"])
def test_the_loss_falls_on_a_repetitive_corpus(name, tmp_path, dataset, toy_configuration):
    configuration = toy_configuration(name, rnn_layer_sizes=[16], dropout_keep_prob=1.0, learning_rate=0.03)
    result = train(configuration, dataset, tmp_path / "run", Schedule(num_steps=30, seed=1, eval_every=15))
    losses = [line["event"]["loss"] for line in timeless(tmp_path / "run") if line["split"] == "eval"]
    # Whoever knows the shares of the events alone loses 1.4 nats a step.
    assert losses[1] < losses[0]
    assert losses[1] < 1.4
    assert result.best["event"]["loss"] == min(losses)


def test_the_same_seed_gives_the_same_run(undisturbed, tmp_path, dataset, toy_configuration):
    path, _ = undisturbed
    train(toy_configuration("lookback"), dataset, tmp_path / "again", SCHEDULE)
    assert weights_of(tmp_path / "again") == weights_of(path)
    assert timeless(tmp_path / "again") == timeless(path)
    other = Schedule(num_steps=5, seed=4, eval_every=5)
    train(toy_configuration("lookback"), dataset, tmp_path / "other", other)
    assert timeless(tmp_path / "other")[0] != timeless(path)[0]


def test_a_run_that_is_stopped_again_and_again_ends_the_same(undisturbed, tmp_path, dataset, toy_configuration):
    """Before the first checkpoint, between two, and with figures written that are not yet in one; first meant shorter."""
    path, expected = undisturbed
    configuration, run = toy_configuration("lookback"), tmp_path / "run"
    train(configuration, dataset, run, Schedule(num_steps=5, seed=3, eval_every=5))
    for step in (12, 20):
        with pytest.raises(StoppedError):
            train(configuration, dataset, run, SCHEDULE, progress=stop_after(step))
        (run / "checkpoints" / ".step-00000099.npz.x.part").write_bytes(b"left behind")
        with (run / "metrics.jsonl").open("a") as file:
            file.write('{"split": "train", "st')
    result = train(configuration, dataset, run, SCHEDULE)
    assert weights_of(run) == weights_of(path)
    # The shorter run had shown its last step.
    assert [line for line in timeless(run) if (line["split"], line["step"]) != ("train", 5)] == timeless(path)
    assert result.best["step"] == expected.best["step"]
    # Nothing is left to do, and nothing changes.
    again = train(configuration, dataset, run, SCHEDULE)
    assert (again.step, again.best["step"]) == (23, expected.best["step"])
    assert weights_of(run) == weights_of(path)


def test_a_run_saved_between_evaluations_ends_the_same(undisturbed, tmp_path, dataset, toy_configuration, monkeypatch):
    path, _ = undisturbed
    monkeypatch.setattr(train_module, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(StoppedError):
        train(toy_configuration("lookback"), dataset, tmp_path / "run", SCHEDULE, progress=stop_after(14))
    assert RunDirectory(tmp_path / "run").steps() == [12, 13]
    monkeypatch.setattr(train_module, "CHECKPOINT_SECONDS", 60.0)
    train(toy_configuration("lookback"), dataset, tmp_path / "run", SCHEDULE)
    found, expected = weights_of(tmp_path / "run"), weights_of(path)
    assert found["step-00000023.npz"] == expected["step-00000023.npz"]
    assert found["best.npz"] == expected["best.npz"]
    assert timeless(tmp_path / "run") == timeless(path)


@pytest.mark.parametrize("moment", ["step", "replace"])
def test_a_run_that_is_killed_ends_the_same(moment, killed_runs, undisturbed, dataset, toy_configuration):
    """SIGKILL after a step, and while the best weights take their name."""
    path, _ = undisturbed
    run, process = killed_runs[moment]
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    assert len(list(run.rglob("*.part"))) == (moment == "replace")
    assert RunDirectory(run).steps() == [5]
    train(toy_configuration("lookback"), dataset, run, SCHEDULE)
    assert weights_of(run) == weights_of(path)
    assert timeless(run) == timeless(path)
    assert not list(run.rglob("*.part"))


@pytest.mark.parametrize(("owner", "name", "count"), [("train", "save_arrays", 4), ("log", "write", 3)])
def test_a_run_that_fails_while_it_saves_ends_the_same(
    owner, name, count, undisturbed, tmp_path, dataset, toy_configuration, monkeypatch
):
    """After the best weights are stored and before the figures are; after the figures and before the checkpoint."""
    path, _ = undisturbed
    run = tmp_path / "run"
    place = train_module if owner == "train" else train_module.MetricsLog
    function = getattr(place, name)
    calls = []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == count:
            raise StoppedError
        return function(*arguments)

    monkeypatch.setattr(place, name, failing)
    with pytest.raises(StoppedError):
        train(toy_configuration("lookback"), dataset, run, SCHEDULE)
    monkeypatch.undo()
    assert RunDirectory(run).steps() == [5]
    assert load(run).step == 10
    train(toy_configuration("lookback"), dataset, run, SCHEDULE)
    assert weights_of(run) == weights_of(path)
    assert timeless(run) == timeless(path)


def test_early_stopping(tmp_path, dataset, toy_configuration):
    """With a learning rate so small that, after rounding, nothing changes, no evaluation is better than the first."""
    configuration = toy_configuration("basic", learning_rate=1e-30)
    schedule = Schedule(num_steps=50, eval_every=2, early_stopping=3)
    result = train(configuration, dataset, tmp_path / "run", schedule)
    assert (result.step, result.stopped_early, result.best["step"]) == (8, True, 2)
    assert load(tmp_path / "run").step == 2
    assert load(tmp_path / "run", "latest").step == 8
    again = train(configuration, dataset, tmp_path / "run", schedule)
    assert (again.step, again.stopped_early) == (8, True)
    patient = train(configuration, dataset, tmp_path / "run", Schedule(num_steps=12, eval_every=2))
    assert (patient.step, patient.stopped_early) == (12, False)


def test_a_batch_larger_than_the_data(tmp_path, dataset, toy_configuration):
    """It is cut down to the data, and that is said; the run is the one of that batch."""
    said = []
    for name, batch_size in (("cut", 14), ("whole", 13)):
        configuration = toy_configuration("basic", batch_size=batch_size)
        train(configuration, dataset, tmp_path / name, Schedule(num_steps=2), say=said.append)
    (message,) = said
    assert "batch_size=14 is more" in message
    assert "13 melodies" in message
    cut, whole = (load(tmp_path / name) for name in ("cut", "whole"))
    assert cut.configuration == whole.configuration
    assert all(np.array_equal(cut.weights[name], whole.weights[name]) for name in whole.weights)


@pytest.mark.parametrize(
    ("name", "overrides"),
    [("attention", {}), ("basic", {"cell": "gru"}), ("basic", {"cell": "gru", "batches": "stream", "chunk_steps": 7})],
)
def test_a_batch_of_one_melody(name, overrides, tmp_path, dataset, toy_configuration):
    """Which is fewer than the parts that a batch is cut into."""
    train(toy_configuration(name, batch_size=1, **overrides), dataset, tmp_path / "run", Schedule(num_steps=2))
    chunks = -(-(read_melodies(dataset, "train").lengths - 1) // 7)
    steps_per_epoch = chunks.sum() if "batches" in overrides else 13
    assert timeless(tmp_path / "run")[0]["epoch"] == pytest.approx(2 / steps_per_epoch)


@pytest.mark.parametrize(
    ("name", "overrides", "seed", "difference"),
    [
        ("basic", {}, 3, "config=lookback instead of basic"),
        ("lookback", {"learning_rate": 0.5}, 3, r"learning_rate=0\.02 instead of 0\.5"),
        ("lookback", {}, 4, "seed=3 instead of 4"),
    ],
)
def test_the_directory_of_another_run(undisturbed, dataset, toy_configuration, name, overrides, seed, difference):
    path, _ = undisturbed
    before = (path / "config.textproto").read_bytes()
    with pytest.raises(EtudeError, match=rf"holds another run.*{difference}.*--run-dir"):
        train(toy_configuration(name, **overrides), dataset, path, Schedule(23, seed, 5))
    assert (path / "config.textproto").read_bytes() == before


def test_another_dataset_under_the_same_name(undisturbed, tmp_path, write_dataset, dataset, toy_configuration):
    path, _ = undisturbed
    other = write_dataset(
        tmp_path / "other",
        {split: [Melody(np.array([60, -2, 62, -2] * 8))] * 6 for split in ("train", "eval")},
    )
    description = (other / "dataset.json").read_text()
    (other / "dataset.json").write_text(description.replace('"toy"', '"another"'))
    with pytest.raises(EtudeError, match="dataset fingerprint=toy instead of another"):
        train(toy_configuration("lookback"), other, path, SCHEDULE)


@pytest.mark.parametrize(("learning_rate", "eval_every"), [(1e38, 1), (1e38, 50), (1e4, 1)])
def test_a_loss_that_stops_being_a_number(tmp_path, dataset, toy_configuration, learning_rate, eval_every):
    configuration = toy_configuration("basic", learning_rate=learning_rate, clip_norm=1e30)
    schedule = Schedule(num_steps=4, eval_every=eval_every)
    if learning_rate == 1e38:
        with pytest.raises(EtudeError, match=r"the loss is .*learning_rate=1e\+37, in a new run"):
            train(configuration, dataset, tmp_path / "run", schedule)
        assert not (tmp_path / "run" / "checkpoints" / "step-00000004.npz").exists()
    else:
        # The loss is huge, its perplexity more than a number can hold; that is no reason to stop.
        train(configuration, dataset, tmp_path / "run", schedule)
        losses = [line["label"]["loss"] for line in timeless(tmp_path / "run")]
        assert max(losses) > 1000
        assert timeless(tmp_path / "run")[0]["label"]["perplexity"] == np.inf


def test_a_transposed_dataset_is_for_models_that_keep_the_key(tmp_path, write_dataset, toy_configuration):
    melodies = [Melody(np.array([60, -2, 62, -2] * 8))] * 6
    transposed = write_dataset(
        tmp_path / "transposed", {"train": melodies, "eval": melodies}, transpositions=[-1, 0, 1]
    )
    with pytest.raises(EtudeError, match=r"transposed by \[-1, 0, 1\].*--config mono"):
        train(toy_configuration("basic"), transposed, tmp_path / "run", SCHEDULE)
    # A batch may be as large as the data.
    train(toy_configuration("mono", batch_size=6), transposed, tmp_path / "run", Schedule(num_steps=1))
    assert timeless(tmp_path / "run")[0]["epoch"] == 1


def test_a_configuration_of_other_steps_than_the_dataset(tmp_path, write_dataset, dataset, toy_configuration):
    melodies = [Melody(np.array([60, -2, 62, -2] * 8), steps_per_quarter=8, steps_per_bar=32)] * 6
    finer = write_dataset(
        tmp_path / "finer", {"train": melodies, "eval": melodies}, extraction={"steps_per_quarter": 8}
    )
    with pytest.raises(EtudeError, match=r"configuration basic takes 4 steps a quarter note, but .*finer has 8"):
        train(toy_configuration("basic"), finer, tmp_path / "run", SCHEDULE)
    configuration = dataclasses.replace(toy_configuration("basic"), steps_per_quarter=8)
    train(configuration, finer, tmp_path / "run", Schedule(num_steps=1))
    assert load(tmp_path / "run").configuration.steps_per_quarter == 8
    with pytest.raises(EtudeError, match=r"run takes 8 steps a quarter note, but this run is to take 4"):
        train(toy_configuration("basic"), dataset, tmp_path / "other", SCHEDULE, initial_model=tmp_path / "run")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("missing", ["train", "eval"])
def test_an_empty_split(tmp_path, write_dataset, toy_configuration, missing):
    splits = {"train": [Melody(np.array([60, -2] * 8))] * 6, "eval": [Melody(np.array([60, -2] * 8))]}
    splits[missing] = []
    empty = write_dataset(tmp_path / "empty", splits)
    with pytest.raises(EtudeError, match=f"{missing} split .* is empty.*ratio"):
        train(toy_configuration("basic"), empty, tmp_path / "run", SCHEDULE)


def test_a_missing_dataset(tmp_path, toy_configuration):
    with pytest.raises(EtudeError, match="there is no dataset folder"):
        train(toy_configuration("basic"), tmp_path / "none", tmp_path / "run", SCHEDULE)


def test_fine_tuning_starts_from_another_models_weights(undisturbed, tmp_path, dataset, toy_configuration):
    path, _ = undisturbed
    configuration = toy_configuration("lookback", learning_rate=1e-30)
    train(configuration, dataset, tmp_path / "run", Schedule(num_steps=2), initial_model=path)
    start, tuned = load(path), load(tmp_path / "run")
    for name, weight in start.weights.items():
        np.testing.assert_array_equal(tuned.weights[name], weight)
    with pytest.raises(EtudeError, match="does not fit the configuration"):
        train(toy_configuration("basic"), dataset, tmp_path / "other", Schedule(num_steps=2), initial_model=path)
    with pytest.raises(EtudeError, match="initial_model"):
        train(configuration, dataset, tmp_path / "run", Schedule(num_steps=2))


def test_a_damaged_checkpoint_is_not_resumed_from(undisturbed, tmp_path, dataset, toy_configuration):
    path, _ = undisturbed
    run = shutil.copytree(path, tmp_path / "run")
    checkpoint = RunDirectory(run).checkpoint(23)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(EtudeError, match=r"step-00000023\.npz cannot be read"):
        train(toy_configuration("lookback"), dataset, run, SCHEDULE)


@pytest.mark.parametrize(
    "options", [{"num_steps": 0}, {"eval_every": -1}, {"early_stopping": -1}, {"seed": -1}, {"seed": 1 << 63}]
)
def test_schedules_out_of_range(options):
    (name,) = options
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} must be from"):
        Schedule(**options)


def test_a_schedule_in_epochs_and_in_steps():
    once_an_epoch = Schedule(num_epochs=3, eval_every=0).in_steps(7)
    assert (once_an_epoch.num_steps, once_an_epoch.eval_every, once_an_epoch.num_epochs) == (21, 7, 0)
    assert Schedule(num_steps=30, eval_every=0).in_steps(7) == Schedule(num_steps=30, eval_every=7)
    assert Schedule(num_steps=30, eval_every=4).in_steps(7) == Schedule(num_steps=30, eval_every=4)


def test_a_stream_that_is_stopped_ends_the_same(tmp_path, dataset, toy_configuration):
    """The state that rows carry from chunk to chunk is in the checkpoint; the length is given in epochs."""
    configuration = toy_configuration("basic", cell="gru", batches="stream", chunk_steps=9, recurrent_keep_prob=0.9)
    schedule = Schedule(num_epochs=1, seed=3, eval_every=5)
    whole = train(configuration, dataset, tmp_path / "whole", schedule)
    assert RunDirectory(tmp_path / "whole").read().num_steps == whole.step > 10
    with pytest.raises(StoppedError):
        train(configuration, dataset, tmp_path / "run", schedule, progress=stop_after(8))
    train(configuration, dataset, tmp_path / "run", schedule)
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "whole")
    assert timeless(tmp_path / "run") == timeless(tmp_path / "whole")

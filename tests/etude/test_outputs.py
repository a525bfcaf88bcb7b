"""What the commands write, where they refuse to, and what they advise."""

import json
import os
import pathlib
import shlex
import shutil
import signal
import time

import numpy as np
import pytest

from etude.commands.estimate import Estimate
from etude.commands.output_folder import KINDS, check_output, kind_of
from etude.models.errors import EtudeError
from etude.models.storage.lock import locked

BASIC = pathlib.Path(__file__).parents[1] / "testdata" / "magenta" / "basic_rnn" / "bundle.mag"
LOOKBACK = BASIC.parents[1] / "lookback_rnn" / "bundle.mag"


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


WRITERS = {
    "notes": ["convert", "tunes", "--output"],
    "dataset": ["dataset", "notes", "--output"],
    "run": ["train", "--config", "basic", "--dataset", "dataset", "--run-dir"],
    "melodies": ["generate", BASIC, "--num-outputs", 1, "--num-steps", 8, "--output"],
    "comparison": ["compare", "runs/basic", "--dataset", "dataset", "--output"],
    "study": ["study", "--output"],
}


@pytest.mark.parametrize("kind", WRITERS)
def test_no_command_writes_among_the_results_of_another(workshop, kind):
    name, held = ("dataset", "dataset") if kind == "notes" else ("notes", "notes")
    before = contents(workshop.folder / name)
    assert f"{name} holds {KINDS[held][0]}" in workshop(*WRITERS[kind], name, status=1).stderr
    assert contents(workshop.folder / name) == before


def test_what_folders_hold(workshop, tmp_path):
    made = {"notes": "notes", "dataset": "dataset", "run": "runs/basic"}
    for held, name in made.items():
        folder = workshop.folder / name
        assert kind_of(folder) == held
        check_output(folder, held)
        for kind in KINDS.keys() - {held}:
            with pytest.raises(EtudeError, match=f"{name} holds {KINDS[held][0]}"):
                check_output(folder, kind)
    check_output(tmp_path / "new", "run")
    check_output(workshop.folder / "tunes", "run")
    (tmp_path / "taken").write_text("")
    with pytest.raises(EtudeError, match="is a file"):
        check_output(tmp_path / "taken", "run")


def test_advised_commands_can_be_pasted(workshop):
    """Folders with spaces are quoted, folders that are taken are not advised, and the advice works."""
    done = workshop("convert", "tunes", "--output", "my notes")
    words = shlex.split(done.stderr.split("next: ")[1])
    assert words[1:] == ["dataset", "my notes", "--output", "dataset-2"]
    done = workshop("dataset", "my notes", "--output", "my; data")
    words = shlex.split(done.stderr.split("next: ")[1])
    assert words[1:] == ["train", "--config", "lookback", "--dataset", "my; data", "--run-dir", "runs/lookback-2"]
    done = workshop(*words[1:], "--num-steps", 1, "--hparams", "rnn_layer_sizes=[4]")
    words = shlex.split(done.stderr.split("next: ")[1])
    assert words[1:4] == ["generate", "runs/lookback-2", "--output"]
    assert not (workshop.folder / words[4]).exists()
    shutil.rmtree(workshop.folder / "runs" / "lookback-2")


def test_a_dataset_that_cannot_train_says_so(workshop):
    done = workshop("dataset", "notes", "--output", "all", "--eval-ratio", 0)
    assert "there is no eval split, which 'etude train' needs" in done.stderr
    assert "next:" not in done.stderr
    done = workshop("dataset", "notes", "--output", "up", "--transpose", 0, 1)
    assert "train --config mono --dataset up" in done.stderr


def test_a_split_that_cannot_be_made_is_not_advised(workshop):
    done = workshop("evaluate", "runs/basic", "--dataset", "dataset", "--split", "valid", status=1)
    assert "has no split 'valid', only train, eval; name one of these" in done.stderr
    assert "-ratio" not in done.stderr
    done = workshop("evaluate", "runs/basic", "--dataset", "dataset", "--split", "test", status=1)
    assert "--test-ratio 0.1" in done.stderr


def test_figures_of_a_model_that_cannot_be_written_to(workshop):
    """They were asked for, and TensorBoard's file was not."""
    shutil.copytree(workshop.folder / "runs" / "basic", workshop.folder / "kept")
    # Other tests may have evaluated the run.
    shutil.rmtree(workshop.folder / "kept" / "evaluate-eval", ignore_errors=True)
    (workshop.folder / "kept" / "evaluate-eval").write_text("in the way")
    done = workshop("evaluate", "kept", "--dataset", "dataset")
    assert "event loss" in done.stdout
    assert "the figures were not added to kept for TensorBoard: cannot write" in done.stderr


def test_a_different_result_gets_another_name(etude):
    words = [BASIC, "--output", "out", "--num-outputs", 2, "--num-steps", 24, "--seed", 1]
    etude("generate", *words)
    first = contents(etude.folder / "out")
    etude("generate", *words)
    assert contents(etude.folder / "out") == first
    done = etude("generate", *words, "--temperature", 2)
    assert (
        "has other melodies called basic-stochastic-seed1; the new ones are called basic-stochastic-seed1-v2-01.mid"
        in (done.stderr)
    )
    now = contents(etude.folder / "out")
    assert {name: now[name] for name in first if name.suffix == ".mid"} == {
        name: content for name, content in first.items() if name.suffix == ".mid"
    }
    lines = [json.loads(line) for line in now[pathlib.Path("generated.jsonl")].splitlines()]
    assert [line["temperature"] for line in lines] == [1, 1, 2, 2]
    assert len({line["file"] for line in lines}) == 4


def test_one_process_at_a_time(workshop):
    before = contents(workshop.folder / "runs" / "basic")
    for folder, kind in (("runs/basic", "run"), ("new report", "comparison")):
        with locked(workshop.folder / folder):
            assert "another process is writing" in workshop(*WRITERS[kind], folder, status=1).stderr
    assert contents(workshop.folder / "runs" / "basic") == before
    assert not (workshop.folder / "new report").exists()


def test_two_generate_at_once_into_one_folder(etude):
    """Writing takes turns; neither loses a line."""
    words = [BASIC, "--output", "out", "--num-outputs", 50, "--num-steps", 16, "--seed"]
    processes = [etude.start("generate", *words, seed) for seed in (1, 2)]
    assert [process.communicate(timeout=120)[1].count("50 melodies in out") for process in processes] == [1, 1]
    lines = [json.loads(line) for line in (etude.folder / "out" / "generated.jsonl").read_text().splitlines()]
    assert sorted(line["seed"] for line in lines) == [1] * 50 + [2] * 50
    assert {line["file"] for line in lines} == {path.name for path in (etude.folder / "out").glob("*.mid")}


def test_models_are_named_without_leading_out(etude):
    (etude.folder / "a" / "b").mkdir(parents=True)
    for name, bundle in (("a/one.mag", BASIC), ("a/b/two.mag", LOOKBACK)):
        shutil.copy(bundle, etude.folder / name)
    etude("generate", "a/b/../one.mag", "a/b/two.mag", "--output", "out", "--num-outputs", 1, "--num-steps", 8)
    assert sorted(path.name for path in (etude.folder / "out").iterdir()) == ["one", "two"]


@pytest.mark.parametrize("command", ["generate", "score", "compare", "evaluate"])
def test_weights_that_are_no_numbers_are_refused_by_name(workshop, command):
    from etude.models.storage.checkpoint import load_arrays, save_arrays
    from etude.models.storage.run_directory import RunDirectory, weight_shapes

    folder = workshop.folder / "broken"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(workshop.folder / "runs" / "basic", folder)
    run = RunDirectory(folder)
    arrays = load_arrays(run.best, {**weight_shapes(run.configuration()), "step": ()})
    broken = arrays["weights/output/kernel"].copy()
    broken[0, 0] = np.nan
    save_arrays(run.best, {**arrays, "weights/output/kernel": broken})
    words = {
        "generate": ["--output", "nothing"],
        "score": ["--events", "[60, 62]"],
        "compare": ["runs/lookback", "--dataset", "dataset", "--output", "nothing"],
        "evaluate": ["--dataset", "dataset"],
    }[command]
    done = workshop(command, "broken", *words, status=1)
    assert "broken: its weights output/kernel hold numbers that are none" in done.stderr
    assert done.stdout == ""
    assert not (workshop.folder / "nothing").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["generate", BASIC, "--num-outputs", 100_000, "--num-steps", 128, "--output", "out"],
            "run the same command again",
        ),
        (
            ["train", "--config", "basic", "--dataset", "dataset", "--run-dir", "runs/cut", "--num-steps", 9_000_000],
            "the same command goes on from the last checkpoint",
        ),
    ],
)
def test_what_is_said_after_ctrl_c(workshop, words, message):
    process = workshop.start(*words)
    time.sleep(10)
    os.kill(process.pid, signal.SIGINT)
    try:
        _, messages = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, messages
    assert message in messages
    assert "goes on where" not in messages


def test_the_estimate_of_training():
    """At two seconds a step, after a first one that takes a minute."""
    now = 0.0
    told, said = [], []
    estimate = Estimate(lambda done, total, note="": told.append((done, total, note)), said.append, lambda: now)
    for step in range(1, 101):
        now += 60 if step == 1 else 2
        estimate(step, 100, "a note")
    assert told == [(step, 100, "a note") for step in range(1, 101)]
    assert said == ["about 3:08 for the 94 steps that are left, at 2 s a step"]

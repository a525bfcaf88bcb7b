"""The command line: help, errors, exit statuses."""

import subprocess
import sys

import pytest

from etude import load
from etude.command_line import COMMANDS
from etude.models.dataset import read_description


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command):
    """Help has to be instant, so it may import no TensorFlow, Beam, note-seq or NumPy."""
    code = (
        "import sys; from etude.command_line import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'tensorflow', 'apache_beam', 'note_seq', 'numpy', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    words = [command, "--help"] if command else ["--help"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: etude" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command, etude):
    assert f"  etude {command} " in etude(command, "--help").stdout


def test_hyperparameters_are_listed(etude):
    """With the defaults of the family that is named."""
    listed = etude("train", "--list-hparams", "attention").stdout
    assert "  attn_length=40 " in listed
    assert "  clip_norm=3.0 " in listed
    assert "adam, rmsprop or adagrad" in listed
    assert "order=5" in etude("train", "--list-hparams", "ngram").stdout
    assert "choose one of: basic" in etude("train", "--list-hparams", "nope", status=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frobnicate"], "there is no command 'frobnicate'; the commands are: convert"),
        (["train", "--config", "basic"], "required"),
        (["train", "--config", "nope", "--dataset", "d", "--run-dir", "r"], "basic, lookback, attention, mono"),
        (
            ["train", "--config", "basic", "--dataset", "d", "--run-dir", "r", "--hparams", "foo=1"],
            "rnn_layer_sizes=[128,128]",
        ),
        (
            ["train", "--config", "basic", "--dataset", "d", "--run-dir", "r", "--hparams", "batch_size=many"],
            "batch_size",
        ),
        (["train", "--config", "basic", "--dataset", "d", "--run-dir", "r", "--num-steps", "0"], "--num-steps"),
        (["generate", "m", "--output", "o", "--qpm", "nan"], "--qpm"),
        (["score", "m"], "--events"),
        (["generate", "m", "--output", "o", "--", "--runner", "x"], "after --"),
        (["dataset", "n", "--output", "d", "--transpose", "up"], "--transpose"),
        (["dataset", "n", "--output", "d", "--polyphony", "loud"], "loud"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(etude, words, message):
    assert message in etude(*words, status=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["genrate", "m"], "there is no command 'genrate'; did you mean 'generate'?"),
        (["generate", "m", "--output", "o", "--temprature", 1], "option '--temprature'; did you mean '--temperature'?"),
        (["compare", "m", "--dataset", "d", "--ouptut=o", "--output", "o"], "'--ouptut'; did you mean '--output'?"),
        (["train", "--config", "lokback", "--dataset", "d", "--run-dir", "r"], "did you mean 'lookback'?"),
        (
            ["train", "--config", "basic", "--dataset", "d", "--run-dir", "r", "--hparams", "batchsize=1"],
            "did you mean 'batch_size'?",
        ),
        (["train", "extra", "--config", "basic", "--dataset", "d", "--run-dir", "r"], "argument 'extra'"),
    ],
)
def test_what_is_misspelt_is_guessed(etude, words, message):
    assert message in etude(*words, status=2).stderr


def test_a_study_that_is_misspelt(etude):
    assert "did you mean 'published'?" in etude("study", "publishd", "--output", "o", status=1).stderr


def test_arguments_may_stand_anywhere(workshop):
    """Before, between and after the options, with the same result."""
    events = "[60, -2, 62, -2]"
    orders = (
        ["runs/basic", "tunes/tune00.mid", "--no-squash", "--events", events],
        ["--no-squash", "runs/basic", "--events", events, "tunes/tune00.mid"],
        ["runs/basic", "--no-squash", "tunes/tune00.mid", "--events", events],
    )
    results = {workshop("score", *words).stdout for words in orders}
    assert len(results) == 1
    assert len(results.pop().splitlines()) == 2
    converted = [["tunes/tune00.mid", "--output", "first", "tunes/tune01.mid"]]
    converted.append(["--output", "second", "tunes/tune00.mid", "tunes/tune01.mid"])
    for words in converted:
        workshop("convert", *words)
    manifests = [(workshop.folder / name / "manifest.jsonl").read_bytes() for name in ("first", "second")]
    assert manifests[0] == manifests[1]
    assert manifests[0].count(b"tune0") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generate", "m", "--output", "o", "--temperature", "1000"], "--temperature must be from 0.01 to 10"),
        (["generate", "m", "--output", "o", "--num-outputs", 10**9], "--num-outputs must be from 1 to 1000000"),
        (["generate", "m", "--output", "o", "--num-outputs", 10**6], "would fill the memory"),
        (["generate", "m", "--output", "o", "--min-pitch", "9" * 5000], "a pitch is"),
        (["generate", "m", "--output", "o", "--primer-melody", "9" * 5000], "neither an event nor a note"),
        (["train", "--config", "basic", "--dataset", "d", "--run-dir", "r", "--num-steps", 10**9], "99999999"),
        (
            ["train", "--config", "basic", "--dataset", "d", "--run-dir", "r", "--hparams", "attn_length=99999"],
            "attn_length must be from 0 to 4096",
        ),
        (["dataset", "n", "--output", "d", "--gap-bars", "inf"], "--gap-bars must be from 0 to 1000000, not inf"),
        (["dataset", "n", "--output", "d", "--min-bars", "nan"], "--min-bars must be from 0 to"),
        (["dataset", "n", "--output", "d", "--steps-per-quarter", 0], "--steps-per-quarter must be from 1"),
        (["dataset", "n", "--output", "d", "--max-steps", 10**30], "--max-steps must be from 0"),
        (["dataset", "n", "--output", "d", "--transpose", 0, 10**30], "--transpose: a whole number from -127 to 127"),
        (["dataset", "n", "--output", "d", "--eval-ratio", "nan"], "--eval-ratio must be"),
        (["convert", "n", "--output", "d", "--workers", 0], "--workers: a whole number from 1"),
        (["study", "--output", "d", "--parallel", "-1"], "--parallel: a whole number from 1"),
    ],
)
def test_numbers_have_ranges(etude, words, message):
    assert message in etude(*words, status=2).stderr


def test_workers_are_capped_and_said_to_be(etude):
    (etude.folder / "empty").mkdir()
    done = etude("convert", "empty", "--output", "notes", "--workers", 100_000, status=1)
    assert "--workers 100000: this machine has" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["convert", "nowhere", "--output", "notes"], "nowhere does not exist"),
        (["dataset", "nowhere", "--output", "dataset"], "nowhere"),
        (["train", "--config", "basic", "--dataset", "nowhere", "--run-dir", "r"], "etude dataset"),
        (["evaluate", "nowhere", "--dataset", "d"], "nowhere"),
        (["score", "nowhere", "--events", "[60]"], "nowhere"),
        (["generate", "nowhere", "--output", "o"], "nowhere"),
        (["compare", "nowhere", "--dataset", "d", "--output", "o"], "d"),
        (["study", "nowhere.toml", "--output", "o"], "nowhere.toml"),
    ],
)
def test_missing_input_exits_with_1_and_names_it(etude, words, message):
    assert message in etude(*words, status=1).stderr


def test_an_empty_folder_and_a_folder_without_music(etude):
    (etude.folder / "empty").mkdir()
    assert ".mid" in etude("convert", "empty", "--output", "notes", status=1).stderr


def test_a_batch_larger_than_the_data_is_made_smaller_and_said(workshop):
    words = ["--config", "basic", "--dataset", "dataset", "--run-dir", "runs/big", "--num-steps", 2]
    done = workshop("train", *words, "--hparams", "rnn_layer_sizes=[8]")
    description = read_description(workshop.folder / "dataset")
    size = next(split.num_melodies for split in description.splits if split.name == "train")
    assert (
        f"batch_size=128 is more than the train split of dataset has: all its {size} melodies make one" in done.stderr
    )
    assert load(workshop.folder / "runs" / "big").configuration.hyperparameters.batch_size == size
    workshop("train", *words, "--hparams", "rnn_layer_sizes=[8]")  # and resumes


def test_a_run_directory_of_another_configuration(workshop):
    done = workshop(
        "train", "--config", "lookback", "--dataset", "dataset", "--run-dir", "runs/basic", "--hparams", "batch_size=8",
        status=1,
    )  # fmt: skip
    assert "config=basic instead of lookback" in done.stderr


def test_an_output_that_cannot_be_written(workshop):
    (workshop.folder / "taken").write_text("a file")
    done = workshop("generate", "runs/basic", "--output", "taken/melodies", "--num-outputs", 1, status=1)
    assert "cannot write" in done.stderr

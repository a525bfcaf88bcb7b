"""The command line: help, errors, exit statuses."""

import subprocess
import sys

import pytest

from etude.command_line import COMMANDS


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


def test_a_batch_larger_than_the_data(workshop):
    done = workshop("train", "--config", "basic", "--dataset", "dataset", "--run-dir", "runs/big", status=1)
    assert "batch_size=128 is larger than the train split" in done.stderr
    assert not (workshop.folder / "runs" / "big").exists()


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

"""The commands, run as a user runs them, on tunes made up for the purpose."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import melody_music
from tests.interrupts import heeding_interrupts

SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72])


def tune(number: int) -> np.ndarray:
    """Eight bars of quavers in C, wandering about the scale; the same for the same number."""
    random = np.random.default_rng(number)
    degrees = np.clip(np.cumsum(random.integers(-2, 3, 64)) % 8, 0, 7)
    events = np.full(128, -2)
    events[::2] = SCALE[degrees]
    return events


class Etude:
    """Runs `etude` in a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def __call__(self, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a command and checks its exit status."""
        done = self.start(*words)
        output, messages = done.communicate(timeout=300)
        assert done.returncode == status, f"etude {' '.join(map(str, words))}\n{output}\n{messages}"
        assert "Traceback" not in messages
        return subprocess.CompletedProcess(words, done.returncode, output, messages)

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Starts a command."""
        with heeding_interrupts():
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "etude", *map(str, words)],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )


@pytest.fixture
def etude(tmp_path):
    """`etude` in an empty folder."""
    return Etude(tmp_path)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    """A folder with forty tunes, their dataset, and a trained run each of basic and lookback."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "tunes").mkdir()
    for number in range(40):
        (folder / "tunes" / f"tune{number:02}.mid").write_bytes(
            to_midi(melody_music(tune(number), steps_per_quarter=4, steps_per_bar=16))
        )
    run = Etude(folder)
    run("convert", "tunes", "--output", "notes")
    run("dataset", "notes", "--output", "dataset", "--eval-ratio", "0.2")
    small = "batch_size=8,rnn_layer_sizes=[8]"
    for config in ("basic", "lookback"):
        run(
            "train", "--config", config, "--dataset", "dataset", "--run-dir", f"runs/{config}", "--num-steps", 12,
            "--eval-every", 6, "--hparams", small,
        )  # fmt: skip
    return run

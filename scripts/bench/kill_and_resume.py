"""Kills commands at random moments, runs them again, and compares with an undisturbed run.

Example:
  python -m scripts.bench.kill_and_resume --kills 5

Every command is run once undisturbed. Then, for each kill, it is started in an empty folder, killed with SIGKILL after a
random share of that time, and started again until it ends. convert and dataset must give the same bytes; train and study
the same weights and figures. No half-written file may carry the name of a whole one.
"""

import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

SMALL = "batch_size=32,rnn_layer_sizes=[32]"
STUDY = """
title = "A small study"
sources = ["{source}"]
num_steps = 40
eval_every = 10

[hparams]
batch_size = 32
rnn_layer_sizes = [32]

[configurations.basic]
[configurations.attention]
hparams = {{ attn_length = 8 }}

[generate]
num_outputs = 3
num_steps = 64
"""

TIMES = ("wall_time", "events_per_second")


def main() -> int:
    """Runs the experiment; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="kills of each command (default 5)")
    parser.add_argument("--source", default="corpus:ryansMammoth", help="what convert reads")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    random.seed(options.seed)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        convert = ["convert", options.source, "--output", "notes"]
        dataset = ["dataset", "../notes", "--output", "dataset"]
        train = ["train", "--config", "lookback", "--dataset", "../dataset", "--run-dir", "run"]
        train += ["--num-steps", "60", "--eval-every", "10", "--hparams", SMALL]
        (home / "study.toml").write_text(STUDY.format(source=options.source))
        study = ["study", "../study.toml", "--output", "study"]
        for command, digest in (
            (convert, folder_bytes),
            (dataset, folder_bytes),
            (train, run_figures),
            (study, study_figures),
        ):
            failures += experiment(home, command, digest, options.kills)
    return 1 if failures else 0


def experiment(home: pathlib.Path, command: Sequence[str], digest: Callable[[pathlib.Path], str], kills: int) -> int:
    """Kills one command `kills` times; returns how often the result differed."""
    undisturbed = home / "undisturbed"
    undisturbed.mkdir()
    start = time.monotonic()
    subprocess.run(line(command), cwd=undisturbed, check=True, capture_output=True)
    seconds = time.monotonic() - start
    wanted = digest(undisturbed)
    for product in ("notes", "dataset"):
        if (undisturbed / product).is_dir():
            shutil.copytree(undisturbed / product, home / product)
    failures = 0
    for number in range(kills):
        folder = home / f"killed-{number}"
        folder.mkdir()
        moment = random.uniform(0.1, 0.95) * seconds
        process = subprocess.Popen(
            line(command), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(moment)
        was_running = process.poll() is None
        if was_running:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        again = subprocess.run(line(command), cwd=folder, check=False, capture_output=True, text=True)
        is_same = again.returncode == 0 and digest(folder) == wanted
        failures += not is_same
        state = "killed" if was_running else "had ended"
        print(f"{command[0]}: {state} after {moment:.1f} of {seconds:.1f} s: {'same' if is_same else 'DIFFERENT'}")
        if not is_same:
            print(again.stderr[-2000:])
        shutil.rmtree(folder)
    shutil.rmtree(undisturbed)
    return failures


def line(command: Sequence[str]) -> list[str]:
    """The command line of an etude command."""
    return [sys.executable, "-P", "-m", "etude", *command]


def folder_bytes(folder: pathlib.Path) -> str:
    """A digest of every file that is not hidden, by name and bytes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def run_figures(folder: pathlib.Path) -> str:
    """A digest of the weights and figures of every run in a folder, times aside."""
    digest = hashlib.sha256()
    for metrics in sorted(folder.rglob("metrics.jsonl")):
        for text in metrics.read_text().splitlines():
            figures = json.loads(text)
            for name in TIMES:
                figures.pop(name, None)
            digest.update(json.dumps(figures).encode())
        last = max((metrics.parent / "checkpoints").glob("step-*.npz"))
        digest.update(last.name.encode() + last.read_bytes())
        digest.update((metrics.parent / "checkpoints" / "best.npz").read_bytes())
    return digest.hexdigest()


def study_figures(folder: pathlib.Path) -> str:
    """A digest of the runs, melodies and results of a study."""
    digest = hashlib.sha256(run_figures(folder).encode())
    for path in sorted((folder / "study" / "generated").rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    results: dict[str, Any] = json.loads((folder / "study" / "results.json").read_text())
    digest.update(json.dumps(results).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())

"""Tries every command that writes under every mishap, and prints a table of what becomes of it.

Usage: python -P -m scripts.bench.outcomes [--commands convert,train] [--mishaps kill,full] [--times 3] [--seed 0]

Every command is run once undisturbed, on tunes made up for the purpose. Then for each mishap:

  kill       SIGKILL to the command and all it started, at a random moment; then the same command again
  interrupt  SIGINT, as Ctrl-C gives it, at a random moment; it has to exit with 130 and no traceback; then again
  full       no file may grow beyond a size that the command needs (RLIMIT_FSIZE); exit 1, a message, nothing half-written
  read-only  in a folder that is mounted read-only; exit 1 and a message. Needs root, and `unshare`
  twice      two at once in one folder; one does the work, and the other one waits, is refused or gives the same

After all of them the same command, run again in the same folder, has to end with the figures of the undisturbed run, and
no file may be half-written or left over. A cell says "same", and what was observed on the way, or what went wrong.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import numpy as np

from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import melody_music

ROOT = pathlib.Path(__file__).parents[2]
READ_ONLY = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"',
    "sh",
]
TIMES = ("wall_time", "events_per_second", "time_created_secs")
STUDY = """
title = "A small study"
sources = ["../tunes"]
num_steps = 12
eval_every = 6
[dataset]
eval_ratio = 0.2
[hparams]
batch_size = 8
rnn_layer_sizes = [8]
[configurations.basic]
[configurations.lookback]
[generate]
num_outputs = 2
num_steps = 32
"""
SMALL = ["--num-steps", "30", "--eval-every", "10", "--hparams", "batch_size=8,rnn_layer_sizes=[16]"]

COMMANDS: dict[str, list[str]] = {
    "convert": ["convert", "../tunes", "--output", "out"],
    "dataset": ["dataset", "../notes", "--output", "out", "--eval-ratio", "0.2"],
    "train": ["train", "--config", "lookback", "--dataset", "../dataset", "--run-dir", "out", *SMALL],
    "evaluate": ["evaluate", "../run", "--dataset", "../dataset", "--json", "out/figures.json"],
    "generate": ["generate", "../run", "--output", "out", "--seed", "1", "--num-outputs", "400", "--abc"],
    "compare": ["compare", "../run", "--dataset", "../dataset", "--output", "out"],
    "study": ["study", "../study.toml", "--output", "out"],
}


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
      status: its exit status; negative for a signal.
      messages: its standard error.
    """

    status: int
    messages: str


def main() -> int:
    """Runs all and prints the table; returns 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--mishaps", default=",".join(MISHAPS))
    parser.add_argument("--times", type=int, default=3, help="kills and interruptions of each command (default 3)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    random.seed(options.seed)
    mishaps = options.mishaps.split(",")
    failed = False
    print(f"| command | {' | '.join(mishaps)} |\n|---|{'---|' * len(mishaps)}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        home.chmod(0o755)
        prepare(home)
        for command in options.commands.split(","):
            bench = Bench(home, command, options.times)
            cells = [bench.outcome(mishap) for mishap in mishaps]
            failed |= any(cell.startswith("WRONG") for cell in cells)
            print(f"| {command} | {' | '.join(cells)} |", flush=True)
    return 1 if failed else 0


def prepare(home: pathlib.Path) -> None:
    """Tunes, and what the commands take of the commands before them."""
    (home / "tunes").mkdir()
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72])
    for number in range(60):
        chooser = np.random.default_rng(number)
        events = np.full(128, -2)
        events[::2] = scale[np.clip(np.cumsum(chooser.integers(-2, 3, 64)) % 8, 0, 7)]
        (home / "tunes" / f"tune{number:02}.mid").write_bytes(
            to_midi(melody_music(events, steps_per_quarter=4, steps_per_bar=16))
        )
    (home / "study.toml").write_text(STUDY)
    (home / "first").mkdir()
    for words in (
        ["convert", "../tunes", "--output", "../notes"],
        ["dataset", "../notes", "--output", "../dataset", "--eval-ratio", "0.2"],
        ["train", "--config", "lookback", "--dataset", "../dataset", "--run-dir", "../run", *SMALL],
    ):
        subprocess.run(line(words), cwd=home / "first", env=environment(), check=True, capture_output=True)


class Bench:
    """One command, and what its undisturbed run gave and took."""

    def __init__(self, home: pathlib.Path, command: str, times: int) -> None:
        """Runs the command once.

        Args:
          home: the folder with what the commands take.
          command: one of `COMMANDS`.
          times: kills and interruptions.
        """
        self.home = home
        self.command = command
        self.times = times
        folder = self._folder("undisturbed")
        start = time.monotonic()
        ended = self.run(folder)
        self.seconds = time.monotonic() - start
        if ended.status:
            raise SystemExit(f"{command} does not even run undisturbed:\n{ended.messages}")
        self.wanted = figures(folder)
        self.largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def outcome(self, mishap: str) -> str:
        """The cell of the table."""
        try:
            return MISHAPS[mishap](self)
        except WrongError as error:
            return f"WRONG: {error}"
        finally:
            shutil.rmtree(self.home / f"{self.command}-{mishap}", ignore_errors=True)

    def kill(self) -> str:
        """SIGKILL at random moments, each in a folder of its own."""
        return self._disturb("kill", signal.SIGKILL)

    def interrupt(self) -> str:
        """SIGINT at random moments."""
        return self._disturb("interrupt", signal.SIGINT)

    def full(self) -> str:
        """No file beyond a half, and beyond an eighth, of the largest."""
        folder = self._folder("full")
        seen = set()
        for share in (2, 8):
            ended = self.run(folder, most_bytes=max(1, self.largest // share))
            if ended.status not in (0, 1) or _is_fault(ended):
                raise WrongError(f"exit {ended.status}: {ended.messages[-300:]}")
            if ended.status and "cannot write" not in ended.messages and "cannot" not in ended.messages:
                raise WrongError(f"no word of what cannot be written: {ended.messages[-300:]}")
            self._check_whole(folder)
            seen.add(ended.status)
        self._again(folder)
        return f"same (exit {', '.join(map(str, sorted(seen)))})"

    def read_only(self) -> str:
        """Where nothing may be written."""
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
            return "not tried: needs root"
        folder = self._folder("read-only")
        ended = self.run(folder, before=READ_ONLY)
        if ended.status != 1 or _is_fault(ended):
            raise WrongError(f"exit {ended.status}: {ended.messages[-300:]}")
        self._again(folder)
        return "same (exit 1)"

    def twice(self) -> str:
        """Two at once."""
        folder = self._folder("twice")
        processes = [self.start(folder) for _ in range(2)]
        ends = [self._wait(process) for process in processes]
        statuses = sorted(ended.status for ended in ends)
        if any(_is_fault(ended) for ended in ends) or statuses[0] != 0 or statuses[1] not in (0, 1):
            raise WrongError(f"exits {statuses}: {[ended.messages[-300:] for ended in ends]}")
        refused = [ended for ended in ends if ended.status]
        if refused and "another process" not in refused[0].messages:
            raise WrongError(f"refused with {refused[0].messages[-300:]}")
        self._again(folder)
        return f"same ({'one refused' if refused else 'both ended well'})"

    def _disturb(self, mishap: str, number: signal.Signals) -> str:
        hits = 0
        for time_number in range(self.times):
            folder = self._folder(mishap)
            process = self.start(folder)
            moment = (time_number + random.uniform(0.2, 0.95)) / self.times * self.seconds
            time.sleep(moment)
            if process.poll() is None:
                hits += 1
                if number == signal.SIGKILL:
                    os.killpg(process.pid, number)
                else:
                    process.send_signal(number)
            ended = self._wait(process)
            if number == signal.SIGINT and (ended.status not in (0, 130) or _is_fault(ended)):
                raise WrongError(f"after {moment:.1f} s: exit {ended.status}: {ended.messages[-300:]}")
            self._check_whole(folder, partial_files=number == signal.SIGKILL)
            self._again(folder)
        return f"same ({hits} of {self.times} hit it)"

    def _again(self, folder: pathlib.Path) -> None:
        ended = self.run(folder)
        if ended.status:
            raise WrongError(f"again: exit {ended.status}: {ended.messages[-300:]}")
        self._check_whole(folder)
        if figures(folder) != self.wanted:
            differing = [
                name for name in figures(folder) | self.wanted if figures(folder).get(name) != self.wanted.get(name)
            ]
            raise WrongError(f"again: other results: {', '.join(differing[:5])}")

    def _check_whole(self, folder: pathlib.Path, partial_files: bool = False) -> None:
        """No hidden part of a file is left but by a killed process, and JSON can be read."""
        for path in folder.rglob("*"):
            if path.name.endswith(".part") and not partial_files:
                raise WrongError(f"{path.relative_to(folder)} is left over")
            if path.suffix == ".json" and not path.name.startswith("."):
                json.loads(path.read_text())

    def run(self, folder: pathlib.Path, most_bytes: int | None = None, before: Sequence[str] = ()) -> Ended:
        """Runs the command to its end."""
        return self._wait(self.start(folder, most_bytes, before))

    def start(
        self, folder: pathlib.Path, most_bytes: int | None = None, before: Sequence[str] = ()
    ) -> "subprocess.Popen[str]":
        """Starts the command in a folder."""

        def prepare() -> None:
            if most_bytes is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        return subprocess.Popen(
            [*before, *line(COMMANDS[self.command])],
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=prepare,
        )

    def _wait(self, process: "subprocess.Popen[str]") -> Ended:
        try:
            _, messages = process.communicate(timeout=60 + 10 * getattr(self, "seconds", 60))
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise WrongError("it hangs") from error
        return Ended(process.returncode, messages)

    def _folder(self, name: str) -> pathlib.Path:
        folder = self.home / f"{self.command}-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


class WrongError(Exception):
    """What must not happen; the message says what did."""


def _is_fault(ended: Ended) -> bool:
    return "Traceback" in ended.messages or "fault of etude" in ended.messages


def figures(folder: pathlib.Path) -> dict[str, str]:
    """What a command left that has to be the same, by file: all but times and TensorBoard's events."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if (
            not path.is_file()
            or "tfevents" in name
            or any(part.startswith(".") for part in path.relative_to(folder).parts)
        ):
            continue
        if path.name == "metrics.jsonl":
            lines = [json.loads(text) for text in path.read_text().splitlines()]
            found[name] = json.dumps(
                [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
            )
        elif path.suffix != ".html":
            found[name] = path.read_bytes().hex()
        else:
            found[name] = ""
    return found


def line(words: Sequence[str]) -> list[str]:
    """The command line of an etude command."""
    return [sys.executable, "-P", "-m", "etude", *words]


def environment() -> dict[str, str]:
    """The environment of a command."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


MISHAPS: dict[str, Callable[[Bench], str]] = {
    "kill": Bench.kill,
    "interrupt": Bench.interrupt,
    "full": Bench.full,
    "read-only": Bench.read_only,
    "twice": Bench.twice,
}

if __name__ == "__main__":
    sys.exit(main())

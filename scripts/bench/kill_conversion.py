"""Kills a conversion ten times at random moments, the job or one of its workers by turns, and compares the bytes.

Usage: python -P scripts/bench/kill_conversion.py FOLDER [--kills 10] [--workers 2]

The same command is given again after every kill, in the same output folder, until it ends by itself. No file may ever be
seen that is not whole.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
MOST_SECONDS = 120
"""A killed job that has not ended by then hangs."""


def main() -> int:
    """Runs the experiment; returns 1 if anything differs or hangs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    chooser = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        if _start(options.folder, home / "undisturbed", options.workers).wait():
            return 1
        expected = _contents(home / "undisturbed")
        started = time.monotonic()
        if _start(options.folder, home / "timed", options.workers).wait():
            return 1
        seconds = time.monotonic() - started
        for kill in range(options.kills):
            process = _start(options.folder, home / "killed", options.workers)
            time.sleep(chooser.uniform(0, seconds))
            workers = _workers(process.pid)
            kills_worker = bool(kill % 2 and workers)
            if process.poll() is None:
                os.kill(chooser.choice(workers) if kills_worker else process.pid, signal.SIGKILL)
            try:
                code = process.wait(MOST_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"kill {kill + 1}: the job hangs")
                process.kill()
                return 1
            what = "a worker" if kills_worker else "the job"
            visible = _contents(home / "killed")
            print(f"kill {kill + 1}: {what}, exit {code}, {len(visible)} of {len(expected)} files", flush=True)
            if code and any(visible[name] != expected[name] for name in visible):
                print("A FILE IS HALF WRITTEN")
                return 1
            if not code:
                shutil.rmtree(home / "killed")
        if _start(options.folder, home / "killed", options.workers).wait():
            return 1
        same = _contents(home / "killed") == expected
        print("the bytes are the same" if same else "THE BYTES DIFFER")
        return 0 if same else 1


def _start(folder: pathlib.Path, output: pathlib.Path, workers: int) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-P", "-m", "etude", "convert", str(folder), "--output", str(output)]
    silence = subprocess.DEVNULL
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*line, "--workers", str(workers)], env=environment, stdout=silence, stderr=silence)


def _workers(root: int) -> list[int]:
    """The processes of Beam's workers that a process started."""
    found = []
    pids = [root]
    while pids:
        pid = pids.pop()
        try:
            if b"worker.py" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, children.read_text().split())
        except OSError:
            continue
    return found


def _contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file that a user sees, by name."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


if __name__ == "__main__":
    sys.exit(main())

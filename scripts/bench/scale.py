"""Converts a folder and many copies of it, and extracts the melodies of both: time a file and peak memory.

Usage: python -P scripts/bench/scale.py FOLDER [--times 50] [--workers 1]

Memory is that of the largest process of the command, start-up included.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]


def main() -> None:
    """Runs both sizes and prints a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=50, help="copies (default 50)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        for copies in (1, options.times):
            music = home / f"music{copies}"
            for number in range(copies):
                shutil.copytree(options.folder, music / f"{number:03d}")
            num_files = sum(1 for path in music.rglob("*") if path.is_file())
            notes, dataset = home / f"notes{copies}", home / f"dataset{copies}"
            _measure("convert", num_files, [music, "--output", notes, "--workers", options.workers])
            _measure("dataset", num_files, [notes, "--output", dataset, "--workers", options.workers])


def _measure(command: str, num_files: int, arguments: list[object]) -> None:
    line = [sys.executable, "-P", "-m", "etude", command, *map(str, arguments)]
    started = time.monotonic()
    process = subprocess.Popen(line, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _largest_process(process.pid))
        time.sleep(0.1)
    seconds = time.monotonic() - started
    if process.returncode:
        raise SystemExit(f"etude {command} ended with {process.returncode}")
    print(
        f"{command} {num_files:,} files: {seconds:.1f} s, {seconds / num_files * 1e3:.2f} ms a file, "
        f"peak memory {peak / 1024:,.0f} MB",
        flush=True,
    )


def _largest_process(root: int) -> int:
    """The largest peak memory, in kB, of a process and those that it started."""
    peak = 0
    pids = [root]
    while pids:
        pid = pids.pop()
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            # Each thread has children of its own.
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, children.read_text().split())
        except OSError:
            continue
        line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
        peak = max(peak, int(line.split()[1]))
    return peak


if __name__ == "__main__":
    main()

"""Converts a folder and many copies of it, and extracts the melodies of both: time a file and peak memory.

Usage: python -P scripts/bench/scale.py FOLDER [--times 50] [--workers 1]

Memory is that of the largest process of the command, start-up included; memory a file is what each file beyond those of
the folder adds to it. The copies lie in folders of their own, and share their contents.
"""

import argparse
import dataclasses
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
      num_files: music files.
      cpu: seconds of all processes.
      wall: seconds from start to end.
      peak: the largest process's memory at its most, in kB.
    """

    num_files: int
    cpu: float
    wall: float
    peak: int

    def beside(self, batch: "Cost") -> str:
        """This, beside the cost of one batch."""
        time_a_file = (self.cpu / self.num_files) / (batch.cpu / batch.num_files)
        return f"{time_a_file:.2f} times the time a file, {self.memory_a_file(batch):.1f} kB of memory a file"

    def memory_a_file(self, batch: "Cost") -> float:
        """The kB of memory that each file beyond those of one batch adds."""
        return (self.peak - batch.peak) / (self.num_files - batch.num_files)


def main() -> None:
    """Runs both sizes and prints a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=50, help="copies (default 50)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        costs: dict[str, list[Cost]] = {"convert": [], "dataset": []}
        for copies in (1, options.times):
            music = home / f"music{copies}"
            for number in range(copies):
                shutil.copytree(options.folder, music / f"{number:03d}")
            num_files = sum(1 for path in music.rglob("*") if path.is_file())
            notes, dataset = home / f"notes{copies}", home / f"dataset{copies}"
            workers = ["--workers", options.workers]
            costs["convert"].append(_measure("convert", num_files, [music, "--output", notes, *workers]))
            costs["dataset"].append(_measure("dataset", num_files, [notes, "--output", dataset, *workers]))
    for command, (batch, many) in costs.items():
        print(f"{command}, {options.times} times as many files: {many.beside(batch)}")


def _measure(command: str, num_files: int, arguments: list[object]) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, "-P", "-m", "etude", command, *map(str, arguments)]
    started = time.monotonic()
    process = subprocess.Popen(line, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _largest_process(process.pid))
        time.sleep(0.1)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"etude {command} ended with {process.returncode}")
    cost = Cost(num_files, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, seconds, peak)
    print(
        f"{command} {num_files:,} files: {cost.wall:.1f} s, {cost.cpu:.1f} s of CPU, "
        f"{cost.cpu / num_files * 1e3:.2f} ms of CPU a file, peak memory {peak / 1024:,.0f} MB",
        flush=True,
    )
    return cost


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

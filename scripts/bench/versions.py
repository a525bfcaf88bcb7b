"""Times `etude convert` and `etude dataset` of one version beside those of another, in turns.

Usage: python -P scripts/bench/versions.py SOURCE --old ETUDE [--new ETUDE] [--rounds 5] [--workers 1]

SOURCE is what `etude convert` takes. Each ETUDE is the command of a version in its own environment, such as
../old/.venv/bin/etude; the new one is by default that of this environment. Start-up counts. CPU seconds are those of the
command and of all processes that it started. A machine that slows down slows both, so the medians' ratios are what to
look at; the smallest and the largest ratio of a round say how far to trust them.
"""

import argparse
import dataclasses
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
      cpu: seconds of all its processes.
      wall: seconds from its start to its end.
    """

    cpu: float
    wall: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu + other.cpu, self.wall + other.wall)


COMMANDS = ("convert", "dataset")


def main() -> None:
    """Runs both versions in turns and prints medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="what etude convert takes")
    parser.add_argument("--old", required=True, metavar="ETUDE", help="the command of the old version")
    parser.add_argument("--new", default=str(pathlib.Path(sys.executable).with_name("etude")), metavar="ETUDE")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default 5)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    versions = {"old": options.old, "new": options.new}
    costs: dict[str, dict[str, list[Cost]]] = {name: {command: [] for command in COMMANDS} for name in versions}
    for number in range(options.rounds):
        # Each goes first in turn.
        for name in sorted(versions, reverse=number % 2 == 0):
            for command, cost in _measure(versions[name], options.source, options.workers).items():
                costs[name][command].append(cost)
            total = sum((costs[name][command][-1] for command in COMMANDS), Cost(0, 0))
            print(f"{name}: {total.cpu:.2f} s of CPU, {total.wall:.2f} s", file=sys.stderr, flush=True)
    _report(costs)


def _measure(etude: str, source: str, workers: int) -> dict[str, Cost]:
    """One run of both commands, in an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        notes, dataset = f"{name}/notes", f"{name}/dataset"
        number = ("--workers", str(workers))
        return {
            "convert": _run(etude, "convert", source, "--output", notes, *number),
            "dataset": _run(etude, "dataset", notes, "--output", dataset, *number),
        }


def _run(etude: str, *words: str) -> Cost:
    command = shutil.which(etude)
    if command is None:
        raise SystemExit(f"{etude} is no command")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    result = subprocess.run([command, *words], capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        raise SystemExit(f"{etude} {' '.join(words)} ended with {result.returncode}:\n{result.stderr[-2000:]}")
    return Cost(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall)


def _report(costs: dict[str, dict[str, list[Cost]]]) -> None:
    print(
        f"{'':10} {'old CPU':>9} {'new CPU':>9} {'ratio':>6}  {'of rounds':14} {'old s':>7} {'new s':>7} {'ratio':>6}"
    )
    together = {
        name: [sum(turn, Cost(0, 0)) for turn in zip(*commands.values(), strict=True)]
        for name, commands in costs.items()
    }
    rows = {command: (costs["old"][command], costs["new"][command]) for command in COMMANDS}
    for command, (old, new) in {**rows, "together": (together["old"], together["new"])}.items():
        cpu = [statistics.median(cost.cpu for cost in turns) for turns in (old, new)]
        wall = [statistics.median(cost.wall for cost in turns) for turns in (old, new)]
        ratios = [mine.cpu / theirs.cpu for theirs, mine in zip(old, new, strict=True)]
        print(
            f"{command:10} {cpu[0]:9.2f} {cpu[1]:9.2f} {cpu[1] / cpu[0]:6.2f}  {min(ratios):5.2f} to {max(ratios):5.2f} "
            f"{wall[0]:7.2f} {wall[1]:7.2f} {wall[1] / wall[0]:6.2f}"
        )


if __name__ == "__main__":
    main()

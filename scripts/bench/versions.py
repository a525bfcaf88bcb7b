"""Times `etude convert` and `etude dataset` of some versions beside those of another, in turns.

Usage: python -P scripts/bench/versions.py SOURCE ETUDE ETUDE... [--rounds 5] [--workers 1]

SOURCE is what `etude convert` takes. Each ETUDE is the command of a version in its own environment, such as
../old/.venv/bin/etude; ratios are those to the first of them. Start-up counts. CPU seconds are those of the command and of
all processes that it started. A machine that slows down slows all, so the medians' ratios are what to look at; the smallest
and the largest ratio of a round say how far to trust them.
"""

import argparse
import dataclasses
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
TOGETHER = "together"


def main() -> None:
    """Runs both versions in turns and prints medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SOURCE", help="what etude convert takes")
    parser.add_argument("versions", nargs="+", metavar="ETUDE", help="the command of each version, the reference first")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default 5)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    rounds: list[list[dict[str, Cost]]] = []
    for number in range(options.rounds):
        # Not always in the same order.
        order = range(len(options.versions)) if number % 2 else reversed(range(len(options.versions)))
        costs = {index: _measure(options.versions[index], options.source, options.workers) for index in order}
        rounds.append([costs[index] for index in range(len(options.versions))])
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    for index, etude in enumerate(options.versions):
        print(etude)
        for command in (*COMMANDS, TOGETHER):
            print(_line(command, [(costs[0][command], costs[index][command]) for costs in rounds]))


def _measure(etude: str, source: str, workers: int) -> dict[str, Cost]:
    """One run of both commands, in an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        notes, dataset = f"{name}/notes", f"{name}/dataset"
        number = ("--workers", str(workers))
        costs = {
            "convert": _run(etude, "convert", source, "--output", notes, *number),
            "dataset": _run(etude, "dataset", notes, "--output", dataset, *number),
        }
    return {**costs, TOGETHER: sum(costs.values(), Cost(0, 0))}


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


def _line(command: str, pairs: list[tuple[Cost, Cost]]) -> str:
    """Medians, and their ratio to those of the reference, which comes first in each pair."""
    ratios = [cost.cpu / reference.cpu for reference, cost in pairs]
    cpu, wall = (
        [statistics.median(getattr(pair[which], name) for pair in pairs) for which in (0, 1)]
        for name in ("cpu", "wall")
    )
    return (
        f"  {command:9} {cpu[1]:6.2f} s of CPU, {cpu[1] / cpu[0]:.2f} times ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"{wall[1]:6.2f} s, {wall[1] / wall[0]:.2f} times"
    )


if __name__ == "__main__":
    main()

"""Times generation, ours and the real Magenta's, from the same bundles in one run.

Examples:
  python -m scripts.bench.generate basic.mag attention.mag
  python -m scripts.bench.generate basic.mag --magenta ~/magenta --repeats 3 --json speed.json

Every row is the median of wall times in seconds. `generate` rows leave start-up out: ours are timed within one process;
Magenta's are the difference between a run of its melody_rnn_generate with many melodies and one with a single melody, a
melody's time each. (A row takes that time as often as it has melodies: it makes one at a time.)
`first file` is the whole command for one melody, start-up included. Runs of the two alternate.
"""

import argparse
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from scripts.bench.magenta import library, name

BEAM = "beam 8 branch 4"
ROWS: dict[str, dict[str, Any]] = {
    "10 melodies": {"num_outputs": 10},
    "100 melodies": {"num_outputs": 100},
    "1000 melodies": {"num_outputs": 1000},
    BEAM: {"num_outputs": 1, "beam_size": 8, "branch_factor": 4},
}
FIRST_FILE = "first file"
STEPS = 128
WITHIN = 6
"""Runs of ours in a row, of which the first does not count."""
MANY = 30
"""Magenta's melodies beyond the first whose time is measured: many beside the noise of its start-up."""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "bundles", nargs="+", type=pathlib.Path, metavar="BUNDLE", help="NAME.mag of basic, lookback ..."
    )
    parser.add_argument("--magenta", type=pathlib.Path, metavar="DIR", help="environment that Magenta is installed in")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each row (default 3)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write all times here")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    results = {}
    for bundle in options.bundles:
        times = measure(bundle, options.magenta, options.repeats)
        results[str(bundle)] = times
        print(f"{bundle}, {STEPS} steps, median of {options.repeats} (s)")
        print(f"  {'':16} {'ours':>9} {'Magenta':>9} {'ratio':>7}")
        for row, (ours, theirs) in times.items():
            mine = statistics.median(ours)
            other = statistics.median(theirs) if theirs else float("nan")
            print(f"  {row:16} {mine:9.4f} {other:9.3f} {other / mine:6.0f}x")
        print(flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def measure(
    bundle: pathlib.Path, magenta: pathlib.Path | None, repeats: int, rows: Sequence[str] = (*ROWS, FIRST_FILE)
) -> dict[str, tuple[list[float], list[float]]]:
    """The times of some rows, ours and Magenta's."""
    from etude import load
    from etude.models.generation import GenerationOptions, generate

    model = load(bundle)
    times: dict[str, tuple[list[float], list[float]]] = {row: ([], []) for row in rows}
    generate(model, [60], GenerationOptions(seed=0))
    for repeat in range(repeats):
        for row in rows:
            if row == FIRST_FILE:
                words = [sys.executable, "-P", "-m", "etude", "generate", str(bundle), "--num-outputs", "1"]
                times[row][0].append(command(words, "--output"))
            elif row != "1000 melodies" or repeat == 0:
                options = GenerationOptions(num_steps=STEPS, seed=repeat, **ROWS[row])
                work = functools.partial(generate, model, [60], options)
                # Caches are cold after the other's run; its melodies too are timed after a first one.
                times[row][0].append(statistics.median([timed(work) for _ in range(WITHIN)][1:]))
        if magenta is None:
            continue
        words = [
            str(magenta / "bin" / f"{library(model.configuration)}_generate"), f"--config={name(model.configuration)}",
            f"--bundle_file={bundle.resolve()}", "--primer_melody=[60]",
        ]  # fmt: skip
        # Over chords, melodies are as long as Magenta's own eight.
        words += [f"--num_steps={STEPS}"] if library(model.configuration) == "melody_rnn" else []
        if repeat == 0:
            # What it reads at its start is in memory from now on.
            command([*words, "--num_outputs=1"], "--output_dir")
        one = command([*words, "--num_outputs=1"], "--output_dir")
        many = command([*words, f"--num_outputs={1 + MANY}"], "--output_dir")
        for row in rows:
            if row == FIRST_FILE:
                times[row][1].append(one)
            elif row == BEAM:
                beams = [
                    command([*words, f"--num_outputs={number}", "--beam_size=8", "--branch_factor=4"], "--output_dir")
                    for number in (1, 6)
                ]
                times[row][1].append((beams[1] - beams[0]) / 5)
            else:
                times[row][1].append((many - one) / MANY * ROWS[row]["num_outputs"])
    return times


def command(words: Sequence[str], output_option: str) -> float:
    """Seconds that a command takes with a new output folder."""
    with tempfile.TemporaryDirectory() as folder:
        whole = [*words, *([output_option, folder] if output_option == "--output" else [f"{output_option}={folder}"])]
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
        return timed(lambda: subprocess.run(whole, check=True, capture_output=True, env=environment))


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

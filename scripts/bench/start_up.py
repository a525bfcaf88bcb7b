"""Shows what the time from the command `etude train` to the first training step is made of.

Example:
  python -m scripts.bench.start_up --dataset dataset

The command itself runs, in a process of its own, with clocks around its parts, and ends after the second step. What the
second step takes is what the first would take without its graph being optimised and compiled. `--imports N` also lists the
N modules whose import takes longest, their own imports apart, by Python's `-X importtime`.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

START = "ETUDE_BENCH_START"
PARTS = ("interpreter", "our imports", "reading the dataset", "TensorFlow", "weights and variables", "tracing", "compiling",
         "first step", "other")  # fmt: skip


def main() -> None:
    """Measures and prints the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=pathlib.Path, help="folder that etude dataset wrote")
    parser.add_argument("--configs", nargs="+", default=["basic", "attention"], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument("--imports", type=int, default=0, metavar="N", help="also list the slowest imports")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the seconds there")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run, options.configs[0], options.dataset)
        return
    found = {
        config: [in_a_process(config, options.dataset) for _ in range(options.rounds)] for config in options.configs
    }
    medians = {
        config: {part: statistics.median(round_[part] for round_ in rounds) for part in (*PARTS, "total")}
        for config, rounds in found.items()
    }
    print(f"{'seconds':24}" + "".join(f"{config:>12}" for config in medians))
    for part in (*PARTS, "total"):
        print(f"{part:24}" + "".join(f"{parts[part]:12.2f}" for parts in medians.values()))
    if options.imports:
        print("\n".join(slowest_imports(options.imports)))
    if options.json:
        options.json.write_text(json.dumps({"rounds": found, "median": medians}, indent=1) + "\n")


def in_a_process(config: str, dataset: pathlib.Path) -> dict[str, float]:
    """The parts of one start."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-P", "-m", "scripts.bench.start_up", "--run", f"{folder}/run"]
        words += ["--configs", config, "--dataset", str(dataset)]
        environment = os.environ | {START: repr(time.time())}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        parts: dict[str, float] = json.loads((pathlib.Path(folder) / "run.json").read_text())
    return parts


def run(run_dir: str, config: str, dataset: pathlib.Path) -> None:
    """The command with clocks around its parts."""
    parts = dict.fromkeys(PARTS, 0.0)
    launched = float(os.environ[START])
    parts["interpreter"] = time.time() - launched

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                parts[part] += time.perf_counter() - start

        return wrapped

    def imports() -> None:
        import etude.command_line
        import etude.commands.train
        import etude.models.training.train  # noqa: F401

    def tensorflow() -> None:
        import etude.models.training.trainer  # noqa: F401

    timed("our imports", imports)()
    timed("TensorFlow", tensorflow)()
    from etude import command_line as etude
    from etude.models.training import train, trainer

    train.read_for_model = timed("reading the dataset", train.read_for_model)  # type: ignore[attr-defined]
    original = trainer.Trainer.train

    def first_steps(self: trainer.Trainer, *batch: Any, **options: Any) -> dict[str, float]:
        timed("tracing", self._train.get_concrete_function)()
        start = time.perf_counter()
        original(self, *batch, **options)
        first = time.perf_counter() - start
        ready = time.time() - launched
        start = time.perf_counter()
        original(self, *batch, **options)
        parts["first step"] = time.perf_counter() - start
        parts["compiling"] = first - parts["first step"]
        parts["other"] = ready - sum(parts.values())
        pathlib.Path(f"{run_dir}.json").write_text(json.dumps({**parts, "total": ready}))
        # Nothing is left to do, and the command is not to go on.
        os._exit(0)

    trainer.Trainer.__init__ = timed("weights and variables", trainer.Trainer.__init__)  # type: ignore[method-assign]
    trainer.Trainer.train = first_steps  # type: ignore[method-assign]
    etude.main(["train", "--config", config, "--dataset", str(dataset), "--run-dir", run_dir])


def slowest_imports(number: int) -> list[str]:
    """The modules whose own import takes longest."""
    words = [sys.executable, "-P", "-X", "importtime", "-c", "import etude.models.training.trainer"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found = re.findall(r"^import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", done.stderr, re.MULTILINE)
    rows = sorted(((int(own), name) for own, _, name in found), reverse=True)
    total = sum(own for own, _ in rows)
    lines = [f"imports: {len(rows):,} modules, {total / 1e6:.2f} s; each without those that it imports:"]
    return lines + [f"  {own / 1e3:8.0f} ms  {name}" for own, name in rows[:number]]


if __name__ == "__main__":
    main()

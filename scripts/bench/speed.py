"""Measures speed from music files to generated melodies: ours, a plain Keras LSTM, and the real Magenta, in one run.

Examples:
  python -m scripts.bench.speed --midi tunes --dataset dataset --magenta ~/magenta --json speed.json
  python -m scripts.bench.speed --dataset dataset --magenta ~/magenta --json speed.json --only "train attention" --rounds 2
  python -m scripts.bench.speed --dataset sheets --magenta ~/magenta --only "train basic-improv"
  python -m scripts.bench.speed --dataset texts --json speed.json --rounds 2
  python -m scripts.bench.speed --json speed.json --only nothing

A dataset of lead sheets has the rows of the models over chords, one of ABC characters rows of training on a stream, another
one those of melodies. The contestants (PyTorch too, if it is installed) get the same
melodies and take turns, each in a process of its own. The table holds medians, and how many times better ours is. With
--json FILE, rows that were measured before stay in it until they are measured again, so that a part can be repeated; the
table is of the whole file.

  preprocessing   MIDI files to the datasets of three configurations, start-up included, and their size
  train           real (unpadded) events a second after start-up, the same a second of processor time, how much of the
                  machine's peak the matrix products are, and peak memory (`scripts.bench.training`)
  evaluate        real events a second over the train split; Magenta's from runs of 2 and of 6 batches
  generate        melodies of 128 steps with the same weights, start-up apart (`scripts.bench.generate`); `first file` is
                  the whole command for one melody

Magenta's models are trained for one step, which changes no speed. Without --magenta ours is measured alone, on the weights
that training starts from.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scripts.bench import generate, preprocessing, training
from scripts.bench.magenta import Magenta

TRAINED = ("basic", "lookback", "attention")
OVER_CHORDS = ("basic-improv", "attention-improv", "chord-pitches-improv")
OF_CHARACTERS = {
    f"{cell.upper()} {len(units)} x {units[0]}, batch {batch_size}": (cell, units, batch_size)
    for cell, units, batch_size in (
        ("rnn", (100,), 1),
        ("rnn", (100,), 25),
        ("lstm", (150,), 1),
        ("lstm", (150,), 25),
        ("lstm", (512, 512, 512), 64),
    )
}
"""Networks that read ABC as a stream of chunks of 100 characters: cell, layers, rows."""
CONTESTANTS = ("ours", "keras", "torch", "magenta")
GENERATED = ("10 melodies", "100 melodies", generate.BEAM, generate.FIRST_FILE)
EVALUATED_BATCHES = (2, 6)


@dataclasses.dataclass
class Line:
    """A line of the table.

    Attributes:
      name: what was measured.
      unit: of its values.
      more_is_better: whether ours is better if its value is higher.
      values: of each contestant in each round.
    """

    name: str
    unit: str
    more_is_better: bool
    values: dict[str, list[float]]

    def median(self, contestant: str) -> float | None:
        """The median of a contestant's rounds; None if it did not take part."""
        found = self.values.get(contestant)
        return statistics.median(found) if found else None

    def ratio(self, contestant: str) -> float | None:
        """How many times better ours is."""
        ours, other = self.median("ours"), self.median(contestant)
        if ours is None or other is None:
            return None
        return ours / other if self.more_is_better else other / ours


@dataclasses.dataclass(frozen=True)
class Bench:
    """What the rows are measured with.

    Attributes:
      midi: folder of MIDI files, or None.
      dataset: folder that etude dataset wrote.
      magenta: Magenta, or None.
      folder: for files of the measurement.
      rounds: measurements of each.
      steps: training steps of a measurement.
    """

    midi: pathlib.Path | None
    dataset: pathlib.Path
    magenta: Magenta | None
    folder: pathlib.Path
    rounds: int
    steps: int

    def task(self, config: str) -> training.Task:
        """The training of a configuration, or of one of `OF_CHARACTERS`, in more steps the fewer rows they have."""
        if config in OF_CHARACTERS:
            cell, units, batch_size = OF_CHARACTERS[config]
            sizes = ",".join(map(str, units))
            hparams = f"cell={cell},rnn_layer_sizes=[{sizes}],batch_size={batch_size}"
            steps = self.steps * max(1, 64 // batch_size)
            return training.Task(self.dataset, "abc-characters", hparams, steps=steps)
        return training.Task(self.dataset, config, steps=self.steps, magenta_steps=min(self.steps, 8))

    def model(self, config: str) -> pathlib.Path:
        """A model to evaluate and to generate with: Magenta's bundle, or our run."""
        configuration = self.task(config).configuration
        if self.magenta:
            run = self.magenta.run(configuration, self.magenta.records(self.dataset, configuration))
            return self.magenta.bundle(configuration, run)
        run = self.folder / f"ours-{config}"
        if not run.exists():
            command = [*etude(), "train", "--config", config, "--num-steps", "1", "--run-dir", str(run)]
            subprocess.run([*command, "--dataset", str(self.dataset)], check=True, capture_output=True)
        return run


def main() -> None:
    """Measures the rows that are asked for and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midi", type=pathlib.Path, metavar="DIR", help="MIDI files, for the row preprocessing")
    parser.add_argument("--dataset", type=pathlib.Path, help="folder that etude dataset wrote, for the other rows")
    parser.add_argument("--magenta", type=pathlib.Path, metavar="DIR", help="environment that Magenta is installed in")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument("--steps", type=int, default=12, help="training steps of a measurement (default 12)")
    parser.add_argument("--quick", action="store_true", help="one round of few steps")
    parser.add_argument(
        "--only", action="append", metavar="ROW", help=f"rows that begin with this; of: {', '.join(ROWS)}"
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="adds the figures to this file")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--evaluate", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.steps = 1, 4
    if options.evaluate:
        print(evaluate(options.evaluate, options.dataset))
        return
    # For generation, which runs in this process: as `etude generate` sets it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    possible = rows_of(options.dataset)
    chosen = [row for row in possible if not options.only or any(row.startswith(text) for text in options.only)]
    if any(row != "preprocessing" for row in chosen) and not options.dataset:
        parser.error("--dataset is missing")
    if not options.midi:
        chosen = [row for row in chosen if row != "preprocessing"]
    lines = {line.name: line for line in read(options.json)}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        magenta = Magenta(options.magenta, folder) if options.magenta else None
        bench = Bench(options.midi, options.dataset, magenta, folder, options.rounds, options.steps)
        for row in chosen:
            lines |= {line.name: line for line in ROWS[row](bench)}
            if options.json:
                write(options.json, lines.values())
    described = machine()
    print(f"{described['processors']} x {described['model']}, Python {described['python']}")
    print("\n".join((markdown if options.markdown else table)(lines.values())))


def rows_of(dataset: pathlib.Path | None) -> list[str]:
    """The rows that a dataset has."""
    from etude.models.dataset import read_description, representation_name
    from etude.models.sequences.domain import LEAD_SHEET

    name = representation_name(read_description(dataset)) if dataset else ""
    if name == "abc_characters":
        return [f"train {network}" for network in OF_CHARACTERS]
    configs = OVER_CHORDS if name == LEAD_SHEET else TRAINED
    return ["preprocessing", *(f"{work} {config}" for work in ("train", "evaluate", "generate") for config in configs)]


def measure_preprocessing(bench: Bench) -> list[Line]:
    """MIDI files to datasets."""
    assert bench.midi is not None
    ours = preprocessing.Way("ours", preprocessing.etude)
    dense = preprocessing.Way("ours, materialised", preprocessing.materialised)
    ways = [ours, dense]
    theirs = None
    if bench.magenta:
        commands = bench.magenta.home.absolute() / "bin"
        theirs = preprocessing.Way("magenta", lambda music, home: preprocessing.magentas(commands, music, home))
        ways.insert(1, theirs)
    for _ in range(bench.rounds):
        for way in ways:
            way.go(bench.midi.resolve())
    others = {"magenta": [sum(time.values()) for time in theirs.seconds]} if theirs else {}
    sizes = {"magenta": [theirs.dataset_bytes / 1e6]} if theirs else {}
    return [
        Line("preprocessing", "s", False, {"ours": [sum(time.values()) for time in ours.seconds], **others}),
        Line(
            "preprocessing, in Magenta's form", "s", False,
            {"ours": [sum(time.values()) for time in dense.seconds], **others},
        ),
        Line("datasets on disk", "MB", False, {"ours": [ours.dataset_bytes / 1e6], **sizes}),
    ]  # fmt: skip


def measure_training(bench: Bench, config: str) -> list[Line]:
    """Speed and memory of training."""
    figures = training.compare(bench.task(config), bench.rounds, bench.magenta)

    def values(figure: str) -> dict[str, list[float]]:
        return {name: [one[figure] for one in found] for name, found in figures.items() if figure in found[0]}

    return [
        Line(f"train {config}", "events/s", True, values("events_per_second")),
        Line(f"train {config}, processor", "events/s", True, values("events_per_processor_second")),
        Line(f"train {config}, of the peak", "share", True, values("share_of_peak")),
        Line(f"train {config}, memory", "MB", False, values("peak_megabytes")),
    ]


def measure_evaluation(bench: Bench, config: str) -> list[Line]:
    """Speed of evaluation."""
    task = bench.task(config)
    model = bench.model(config)
    values: dict[str, list[float]] = {"ours": []}
    if bench.magenta:
        values["magenta"] = []
    words = [sys.executable, "-P", "-m", "scripts.bench.speed", "--dataset", str(bench.dataset)]
    for _ in range(bench.rounds):
        done = subprocess.run(
            [*words, "--evaluate", str(model)], env=environment(), check=True, stdout=subprocess.PIPE, text=True
        )
        values["ours"].append(float(done.stdout))
        if bench.magenta:
            records = bench.magenta.records(bench.dataset, task.configuration)
            run = bench.magenta.run(task.configuration, records)
            few, many = (
                bench.magenta.seconds_to_evaluate(task.configuration, records, run, batches)
                for batches in EVALUATED_BATCHES
            )
            batches = EVALUATED_BATCHES[1] - EVALUATED_BATCHES[0]
            values["magenta"].append(training.events_of_a_batch(task) * batches / (many - few))
        print(f"evaluate {config}: {values}", file=sys.stderr, flush=True)
    return [Line(f"evaluate {config}", "events/s", True, values)]


def evaluate(model: pathlib.Path, dataset: pathlib.Path) -> float:
    """Events a second of our evaluation over the train split."""
    from etude import load
    from etude.models.dataset import read_for_model

    loaded = load(model)
    melodies = read_for_model(dataset, "train", loaded.configuration)
    start = time.perf_counter()
    sums = loaded.evaluate(melodies, squash=False)
    return float(sums["num_steps"].sum()) / (time.perf_counter() - start)


def environment() -> dict[str, str]:
    """What our other processes run in: as many threads as they find good."""
    return {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}


def measure_generation(bench: Bench, config: str) -> list[Line]:
    """Seconds that melodies take."""
    home = bench.magenta.home if bench.magenta else None
    times = generate.measure(bench.model(config), home, bench.rounds, GENERATED)
    return [
        Line(f"generate {config}, {row}", "s", False, {"ours": ours} | ({"magenta": theirs} if theirs else {}))
        for row, (ours, theirs) in times.items()
    ]


def _rows(
    work: str, measure: Callable[[Bench, str], list[Line]], names: Iterable[str] = (*TRAINED, *OVER_CHORDS)
) -> dict[str, Callable[[Bench], list[Line]]]:
    """A row for each configuration."""
    return {f"{work} {name}": functools.partial(_measured, measure=measure, config=name) for name in names}


def _measured(bench: Bench, measure: Callable[[Bench, str], list[Line]], config: str) -> list[Line]:
    return measure(bench, config)


ROWS: dict[str, Callable[[Bench], list[Line]]] = {
    "preprocessing": measure_preprocessing,
    **_rows("train", measure_training, (*TRAINED, *OVER_CHORDS, *OF_CHARACTERS)),
    **_rows("evaluate", measure_evaluation),
    **_rows("generate", measure_generation),
}


def etude() -> list[str]:
    """The command of this very checkout."""
    return [sys.executable, "-P", "-m", "etude"]


def table(lines: Iterable[Line]) -> list[str]:
    """The table as text."""
    names = "".join(f"{name:>11}" for name in ("ours", "Keras", "PyTorch", "Magenta"))
    rows = [f"{'median':38}{names} {'':8} {'x Keras':>8} {'x PyTorch':>9} {'x Magenta':>9} rounds"]
    for line in lines:
        medians = [line.median(name) for name in CONTESTANTS]
        ratios = [line.ratio(name) for name in CONTESTANTS[1:]]
        rounds = "/".join(str(len(found)) for found in line.values.values())
        rows.append(
            f"{line.name:38} {' '.join(f'{_shown(value):>10}' for value in medians)} {line.unit:8} "
            f"{_shown(ratios[0]):>8} {_shown(ratios[1]):>9} {_shown(ratios[2]):>9} {rounds}"
        )
    return rows


def markdown(lines: Iterable[Line]) -> list[str]:
    """The table as the README has it."""
    header = "| | ours | Keras | PyTorch | Magenta | times Keras | times PyTorch | times Magenta | rounds |"
    rows = [header, f"|---|{'---:|' * 8}"]
    for line in lines:
        figures = [*map(line.median, CONTESTANTS), *map(line.ratio, CONTESTANTS[1:])]
        rounds = str(max(map(len, line.values.values())))
        rows.append(f"| {' | '.join([f'{line.name} ({line.unit})', *map(_shown, figures), rounds])} |")
    return rows


def _shown(value: float | None) -> str:
    """Three digits or more; nothing for nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def read(path: pathlib.Path | None) -> list[Line]:
    """The lines of an earlier run; none if there is no file."""
    if path is None or not path.exists():
        return []
    stored: list[dict[str, Any]] = json.loads(path.read_text())["lines"]
    names = [field.name for field in dataclasses.fields(Line)]
    return [Line(**{name: line[name] for name in names}) for line in stored]


def write(path: pathlib.Path, lines: Iterable[Line]) -> None:
    """Stores lines with their medians and ratios."""
    from etude.models.storage.files import write_text

    stored = [
        {
            **dataclasses.asdict(line),
            "median": {name: line.median(name) for name in line.values},
            "times_better": {name: line.ratio(name) for name in line.values if name != "ours"},
        }
        for line in lines
    ]
    write_text(path, json.dumps({"machine": machine(), "lines": stored}, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """What it ran on."""
    models = _values("/proc/cpuinfo", "model name")
    return {
        "processors": os.cpu_count(),
        "model": models[0] if models else platform.processor(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _values(path: str, name: str) -> Sequence[str]:
    file = pathlib.Path(path)
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.partition(":")[2].strip() for line in lines if line.startswith(name)]


if __name__ == "__main__":
    main()

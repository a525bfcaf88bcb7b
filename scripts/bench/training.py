"""Measures training speed: ours, plain Keras, PyTorch if it is installed, and the real Magenta, given its folder.

Examples:
  python -m scripts.bench.training --dataset dataset
  python -m scripts.bench.training --dataset dataset --config attention --rounds 2 --magenta ~/magenta --json speed.json
  python -m scripts.bench.training --dataset texts --config abc-characters --hparams "rnn_layer_sizes=[150],batch_size=1"
  python -m scripts.bench.training --dataset pieces --config notes-and-chords --hparams batches=stream

Each takes its turn, several times, in a process of its own. Ours is the whole training loop, as `etude train` runs it; Keras
and PyTorch get the same batches, in the same order, each prepared while the one before is trained on.
Magenta shuffles by itself. Events are real steps that are learnt from: padding does not count, nor do those of windows whose
last step alone is. What comes first is left out: of all but Magenta an epoch, in which graphs are built for all sizes of
batches (of a stream and of windows eight steps), of Magenta's three steps.
Beside each stand processor time, and how much of the machine's peak the matrix products are (attention's own not counted):
the peak is that of one large product on all processors, measured right afterwards in the same process.
"""

import argparse
import dataclasses
import functools
import importlib.util
import json
import math
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from scripts.bench import plain_networks
from scripts.bench.magenta import Magenta

if TYPE_CHECKING:
    from etude.models.configuration import Configuration
    from etude.models.encodings.encoding import Encoding
    from etude.models.sequences.sequence_set import SequenceSet
    from etude.models.training.examples import Example, Examples

MAGENTA_WARM_UP_STEPS = 3
PARTS_WARM_UP_STEPS = 8

Figures = dict[str, float]
"""`events_per_second` and `peak_megabytes`; of all but Magenta `events_per_processor_second` and `share_of_peak`."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What is trained.

    Attributes:
      dataset: folder that etude dataset wrote.
      config: the family.
      hparams: overrides.
      steps: that are measured.
      magenta_steps: the same for Magenta, whose steps differ less: nearly all its batches are padded to the longest melody.
    """

    dataset: pathlib.Path
    config: str
    hparams: str = ""
    steps: int = 12
    magenta_steps: int = 8

    @functools.cached_property
    def configuration(self) -> "Configuration":
        """The configuration with the overrides, and the vocabulary of the dataset where it has none."""
        from etude.models.dataset import configure_for, read_description, representation_name
        from etude.models.hyperparameters import parse_overrides
        from etude.models.registry import configure
        from etude.models.sequences.domain import MELODY

        configuration = configure(self.config, parse_overrides(self.hparams))
        if configuration.representation == MELODY != representation_name(read_description(self.dataset)):
            return configure_for(configuration, self.dataset)
        return configuration

    @functools.cached_property
    def encoding(self) -> "Encoding":
        """The configuration's."""
        from etude.models.registry import make_encoding

        return make_encoding(self.configuration)

    def melodies(self) -> "SequenceSet":
        """What is trained on."""
        import numpy as np

        from etude.models.dataset import read_for_model

        sequences = read_for_model(self.dataset, "train", self.configuration)
        return sequences.select(np.flatnonzero(sequences.lengths > 1))

    @functools.cached_property
    def examples(self) -> "Examples":
        """The batches, as training has them with seed 0."""
        from etude.models.training.examples import Examples

        return Examples(self.melodies(), self.encoding, self.configuration.hyperparameters, 0)

    @property
    def warm_up(self) -> int:
        """Steps that are left out."""
        steps = self.examples.steps_per_epoch
        is_whole = self.configuration.hyperparameters.batches == "sequences"
        return steps if is_whole else min(steps, PARTS_WARM_UP_STEPS)

    def num_learnt(self, example: "Example") -> int:
        """Steps of a batch that are learnt from."""
        last = self.configuration.hyperparameters.window_labels == "last"
        return len(example.lengths) if last else int(example.lengths.sum())


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=pathlib.Path, help="folder that etude dataset wrote")
    parser.add_argument("--config", default="basic", help="the family (default basic)")
    parser.add_argument("--hparams", default="", help="overrides, such as batch_size=64")
    parser.add_argument("--steps", type=int, default=12, help="steps of each measurement (default 12)")
    parser.add_argument("--magenta-steps", type=int, default=8, help="steps of Magenta's (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument(
        "--magenta", type=pathlib.Path, help="folder of an installed Magenta (with bin/melody_rnn_train)"
    )
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    parser.add_argument("--only", choices=tuple(PROCESSES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    task = Task(options.dataset, options.config, options.hparams, options.steps, options.magenta_steps)
    if options.only:
        print(json.dumps(PROCESSES[options.only](task)))
        return
    with tempfile.TemporaryDirectory() as folder:
        magenta = Magenta(options.magenta, pathlib.Path(folder)) if options.magenta else None
        figures = compare(task, options.rounds, magenta)
    summary = {name: summarise(found) for name, found in figures.items()}
    reference = list(summary.values())[-1]["events_per_second"]
    print(
        f"{options.config}: {'':10} events/s  a processor second  of the peak  peak memory  times {list(summary)[-1]}"
    )
    for name, row in summary.items():
        ratio = row["events_per_second"] / reference
        of_processor, share = row.get("events_per_processor_second", 0), row.get("share_of_peak", 0)
        print(
            f"{name:20} {row['events_per_second']:10,.0f} {of_processor:19,.0f} {share:11.0%} "
            f"{row['peak_megabytes']:9,.0f} MB {ratio:9.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps({"config": options.config, "rounds": figures, "median": summary}, indent=2))


def compare(task: Task, rounds: int, magenta: Magenta | None) -> dict[str, list[Figures]]:
    """The figures of every contestant in every round. Keras and PyTorch have no such attention."""
    contestants = ["ours"]
    hyperparameters = task.configuration.hyperparameters
    if not hyperparameters.attn_length:
        is_plain = not hyperparameters.embedding_size and not hyperparameters.dense_size
        contestants += ["keras", "torch"] if is_plain and importlib.util.find_spec("torch") else ["keras"]
    contestants += ["magenta"] if magenta else []
    figures: dict[str, list[Figures]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name in contestants:
            found = magentas(task, magenta) if magenta and name == "magenta" else in_a_process(name, task)
            print(f"{task.config} {name}: {found['events_per_second']:,.0f} events/s", file=sys.stderr, flush=True)
            figures[name].append(found)
    return figures


def summarise(rounds: list[Figures]) -> Figures:
    """The median of every figure."""
    return {name: statistics.median(round_[name] for round_ in rounds) for name in rounds[0]}


def in_a_process(name: str, task: Task) -> Figures:
    """A measurement of ours or Keras in a fresh process."""
    words = [
        sys.executable, "-P", "-m", "scripts.bench.training", "--only", name, "--dataset", str(task.dataset),
        "--config", task.config, "--hparams", task.hparams, "--steps", str(task.steps),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def ours(task: Task) -> Figures:
    """Our training loop."""
    from etude.models.training.schedule import Schedule
    from etude.models.training.threads import use_as_many_threads_as_pay
    from etude.models.training.train import train

    use_as_many_threads_as_pay(task.configuration)
    examples, warm_up = task.examples, task.warm_up
    last = warm_up + task.steps
    clocks: dict[int, tuple[float, float, float]] = {}

    def note(done: int, total: int, note: str = "") -> None:
        clocks[done] = time.perf_counter(), time.process_time(), peak_megabytes()

    with tempfile.TemporaryDirectory() as folder:
        train(task.configuration, task.dataset, pathlib.Path(folder, "run"), Schedule(last, 0, last, 0), progress=note)
    events = sum(task.num_learnt(examples.batch(step)) for step in range(warm_up, last))
    wall, processor = (clocks[last][place] - clocks[warm_up][place] for place in range(2))
    return figures_of(task, events, wall, processor, clocks[last][2])


def plain(step: "plain_networks.Step", task: Task) -> Figures:
    """A step of somebody else's on the same batches, each prepared while the one before is in use."""
    examples, events = task.examples, 0
    with ThreadPoolExecutor(1) as executor:
        upcoming = executor.submit(examples.batch, 0)
        for number in range(task.warm_up + task.steps):
            if number == task.warm_up:
                events, wall, processor = 0, time.perf_counter(), time.process_time()
            ready = upcoming.result()
            upcoming = executor.submit(examples.batch, number + 1)
            step(ready)
            events += task.num_learnt(ready)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return figures_of(task, events, wall, processor, peak_megabytes())


def keras(task: Task) -> Figures:
    """Plain Keras."""
    return plain(plain_networks.keras(task.configuration.hyperparameters, task.encoding), task)


def torch(task: Task) -> Figures:
    """Plain PyTorch."""
    return plain(plain_networks.torch(task.configuration.hyperparameters, task.encoding), task)


def figures_of(task: Task, events: int, wall: float, processor: float, megabytes: float) -> Figures:
    """The figures of a measurement; right after it, the machine's peak is measured, in the same process."""
    share = events / wall * operations_of_an_event(task) / peak_operations_per_second()
    return {
        "events_per_second": events / wall,
        "events_per_processor_second": events / processor,
        "share_of_peak": share,
        "peak_megabytes": megabytes,
    }


def operations_of_an_event(task: Task) -> float:
    """Multiplications and additions in the matrix products of a step of one sequence, forward and backward.

    Three products a matrix; the first layer's input has no gradient, and no product at all where it is an index.
    """
    from etude.models.networks.weights import shapes

    hyperparameters, encoding = task.configuration.hyperparameters, task.encoding
    weights = sum(math.prod(shape) for shape in shapes(hyperparameters, encoding).values())
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[hyperparameters.cell]
    first = encoding.input_size * gates * hyperparameters.rnn_layer_sizes[0]
    return 2.0 * (3 * (weights - first) + (0 if encoding.is_indexed else 2 * first))


def peak_operations_per_second(size: int = 1536, rounds: int = 5) -> float:
    """Of single-precision matrix products on all processors: the best of some rounds."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    one = np.ones((size, size), np.float32)
    times = []
    with threadpool_limits(os.cpu_count() or 1, "blas"):
        for _ in range(rounds):
            start = time.perf_counter()
            one @ one
            times.append(time.perf_counter() - start)
    return 2.0 * size**3 / min(times)


def peak_megabytes() -> float:
    """The peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def magentas(task: Task, magenta: Magenta) -> Figures:
    """Magenta's melody_rnn_train on the same training melodies, from the steps a second that it logs."""
    configuration = task.configuration
    records = magenta.records(task.dataset, configuration)
    run = pathlib.Path(tempfile.mkdtemp(dir=magenta.folder))
    log, peak = magenta.train(configuration, records, run, task.magenta_steps + MAGENTA_WARM_UP_STEPS)
    speeds = re.findall(r"^INFO:tensorflow:global_step/sec: ([\d.]+)", log, re.MULTILINE)
    # The log has one speed less than steps.
    seconds = statistics.mean(1 / float(speed) for speed in speeds[MAGENTA_WARM_UP_STEPS - 1 :])
    return {"events_per_second": events_of_a_batch(task) / seconds, "peak_megabytes": peak}


PROCESSES: dict[str, Callable[[Task], Figures]] = {"ours": ours, "keras": keras, "torch": torch}
"""The contestants that run in a process of this interpreter."""


def events_of_a_batch(task: Task) -> float:
    """Real steps of a full batch of melodies that are drawn at random, on average."""
    return float((task.melodies().lengths - 1).mean()) * task.configuration.hyperparameters.batch_size


if __name__ == "__main__":
    main()

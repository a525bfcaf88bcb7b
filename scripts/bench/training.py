"""Measures training speed: ours, a plain Keras LSTM, and (given its folder) the real Magenta, on the same melodies.

Examples:
  python -m scripts.bench.training --dataset dataset
  python -m scripts.bench.training --dataset dataset --config attention --rounds 2 --magenta ~/magenta --json speed.json
  python -m scripts.bench.training --dataset pieces --config notes-and-chords
  python -m scripts.bench.training --dataset pieces --config notes-and-chords --hparams batches=stream

Each takes its turn, several times, in a process of its own. Ours is the whole training loop, as `etude train` runs it; Keras
gets the same batches, in the same order, each prepared while the one before is trained on.
Magenta shuffles by itself. Events are real steps that are learnt from: padding does not count, and of windows whose last step
alone is to be predicted no other. What comes first is left out: of ours and Keras's an epoch, in which graphs are built for
all sizes of batches (of windows and chunks, which have one size, three steps), of Magenta's three steps. A stream is ours
alone: Keras carries the state of all rows or of none.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from scripts.bench.magenta import Magenta

if TYPE_CHECKING:
    from etude.models.configuration import Configuration
    from etude.models.sequences.sequence_set import SequenceSet
    from etude.models.training.examples import Examples

WARM_UP_STEPS = 3
MAGENTA_WARM_UP_STEPS = 3

Figures = dict[str, float]
"""`events_per_second` and `peak_megabytes`."""


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

    @property
    def configuration(self) -> "Configuration":
        """The configuration with the overrides, as it is trained on the dataset."""
        from etude.models.dataset import configure_for
        from etude.models.hyperparameters import parse_overrides
        from etude.models.registry import configure

        return configure_for(configure(self.config, parse_overrides(self.hparams)), self.dataset)

    def sequences(self) -> "SequenceSet":
        """What is trained on."""
        import numpy as np

        from etude.models.dataset import read_for_model

        found = read_for_model(self.dataset, "train", self.configuration)
        return found.select(np.flatnonzero(found.lengths > 1))

    def examples(self) -> "Examples":
        """The batches, as training has them with seed 0."""
        from etude.models.registry import make_encoding
        from etude.models.training.examples import Examples

        configuration = self.configuration
        return Examples(self.sequences(), make_encoding(configuration), configuration.hyperparameters, 0)

    def warm_up(self, examples: "Examples") -> int:
        """Steps that come first."""
        is_whole = self.configuration.hyperparameters.batches == "sequences"
        return examples.steps_per_epoch if is_whole else WARM_UP_STEPS

    def num_learnt(self, lengths: Any) -> int:
        """Steps of a batch that are learnt from."""
        last = self.configuration.hyperparameters.window_labels == "last"
        return len(lengths) if last else int(lengths.sum())


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=pathlib.Path, help="folder that etude dataset wrote")
    parser.add_argument("--config", default="basic", help="basic, lookback, attention or mono (default basic)")
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
    print(f"{options.config}: {'':10} events/s  peak memory  times {list(summary)[-1]}")
    for name, row in summary.items():
        ratio = row["events_per_second"] / reference
        print(f"{name:20} {row['events_per_second']:9,.0f} {row['peak_megabytes']:9,.0f} MB {ratio:9.2f}")
    if options.json:
        options.json.write_text(json.dumps({"config": options.config, "rounds": figures, "median": summary}, indent=2))


def compare(task: Task, rounds: int, magenta: Magenta | None) -> dict[str, list[Figures]]:
    """The figures of every contestant in every round. Keras has no such attention, and no such stream."""
    hyperparameters = task.configuration.hyperparameters
    contestants = ["ours"]
    contestants += ["keras"] if not hyperparameters.attn_length and hyperparameters.batches != "stream" else []
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
    from etude.models.training.train import train

    examples = task.examples()
    warm_up = task.warm_up(examples)
    last = warm_up + task.steps
    stamps: dict[int, tuple[float, float]] = {}

    def note(done: int, total: int, note: str = "") -> None:
        stamps[done] = time.perf_counter(), peak_megabytes()

    with tempfile.TemporaryDirectory() as folder:
        train(task.configuration, task.dataset, pathlib.Path(folder, "run"), Schedule(last, 0, last, 0), progress=note)
    seconds = stamps[last][0] - stamps[warm_up][0]
    events = sum(task.num_learnt(examples.batch(step).lengths) for step in range(warm_up, last))
    return {"events_per_second": events / seconds, "peak_megabytes": stamps[last][1]}


def batches(task: Task) -> Iterator[Any]:
    """Inputs, labels and lengths of each step, the warm-up first; prepared while the one before is in use."""
    examples = task.examples()
    with ThreadPoolExecutor(1) as executor:
        upcoming = executor.submit(examples.batch, 0)
        for step in range(task.warm_up(examples) + task.steps):
            ready = upcoming.result()
            upcoming = executor.submit(examples.batch, step + 1)
            yield ready[:3]


def measure(task: Task, step: Any) -> Figures:
    """Events a second of a training step over batches after the first, and the peak memory of the process."""
    prepared = batches(task)
    for _ in range(task.warm_up(task.examples())):
        step(*next(prepared))
    events = 0
    start = time.perf_counter()
    for inputs, labels, lengths in prepared:
        step(inputs, labels, lengths)
        events += task.num_learnt(lengths)
    return {"events_per_second": events / (time.perf_counter() - start), "peak_megabytes": peak_megabytes()}


def peak_megabytes() -> float:
    """The peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def keras(task: Task) -> Figures:
    """Keras's LSTM layers with the same sizes, dropout, loss and optimiser, in one graph for all shapes."""
    import tensorflow as tf

    from etude.models.registry import make_encoding

    hyperparameters = task.configuration.hyperparameters
    encoding = make_encoding(task.configuration)
    embeds, learns_last = hyperparameters.embedding_size > 0, hyperparameters.window_labels == "last"
    layers: list[Any] = [tf.keras.layers.Input((None,) if embeds else (None, encoding.input_size))]
    if embeds:
        layers.append(tf.keras.layers.Embedding(encoding.input_size, hyperparameters.embedding_size))
    for number, units in enumerate(hyperparameters.rnn_layer_sizes, start=1):
        returns_all = not learns_last or number < len(hyperparameters.rnn_layer_sizes)
        layers.append(tf.keras.layers.LSTM(units, return_sequences=returns_all))
        layers.append(tf.keras.layers.Dropout(1 - hyperparameters.dropout_keep_prob))
    if hyperparameters.dense_size:
        layers.append(tf.keras.layers.Dense(hyperparameters.dense_size, "relu"))
        layers.append(tf.keras.layers.Dropout(1 - hyperparameters.dropout_keep_prob))
    layers.append(tf.keras.layers.Dense(encoding.num_labels))
    model = tf.keras.Sequential(layers)
    clips = {"variable_norm": "clipnorm", "global_norm": "global_clipnorm", "value": "clipvalue"}
    clipping = {clips[hyperparameters.clip_by]: hyperparameters.clip_norm} if hyperparameters.clip_by in clips else {}
    if hyperparameters.optimiser == "rmsprop":
        optimiser: Any = tf.keras.optimizers.RMSprop(hyperparameters.learning_rate, **clipping)
    else:
        optimiser = tf.keras.optimizers.Adam(hyperparameters.learning_rate, epsilon=1e-8, **clipping)
    signature = [
        tf.TensorSpec([None, None], tf.int64)
        if encoding.is_indexed
        else tf.TensorSpec([None, None, encoding.input_size], tf.float32),
        tf.TensorSpec([None, None], tf.int64),
        tf.TensorSpec([None], tf.int64),
    ]

    @tf.function(input_signature=signature)
    def step(inputs: Any, labels: Any, lengths: Any) -> Any:
        is_real = tf.sequence_mask(lengths, tf.shape(inputs)[1], tf.float32)
        if learns_last:
            labels, is_real = labels[:, -1], is_real[:, -1]
        with tf.GradientTape() as tape:
            is_one_hot = encoding.is_indexed and not embeds
            logits = model(tf.one_hot(inputs, encoding.input_size) if is_one_hot else inputs, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_sum(losses * is_real) / tf.reduce_sum(is_real)
        optimiser.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return measure(task, lambda *batch: float(step(*batch)))


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


PROCESSES: dict[str, Callable[[Task], Figures]] = {"ours": ours, "keras": keras}
"""The contestants that run in a process of this interpreter."""


def events_of_a_batch(task: Task) -> float:
    """Real steps of a full batch of melodies that are drawn at random, on average."""
    return float((task.sequences().lengths - 1).mean()) * task.configuration.hyperparameters.batch_size


if __name__ == "__main__":
    main()

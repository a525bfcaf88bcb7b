"""Measures training speed: ours, a plain Keras LSTM, and (given its folder) the real Magenta, on the same melodies.

Examples:
  python -m scripts.bench.training --dataset dataset
  python -m scripts.bench.training --dataset dataset --config attention --steps 10 --magenta ~/magenta --json speed.json

Each takes its turn, several times, in a process of its own. Events are real steps; padding does not count. The first steps,
in which graphs are built, are left out.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

WARM_UP_STEPS = 2


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=pathlib.Path, help="folder that etude dataset wrote")
    parser.add_argument("--config", default="basic", help="basic, lookback, attention or mono (default basic)")
    parser.add_argument("--hparams", default="", help="overrides, such as batch_size=64")
    parser.add_argument("--steps", type=int, default=20, help="steps of each measurement (default 20)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument(
        "--magenta", type=pathlib.Path, help="folder of an installed Magenta (with bin/melody_rnn_train)"
    )
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    parser.add_argument("--only", choices=("ours", "keras"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps({"ours": ours, "keras": keras}[options.only](options)))
        return
    contestants = ["ours"] + (["keras"] if options.config != "attention" else [])
    contestants += ["magenta"] if options.magenta else []
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name in contestants:
                found = magenta(options, pathlib.Path(folder)) if name == "magenta" else in_a_process(name)
                figures[name].append(found)
    summary = {name: summarise(found) for name, found in figures.items()}
    reference = summary[contestants[-1]]["events_per_second"]
    print(f"{options.config}: {'':10} events/s  peak memory  times {contestants[-1]}")
    for name, row in summary.items():
        ratio = row["events_per_second"] / reference
        print(f"{name:20} {row['events_per_second']:9,.0f} {row['peak_megabytes']:9,.0f} MB {ratio:9.2f}")
    if options.json:
        options.json.write_text(json.dumps({"config": options.config, "rounds": figures, "median": summary}, indent=2))


def summarise(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of every figure."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def in_a_process(name: str) -> dict[str, float]:
    """A measurement of ours or Keras in a fresh process."""
    words = [sys.executable, "-P", "-m", "scripts.bench.training", *sys.argv[1:], "--only", name]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def batches(options: argparse.Namespace) -> tuple[Any, list[Any]]:
    """The configuration, and inputs, labels and lengths of the first batches."""
    from models.dataset import read_for_model
    from models.hyperparameters import parse_overrides
    from models.registry import configure, make_encoding
    from models.training.batches import BatchPlan

    configuration = configure(options.config, parse_overrides(options.hparams))
    encoding = make_encoding(configuration)
    melodies = read_for_model(options.dataset, "train", configuration)
    plan = BatchPlan(melodies.lengths, configuration.hyperparameters.batch_size, 0)
    prepared = []
    for step in range(options.steps + WARM_UP_STEPS):
        batch = melodies.batch(plan.indices(step))
        inputs = encoding.inputs(batch.events[:, :-1], batch.steps_per_bar)
        labels = encoding.labels(batch.events, batch.steps_per_bar)[:, 1:]
        prepared.append((inputs, labels, batch.num_predicted))
    return configuration, prepared


def measure(step: Any, prepared: list[Any]) -> dict[str, float]:
    """Events a second of a training step over prepared batches, and the peak memory of the process."""
    for batch in prepared[:WARM_UP_STEPS]:
        step(*batch)
    start = time.perf_counter()
    for batch in prepared[WARM_UP_STEPS:]:
        step(*batch)
    seconds = time.perf_counter() - start
    events = sum(int(lengths.sum()) for *_, lengths in prepared[WARM_UP_STEPS:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"events_per_second": events / seconds, "peak_megabytes": peak}


def ours(options: argparse.Namespace) -> dict[str, float]:
    """Our training step."""
    from models.networks.weights import initialise
    from models.registry import make_encoding
    from models.training.trainer import Trainer

    configuration, prepared = batches(options)
    encoding = make_encoding(configuration)
    trainer = Trainer(configuration, encoding, initialise(configuration.hyperparameters, encoding, 0), 0)
    return measure(trainer.train, prepared)


def keras(options: argparse.Namespace) -> dict[str, float]:
    """Keras's LSTM layers with the same sizes, dropout, loss and optimiser."""
    import numpy as np
    import tensorflow as tf

    from models.registry import make_encoding

    configuration, prepared = batches(options)
    hyperparameters = configuration.hyperparameters
    layers: list[Any] = [tf.keras.layers.Input((None, prepared[0][0].shape[2]))]
    for units in hyperparameters.rnn_layer_sizes:
        layers.append(tf.keras.layers.LSTM(units, return_sequences=True))
        layers.append(tf.keras.layers.Dropout(1 - hyperparameters.dropout_keep_prob))
    layers.append(tf.keras.layers.Dense(make_encoding(configuration).num_labels))
    model = tf.keras.Sequential(layers)
    optimiser = tf.keras.optimizers.Adam(
        hyperparameters.learning_rate, epsilon=1e-8, clipnorm=hyperparameters.clip_norm
    )
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimiser, loss=loss)

    def step(inputs: Any, labels: Any, lengths: Any) -> None:
        is_real = np.arange(inputs.shape[1]) < lengths[:, None]
        model.train_on_batch(inputs, labels, sample_weight=is_real.astype(np.float32))

    return measure(step, prepared)


def magenta(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, float]:
    """Magenta's melody_rnn_train on the same training melodies, from the steps a second that it logs."""
    from models.dataset import read_melodies
    from models.hyperparameters import parse_overrides
    from models.melody import Melody
    from models.records import frame
    from models.registry import configure, make_encoding
    from pipelines.melody_slices import encode_dense

    configuration = configure(options.config, parse_overrides(options.hparams))
    records = folder / "training_melodies.tfrecord"
    melodies = read_melodies(options.dataset, "train")
    if not records.exists():
        encoding = make_encoding(configuration)
        with records.open("wb") as file:
            for index in range(len(melodies)):
                file.write(frame(encode_dense(Melody(melodies.events(index)), configuration, encoding)))
    batch_size = configuration.hyperparameters.batch_size
    sizes = ",".join(map(str, configuration.hyperparameters.rnn_layer_sizes))
    words = [
        str(options.magenta / "bin" / "melody_rnn_train"),
        f"--config={options.config}_rnn",
        f"--run_dir={tempfile.mkdtemp(dir=folder)}",
        f"--sequence_example_file={records}",
        f"--num_training_steps={options.steps + WARM_UP_STEPS}",
        "--summary_frequency=1",
        f"--hparams=batch_size={batch_size},rnn_layer_sizes=[{sizes}]",
    ]
    log = folder / "magenta.log"
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=file)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(log.read_text(errors="replace")[-2000:])
    speeds = re.findall(r"^INFO:tensorflow:global_step/sec: ([\d.]+)", log.read_text(errors="replace"), re.MULTILINE)
    seconds = statistics.mean(1 / float(speed) for speed in speeds[WARM_UP_STEPS:])
    events = float((melodies.lengths - 1).mean()) * batch_size
    return {"events_per_second": events / seconds, "peak_megabytes": usage.ru_maxrss / 1024}


if __name__ == "__main__":
    main()

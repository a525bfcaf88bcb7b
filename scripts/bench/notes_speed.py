"""Times drums and polyphony beside an installed Magenta: dataset, training, generation.

Examples:
  python -m scripts.bench.notes_speed polyphony --notes chorales --magenta ~/magenta
  python -m scripts.bench.notes_speed drums one-drum --notes drums --magenta ~/magenta --steps 20

dataset is the whole command, start-up included. train is the time of a step of training at the default hyperparameters, from
two runs of different length, so that start-up does not count, as real events a second: batches of both have as many
sequences.
generate is the time of sequences of 128 steps once the model is loaded. The contestants take turns.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from scripts.bench.magenta import environment
from scripts.bench.magenta_agreement import LIBRARIES, THEIR_NAMES

FIRST_STEPS = 3

GENERATE = """
import importlib, json, sys, time
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import note_seq
from magenta.models.shared import sequence_generator_bundle
from note_seq.protobuf import generator_pb2
library, config_name, bundle, number, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
prefix = library if library != 'polyphony_rnn' else 'polyphony'
models, generators = (importlib.import_module('magenta.models.%s.%s_%s' % (library, prefix, part))
                      for part in ('model', 'sequence_generator'))
name = ''.join(part.capitalize() for part in library.split('_'))
config = models.default_configs[config_name]
config.hparams.batch_size = 1
generator = getattr(generators, name + 'SequenceGenerator')(
    model=getattr(models, name + 'Model')(config), details=config.details, steps_per_quarter=config.steps_per_quarter,
    bundle=sequence_generator_bundle.read_bundle_file(bundle))
generator.initialize()
primer = note_seq.NoteSequence(ticks_per_quarter=220)
primer.tempos.add(qpm=120)
options = generator_pb2.GeneratorOptions()
options.args['temperature'].float_value = 1.0
for argument in ('beam_size', 'branch_factor', 'steps_per_iteration'):
    options.args[argument].int_value = 1
step = 0.5 / config.steps_per_quarter
options.generate_sections.add(start_time=step if library == 'drums_rnn' else 0, end_time=steps * step)
start = time.perf_counter()
for _ in range(number):
    generator.generate(primer, options)
print(json.dumps(time.perf_counter() - start))
"""


def main() -> int:
    """Prints a row for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="drums, one-drum, polyphony")
    parser.add_argument("--notes", required=True, type=pathlib.Path, help="folder that etude convert wrote")
    parser.add_argument("--magenta", required=True, type=pathlib.Path, help="folder of an installed Magenta")
    parser.add_argument("--steps", type=int, default=10, help="training steps that are timed (default 10)")
    parser.add_argument("--number", type=int, default=5, help="sequences to generate (default 5)")
    parser.add_argument("--num-steps", type=int, default=128, help="their steps (default 128)")
    options = parser.parse_args()
    print("| | ours | Magenta | times Magenta |\n|---|---:|---:|---:|")
    for config in options.configs:
        with tempfile.TemporaryDirectory() as name:
            measure(config, options, pathlib.Path(name))
    return 0


def measure(config: str, options: argparse.Namespace, folder: pathlib.Path) -> None:
    """Measures one configuration."""
    from etude import load
    from etude.models.dataset import read_sequences
    from etude.models.magenta.records import file_name
    from etude.models.registry import configure
    from etude.models.storage.records import frame, read_records

    configuration = configure(config)
    library, theirs = LIBRARIES[configuration.representation], THEIR_NAMES[configuration.config]
    with (folder / "notes.tfrecord").open("wb") as file:
        for path in sorted(options.notes.glob("notes-*.tfrecord")):
            file.writelines(map(frame, read_records(path)))
    ours, dense = folder / "ours", folder / "dense"
    etude = [sys.executable, "-P", "-m", "etude"]
    tools = options.magenta.absolute() / "bin"
    flag = [] if configuration.representation == "polyphony" else [f"--config={theirs}"]

    dataset = [*etude, "dataset", str(options.notes.absolute()), "--output", "ours", "--representation",
               configuration.representation]  # fmt: skip
    create = [f"{tools / library.name}_create_dataset", *flag, "--input=notes.tfrecord", "--output_dir=dense"]
    row(f"dataset for {config} (s)", seconds(dataset, folder), seconds([*create, "--eval_ratio=0.1"], folder), False)

    train = [*etude, "train", "--config", config, "--dataset", "ours", "--eval-every", "1000000", "--num-steps"]
    learn = [f"{tools / library.name}_train", f"--config={theirs}",
             f"--sequence_example_file={dense / file_name('train', configuration.representation)}"]  # fmt: skip
    last = FIRST_STEPS + options.steps
    short, long = (seconds([*train, str(steps), "--run-dir", f"run{steps}"], folder) for steps in (FIRST_STEPS, last))
    brief, whole = (
        seconds([*learn, f"--num_training_steps={steps}", f"--run_dir={folder}/their{steps}"], folder)
        for steps in (FIRST_STEPS, last)
    )
    sequences = read_sequences(ours, "train")
    events = configuration.hyperparameters.batch_size * (sequences.lengths - 1).mean() * options.steps
    row(f"train {config} (events/s)", events / (long - short), events / (whole - brief), True)

    bundle = folder / "model.mag"
    save = [f"{tools / library.name}_generate", f"--config={theirs}", f"--run_dir={folder}/their{last}",
            "--hparams=batch_size=1", f"--bundle_file={bundle}", "--save_generator_bundle"]  # fmt: skip
    seconds(save, folder)
    model, number = load(bundle), options.number
    start = time.perf_counter()
    model.generate(None, num_outputs=number, num_steps=options.num_steps, seed=1)
    mine = time.perf_counter() - start
    words = [tools / "python", "-c", GENERATE, library.name, theirs, bundle, str(number), str(options.num_steps)]
    done = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, env=environment())
    row(f"generate {number} with {config} (s)", mine, json.loads(done.stdout.splitlines()[-1]), False)


def seconds(words: Sequence[object], folder: pathlib.Path) -> float:
    """What a command takes."""
    path = {"PYTHONPATH": os.pathsep.join([str(pathlib.Path.cwd()), *sys.path])} if words[0] == sys.executable else {}
    start = time.perf_counter()
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, env={**environment(), **path})
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace")[-2000:])
    return time.perf_counter() - start


def row(name: str, ours: float, theirs: float, more_is_better: bool) -> None:
    """Prints a row."""
    ratio = ours / theirs if more_is_better else theirs / ours
    print(f"| {name} | {ours:,.4g} | {theirs:,.4g} | {ratio:.3g} |", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())

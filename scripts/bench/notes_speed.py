"""Times lead sheets, drums and polyphony beside an installed Magenta: dataset, training, generation.

Examples:
  python -m scripts.bench.notes_speed polyphony --notes chorales --magenta ~/magenta
  python -m scripts.bench.notes_speed drums one-drum --notes drums --magenta ~/magenta --steps 20
  python -m scripts.bench.notes_speed basic-improv attention-improv --notes sheets --magenta ~/magenta --batch-size 16

dataset is the whole command, start-up included. train is the time of a step of training at the default hyperparameters, from
two runs of different length, so that start-up does not count, as real events a second: batches of both have as many
sequences.
generate is the time of sequences of 128 steps once the model is loaded and a first one is made; Magenta makes one at a time,
so that of a few says what many would take. The contestants take turns. Beside what a clock shows
stand seconds of processors, which hardly depend on what else a machine does.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from scripts.bench.magenta import NOTES, environment, gather
from scripts.bench.magenta_agreement import LIBRARIES, THEIR_NAMES

FIRST_STEPS = 3
GENERATED = (10, 100)
"""Sequences that are generated at once."""
LIBRARY_OF_CHORDS = "improv_rnn"
CHORDS = ("C", "G7", "Am", "F")

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
if library == 'improv_rnn':
    figures = [figure for figure in sys.argv[6].split() for _ in range(steps // 4)]
    for annotation in note_seq.ChordProgression(figures).to_sequence(qpm=120).text_annotations:
        primer.text_annotations.add().CopyFrom(annotation)
    primer.total_time = steps * step
has_first = library in ('drums_rnn', 'improv_rnn')
options.generate_sections.add(start_time=step if has_first else 0, end_time=steps * step)
generator.generate(primer, options)
start = time.perf_counter(), time.process_time()
for _ in range(number):
    generator.generate(primer, options)
print(json.dumps([time.perf_counter() - start[0], time.process_time() - start[1]]))
"""


class Cost(NamedTuple):
    """What some work takes.

    Attributes:
      wall: seconds on the clock.
      processor: seconds of all processors.
    """

    wall: float
    processor: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall - other.wall, self.processor - other.processor)


def main() -> int:
    """Prints a row for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="basic-improv, drums, polyphony ...")
    parser.add_argument("--notes", required=True, type=pathlib.Path, help="folder that etude convert wrote")
    parser.add_argument("--magenta", required=True, type=pathlib.Path, help="folder of an installed Magenta")
    parser.add_argument("--steps", type=int, default=10, help="training steps that are timed (default 10)")
    parser.add_argument("--number", type=int, default=5, help="sequences of Magenta's that are timed (default 5)")
    parser.add_argument("--num-steps", type=int, default=128, help="their steps (default 128)")
    parser.add_argument("--batch-size", type=int, default=0, help="sequences of a batch (default the configuration's)")
    parser.add_argument("--pieces", type=int, default=0, help="take so many pieces, spread evenly (default all)")
    options = parser.parse_args()
    print("| | ours | Magenta | times Magenta | processors: ours | Magenta | times Magenta |")
    print(f"|---|{6 * '---:|'}")
    for config in options.configs:
        with tempfile.TemporaryDirectory() as name:
            measure(config, options, pathlib.Path(name))
    return 0


def measure(config: str, options: argparse.Namespace, folder: pathlib.Path) -> None:
    """Measures one configuration."""
    from etude import load
    from etude.models.dataset import read_sequences
    from etude.models.hyperparameters import parse_overrides
    from etude.models.magenta.records import file_name
    from etude.models.registry import configure

    hparams = f"batch_size={options.batch_size}" if options.batch_size else ""
    configuration = configure(config, parse_overrides(hparams))
    kind = configuration.representation
    library = LIBRARIES[kind].name if kind in LIBRARIES else LIBRARY_OF_CHORDS
    theirs = THEIR_NAMES.get(configuration.config, config.replace("-", "_"))
    notes = gather(options.notes, options.pieces, folder / "notes")
    ours, dense = folder / "ours", folder / "dense"
    etude = [sys.executable, "-P", "-m", "etude"]
    tools = options.magenta.absolute() / "bin"
    flag = [] if kind == "polyphony" else [f"--config={theirs}"]

    dataset = [*etude, "dataset", str(notes), "--output", "ours", "--representation", kind]
    create = [f"{tools / library}_create_dataset", *flag, f"--input=notes/{NOTES}", "--output_dir=dense"]
    row(f"dataset for {config} (s)", cost(dataset, folder), cost([*create, "--eval_ratio=0.1"], folder))

    train = [*etude, "train", "--config", config, "--dataset", "ours", "--eval-every", "1000000", "--hparams", hparams]
    learn = [f"{tools / library}_train", f"--config={theirs}", f"--hparams={hparams}",
             f"--sequence_example_file={dense / file_name('train', kind)}"]  # fmt: skip
    last = FIRST_STEPS + options.steps
    mine, other = [], []
    for steps in (FIRST_STEPS, last):
        mine.append(cost([*train, "--num-steps", steps, "--run-dir", f"run{steps}"], folder))
        other.append(cost([*learn, f"--num_training_steps={steps}", f"--run_dir={folder}/their{steps}"], folder))
    sequences = read_sequences(ours, "train")
    events = configuration.hyperparameters.batch_size * (sequences.lengths - 1).mean() * options.steps
    row(f"train {config} (events/s)", mine[1] - mine[0], other[1] - other[0], events)

    bundle = folder / "model.mag"
    save = [f"{tools / library}_generate", f"--config={theirs}", f"--run_dir={folder}/their{last}",
            "--hparams=batch_size=1", f"--bundle_file={bundle}", "--save_generator_bundle"]  # fmt: skip
    cost(save, folder)
    model = load(bundle)
    more: dict[str, Any] = {}
    if library == LIBRARY_OF_CHORDS:
        more = {"backing_chords": " ".join(CHORDS), "steps_per_chord": options.num_steps // len(CHORDS)}
    took = {}
    for number in (1, *GENERATED):
        start = Cost(time.perf_counter(), time.process_time())
        model.generate(None, num_outputs=number, num_steps=options.num_steps, seed=1, **more)
        took[number] = Cost(time.perf_counter(), time.process_time()) - start
    few, num_steps = options.number, options.num_steps
    words = [tools / "python", "-c", GENERATE, library, theirs, bundle, few, num_steps, " ".join(CHORDS)]
    done = subprocess.run(
        list(map(str, words)), cwd=folder, check=True, capture_output=True, text=True, env=environment()
    )
    each = [value / few for value in json.loads(done.stdout.splitlines()[-1])]
    for number in GENERATED:
        row(f"generate {number} with {config} (s)", took[number], Cost(*(number * value for value in each)))


def cost(words: Sequence[object], folder: pathlib.Path) -> Cost:
    """What a command takes."""
    path = {"PYTHONPATH": os.pathsep.join([str(pathlib.Path.cwd()), *sys.path])} if words[0] == sys.executable else {}
    start = Cost(time.perf_counter(), processor_seconds())
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, env={**environment(), **path})
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace")[-2000:])
    return Cost(time.perf_counter(), processor_seconds()) - start


def processor_seconds() -> float:
    """Of all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def row(name: str, ours: Cost, theirs: Cost, events: float = 0.0) -> None:
    """Prints a row: seconds, or with `events` how many of them a second."""
    values = [events / value if events else value for value in (*ours, *theirs)]
    ratios = [theirs.wall / ours.wall, theirs.processor / ours.processor]
    cells = [values[0], values[2], ratios[0], values[1], values[3], ratios[1]]
    print(f"| {name} | {' | '.join(map(shown, cells))} |", flush=True)


def shown(value: float) -> str:
    """Three digits or more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())

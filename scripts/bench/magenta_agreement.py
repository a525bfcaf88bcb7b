"""Holds Etude against an installed Magenta on given music: records, likelihoods and evaluation loss.

Examples:
  python -m scripts.bench.magenta_agreement --notes notes --magenta ~/magenta
  python -m scripts.bench.magenta_agreement --notes chorales --magenta ~/magenta --configs polyphony
  python -m scripts.bench.magenta_agreement --notes drums --magenta ~/magenta --configs drums one-drum

For every configuration, Magenta makes its dataset from the same NoteSequences, trains a few steps at the default sizes and
saves a bundle. Then it must hold that: both datasets have the same records; melodies have the same log-likelihood under the
bundle and under the checkpoint that it was made from; Magenta's evaluation, with its dropout turned off, has our loss.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

from scripts.bench.magenta import NOTES, gather

STEPS = 2
"""Of training: weights that are not those of the start."""
BATCH = 4
MELODIES = 12

SCORE = """
import importlib, json, sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import note_seq
from magenta.models.shared import sequence_generator_bundle
name, bundle_file, sequences_file, output, library, model_class, method = sys.argv[1:]
def melody(events):
    return note_seq.Melody(events)
def drums(events):
    return note_seq.DrumTrack([frozenset(event) for event in events])
def polyphony(events):
    from magenta.models.polyphony_rnn import polyphony_lib
    made = polyphony_lib.PolyphonicSequence(steps_per_quarter=4)
    made._events = [polyphony_lib.PolyphonicEvent(kind, pitch) for kind, pitch in events]
    return made
make = {'melody_rnn': melody, 'drums_rnn': drums, 'polyphony_rnn': polyphony}[library]
names = {'melody_rnn': ('melody_rnn_model', 'melody_rnn_sequence_generator', 'MelodyRnnSequenceGenerator'),
         'drums_rnn': ('drums_rnn_model', 'drums_rnn_sequence_generator', 'DrumsRnnSequenceGenerator'),
         'polyphony_rnn': ('polyphony_model', 'polyphony_sequence_generator', 'PolyphonyRnnSequenceGenerator')}[library]
models, generators = (importlib.import_module('magenta.models.%s.%s' % (library, part)) for part in names[:2])
bundle = sequence_generator_bundle.read_bundle_file(bundle_file)
config = models.default_configs[name]
config.hparams.batch_size = 1
generator = getattr(generators, names[2])(
    model=getattr(models, model_class)(config), details=config.details, steps_per_quarter=config.steps_per_quarter,
    bundle=bundle)
generator.initialize()
score = getattr(generator._model, method)
json.dump([float(score(make(events))) for events in json.load(open(sequences_file))], open(output, 'w'))
"""


class Library(NamedTuple):
    """One of Magenta's libraries.

    Attributes:
      name: of its folder and of its commands.
      model: the class of its models.
      likelihood: their method.
    """

    name: str
    model: str
    likelihood: str


LIBRARIES = {
    "melody": Library("melody_rnn", "MelodyRnnModel", "melody_log_likelihood"),
    "drums": Library("drums_rnn", "DrumsRnnModel", "drum_track_log_likelihood"),
    "one_drum": Library("drums_rnn", "DrumsRnnModel", "drum_track_log_likelihood"),
    "polyphony": Library("polyphony_rnn", "PolyphonyRnnModel", "polyphonic_sequence_log_likelihood"),
}
"""By representation."""

THEIR_NAMES = {"drums": "drum_kit", "one-drum": "one_drum", "polyphony": "polyphony"}
"""What Magenta calls a configuration, where it is not our name and `_rnn`."""


def main() -> int:
    """Compares and prints a line for each configuration; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", required=True, type=pathlib.Path, help="folder that etude convert wrote")
    parser.add_argument("--magenta", required=True, type=pathlib.Path, help="folder of an installed Magenta")
    parser.add_argument("--configs", nargs="+", default=["basic", "lookback", "attention", "mono"])
    parser.add_argument("--pieces", type=int, default=0, help="take so many pieces, spread evenly (default all)")
    options = parser.parse_args()
    agrees = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        options.notes = gather(options.notes, options.pieces, folder / "notes")
        for config in options.configs:
            agrees &= compare(config, options, folder)
    return 0 if agrees else 1


def compare(config: str, options: argparse.Namespace, folder: pathlib.Path) -> bool:
    """Compares one configuration."""
    from etude import load
    from etude.models.dataset import read_for_model, read_sequences
    from etude.models.magenta.records import file_name
    from etude.models.registry import configure
    from etude.models.representations.registry import make_representation
    from etude.pipelines.dataset import create_dataset
    from etude.pipelines.evaluation.evaluate import evaluate_model

    kind = configure(config).representation
    library, name = LIBRARIES[kind], THEIR_NAMES.get(configure(config).config, f"{config}_rnn")
    ours, plain, theirs = folder / f"ours-{config}", folder / f"plain-{kind}", folder / f"theirs-{config}"
    # Magenta transposes what it evaluates on, too: without such a split, all of ours is.
    create_dataset([options.notes], ours, representation=kind, format="magenta", config=config, eval_ratio=0.0)
    create_dataset([options.notes], plain, representation=kind)
    # Polyphony has one configuration, and no flag for it.
    flag = [] if kind == "polyphony" else [f"--config={name}"]
    tool(options, folder, f"{library.name}_create_dataset", *flag, f"--input=notes/{NOTES}",
         f"--output_dir={theirs}", "--eval_ratio=0.1")  # fmt: skip
    records = [count_records(where, kind) for where in (ours, theirs)]
    same_records = records[0] == records[1]

    run = folder / f"run-{config}"
    tool(options, folder, f"{library.name}_train", f"--config={name}", f"--run_dir={run}",
         f"--sequence_example_file={theirs}/{file_name('train', kind)}", f"--num_training_steps={STEPS}",
         f"--hparams=batch_size={BATCH}")  # fmt: skip
    bundle = folder / f"{config}.mag"
    tool(options, folder, f"{library.name}_generate", f"--config={name}", f"--run_dir={run}", "--hparams=batch_size=1",
         f"--bundle_file={bundle}", "--save_generator_bundle")  # fmt: skip
    sequences, rendered = read_sequences(plain, "eval"), make_representation(kind)
    chosen = [rendered.render(sequences.tokens(index)) for index in range(min(MELODIES, len(sequences)))]
    (folder / "sequences.json").write_text(json.dumps(chosen))
    python = options.magenta / "bin" / "python"
    subprocess.run([python, "-c", SCORE, name, bundle, "sequences.json", "likelihoods.json", *library], cwd=folder,
                   check=True, capture_output=True)  # fmt: skip
    wanted = json.loads((folder / "likelihoods.json").read_text())
    checkpoint = load(run / "train" / f"model.ckpt-{STEPS}", config=config)
    errors = [
        max(abs(found / value - 1) for found, value in zip(model.log_likelihood(chosen), wanted, strict=True))
        for model in (load(bundle), checkpoint)
    ]

    count = len(read_for_model(theirs, "eval", configure(config)))
    evaluate = [options.magenta / "bin" / f"{library.name}_train", f"--config={name}", f"--run_dir={run}",
                f"--sequence_example_file={theirs}/{file_name('eval', kind)}", "--eval", f"--num_training_steps={STEPS}",
                f"--hparams=batch_size={count},dropout_keep_prob=1.0"]  # fmt: skip
    process = subprocess.Popen(evaluate, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    their_loss = wait_for_loss(run / "eval")
    process.kill()
    process.wait()
    our_loss = evaluate_model(checkpoint, theirs, "eval")["label"]["loss"]
    print(
        f"{config}: {sum(records[0].values())} records {'the same' if same_records else 'DIFFERENT'}; worst relative error "
        f"of {len(chosen)} log-likelihoods {errors[0]:.1e} (bundle), {errors[1]:.1e} (checkpoint); "
        f"evaluation loss on {count} sequences {their_loss:.7f} (Magenta), {our_loss:.7f} (ours)"
    )
    return same_records and max(errors) < 1e-5 and abs(their_loss / our_loss - 1) < 1e-5


def tool(options: argparse.Namespace, folder: pathlib.Path, name: str, *words: str) -> None:
    """Runs one of Magenta's commands."""
    subprocess.run([options.magenta / "bin" / name, *words], cwd=folder, check=True, capture_output=True)


def count_records(folder: pathlib.Path, representation: str) -> collections.Counter[bytes]:
    """Hashes of the records of both splits, and how often each occurs: Magenta's split is another one each time."""
    from etude.models.magenta.records import file_name
    from etude.models.storage.records import read_records
    from etude.models.storage.sequence_examples import decode_inputs_and_labels

    counts: collections.Counter[bytes] = collections.Counter()
    names = [file_name(split, representation) for split in ("train", "eval")]
    for name in (name for name in names if (folder / name).is_file()):
        for record in read_records(folder / name):
            inputs, labels = decode_inputs_and_labels(record)
            counts[hashlib.sha256(inputs.tobytes() + labels.tobytes()).digest()] += 1
    return counts


def wait_for_loss(folder: pathlib.Path, seconds: float = 300.0) -> float:
    """The loss in the TensorBoard events that Magenta's evaluation writes (its log says 0)."""
    import time

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if folder.is_dir():
            events = EventAccumulator(str(folder))
            events.Reload()
            if "loss" in events.Tags()["scalars"]:
                return float(events.Scalars("loss")[-1].value)
        time.sleep(2)
    return float("nan")


if __name__ == "__main__":
    sys.exit(main())

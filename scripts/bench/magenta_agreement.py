"""Holds Etude against an installed Magenta on given music: records, likelihoods and evaluation loss.

Example:
  python -m scripts.bench.magenta_agreement --notes notes --magenta ~/magenta

For every configuration, Magenta makes its dataset from the same NoteSequences, trains a few steps at the default sizes and
saves a bundle. Then it must hold that: both datasets have the same records; melodies have the same log-likelihood under the
bundle and under the checkpoint that it was made from; Magenta's evaluation, with its dropout turned off, has our loss.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

STEPS = 6
BATCH = 16
MELODIES = 12

SCORE = """
import json, sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import note_seq
from magenta.models.melody_rnn import melody_rnn_model, melody_rnn_sequence_generator
from magenta.models.shared import sequence_generator_bundle
name, bundle_file, melodies_file, output = sys.argv[1:]
bundle = sequence_generator_bundle.read_bundle_file(bundle_file)
config = melody_rnn_model.default_configs[name]
config.hparams.batch_size = 1
generator = melody_rnn_sequence_generator.MelodyRnnSequenceGenerator(
    model=melody_rnn_model.MelodyRnnModel(config), details=config.details, steps_per_quarter=4, bundle=bundle)
generator.initialize()
melodies = [note_seq.Melody(events) for events in json.load(open(melodies_file))]
json.dump([float(generator._model.melody_log_likelihood(melody)) for melody in melodies], open(output, 'w'))
"""


def main() -> int:
    """Compares and prints a line for each configuration; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", required=True, type=pathlib.Path, help="folder that etude convert wrote")
    parser.add_argument("--magenta", required=True, type=pathlib.Path, help="folder of an installed Magenta")
    parser.add_argument("--configs", nargs="+", default=["basic", "lookback", "attention", "mono"])
    options = parser.parse_args()
    from etude.models.storage.records import frame, read_records

    agrees = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with (folder / "notes.tfrecord").open("wb") as file:
            for path in sorted(options.notes.glob("notes-*.tfrecord")):
                file.writelines(map(frame, read_records(path)))
        for config in options.configs:
            agrees &= compare(config, options, folder)
    return 0 if agrees else 1


def compare(config: str, options: argparse.Namespace, folder: pathlib.Path) -> bool:
    """Compares one configuration."""
    from etude import load
    from etude.models.dataset import read_for_model, read_melodies
    from etude.models.registry import configure
    from etude.pipelines.dataset import create_dataset
    from etude.pipelines.evaluation.evaluate import evaluate_model

    ours, plain, theirs = folder / f"ours-{config}", folder / "plain", folder / f"theirs-{config}"
    create_dataset([options.notes], ours, format="magenta", config=config)
    create_dataset([options.notes], plain)
    tool(options, folder, "melody_rnn_create_dataset", f"--config={config}_rnn", "--input=notes.tfrecord",
         f"--output_dir={theirs}", "--eval_ratio=0.1")  # fmt: skip
    records = [count_records(where) for where in (ours, theirs)]
    same_records = records[0] == records[1]

    run = folder / f"run-{config}"
    tool(options, folder, "melody_rnn_train", f"--config={config}_rnn", f"--run_dir={run}",
         f"--sequence_example_file={theirs}/training_melodies.tfrecord", f"--num_training_steps={STEPS}",
         f"--hparams=batch_size={BATCH}")  # fmt: skip
    bundle = folder / f"{config}.mag"
    tool(options, folder, "melody_rnn_generate", f"--config={config}_rnn", f"--run_dir={run}", "--hparams=batch_size=1",
         f"--bundle_file={bundle}", "--save_generator_bundle")  # fmt: skip
    melodies = read_melodies(plain, "eval")
    chosen = [melodies.events(index).tolist() for index in range(min(MELODIES, len(melodies)))]
    (folder / "melodies.json").write_text(json.dumps(chosen))
    python = options.magenta / "bin" / "python"
    subprocess.run([python, "-c", SCORE, f"{config}_rnn", bundle, "melodies.json", "likelihoods.json"], cwd=folder,
                   check=True, capture_output=True)  # fmt: skip
    wanted = json.loads((folder / "likelihoods.json").read_text())
    checkpoint = load(run / "train" / f"model.ckpt-{STEPS}", config=config)
    errors = [
        max(abs(found / value - 1) for found, value in zip(model.log_likelihood(chosen), wanted, strict=True))
        for model in (load(bundle), checkpoint)
    ]

    count = len(read_for_model(theirs, "eval", configure(config)))
    evaluate = [options.magenta / "bin" / "melody_rnn_train", f"--config={config}_rnn", f"--run_dir={run}",
                f"--sequence_example_file={theirs}/eval_melodies.tfrecord", "--eval", f"--num_training_steps={STEPS}",
                f"--hparams=batch_size={count},dropout_keep_prob=1.0"]  # fmt: skip
    process = subprocess.Popen(evaluate, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    their_loss = wait_for_loss(run / "eval")
    process.kill()
    process.wait()
    our_loss = evaluate_model(checkpoint, theirs, "eval")["label"]["loss"]
    print(
        f"{config}: {sum(records[0].values())} records {'the same' if same_records else 'DIFFERENT'}; worst relative error "
        f"of {len(chosen)} log-likelihoods {errors[0]:.1e} (bundle), {errors[1]:.1e} (checkpoint); "
        f"evaluation loss on {count} melodies {their_loss:.7f} (Magenta), {our_loss:.7f} (ours)"
    )
    return same_records and max(errors) < 1e-5 and abs(their_loss / our_loss - 1) < 1e-5


def tool(options: argparse.Namespace, folder: pathlib.Path, name: str, *words: str) -> None:
    """Runs one of Magenta's commands."""
    subprocess.run([options.magenta / "bin" / name, *words], cwd=folder, check=True, capture_output=True)


def count_records(folder: pathlib.Path) -> collections.Counter[tuple[bytes, bytes]]:
    """The records of both splits with how often each occurs: Magenta's split is another one each time."""
    from etude.models.magenta.records import file_name
    from etude.models.sequences.domain import MELODY
    from etude.models.storage.records import read_records
    from etude.models.storage.sequence_examples import decode_inputs_and_labels

    counts: collections.Counter[tuple[bytes, bytes]] = collections.Counter()
    for split in ("train", "eval"):
        for record in read_records(folder / file_name(split, MELODY)):
            inputs, labels = decode_inputs_and_labels(record)
            counts[inputs.tobytes(), labels.tobytes()] += 1
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

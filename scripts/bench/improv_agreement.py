"""Holds melodies over chords against an installed Magenta: records, likelihoods, what stochastic search finds, and speed.

Example:
  python -m scripts.bench.improv_agreement --notes notes --magenta ~/magenta

For every configuration, Magenta makes its dataset from the same NoteSequences (which have chord symbols), trains a few steps
at the default sizes and saves a bundle. Then it must hold that: every record of Magenta's is one of ours, and what ours has
besides is of lead sheets with a chord that Magenta cannot read or encode; lead sheets have the same log-likelihood under the
bundle; and what stochastic search finds over the chords C G7 Am F differs in nothing: p-values of the log-likelihood of the
sampled path (Kolmogorov-Smirnov), and of how often each pitch, interval and duration occurs (chi-square, by exchanging whole
melodies). Seconds of both commands that make a dataset, start-up included, and of a melody, start-up apart, stand beside.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.bench.magenta import NOTES, gather

STEPS = 2
"""Of training: weights that are not those of the start."""
BATCH = 4
SHEETS = 12
PRIMER = [60, -1, -2]
FIGURES = [figure for figure in ("C", "G7", "Am", "F") for _ in range(16)]
SETTINGS = (
    {"beam_size": 1, "branch_factor": 1, "temperature": 1.0},
    {"beam_size": 8, "branch_factor": 4, "temperature": 3.0},
)

MAGENTA = """
import json, logging, re, sys, time
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import note_seq
from magenta.models.improv_rnn import improv_rnn_model, improv_rnn_sequence_generator
from magenta.models.shared import sequence_generator_bundle
job = json.loads(open(sys.argv[1]).read())
logged = []
class Handler(logging.Handler):
    def emit(self, record):
        found = re.search('log-likelihood: (-?[0-9.]+)', record.getMessage())
        if found:
            logged.append(float(found[1]))
logger = tf.get_logger()
logger.setLevel(logging.INFO)
logger.handlers, logger.propagate = [Handler()], False
config = improv_rnn_model.default_configs[job['config']]
config.hparams.batch_size = 1
generator = improv_rnn_sequence_generator.ImprovRnnSequenceGenerator(
    model=improv_rnn_model.ImprovRnnModel(config), details=config.details, steps_per_quarter=4,
    bundle=sequence_generator_bundle.read_bundle_file(job['bundle']))
generator.initialize()
model = generator._model
result = {'samples': [], 'likelihoods': [
    float(model.melody_log_likelihood(note_seq.Melody(events), note_seq.ChordProgression(figures)))
    for events, figures in job['sheets']]}
for setting in job['settings']:
    np.random.seed(1)
    logged.clear()
    start = time.time()
    melodies = [model.generate_melody(note_seq.Melody(job['primer']), note_seq.ChordProgression(job['figures']),
                                      steps_per_iteration=1, **setting) for _ in range(job['number'])]
    result['samples'].append({'log_likelihood': list(logged), 'seconds': (time.time() - start) / len(melodies),
                              'events': [[int(event) for event in melody] for melody in melodies]})
json.dump(result, open(job['output'], 'w'))
"""


def main() -> int:
    """Compares and prints a line for each figure; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", required=True, type=pathlib.Path, help="folder that etude convert wrote")
    parser.add_argument("--magenta", required=True, type=pathlib.Path, help="folder of an installed Magenta")
    parser.add_argument("--configs", nargs="+", default=["basic_improv", "attention_improv", "chord_pitches_improv"])
    parser.add_argument("--number", type=int, default=100, help="melodies of Magenta's for each setting (default 100)")
    parser.add_argument("--pieces", type=int, default=0, help="take so many pieces, spread evenly (default all)")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    agrees = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        options.notes = gather(options.notes, options.pieces, folder / "notes")
        for config in options.configs:
            agrees &= compare(config, options, folder)
    return 0 if agrees else 1


def compare(config: str, options: argparse.Namespace, folder: pathlib.Path) -> bool:
    """Compares one configuration."""
    same = compare_records(config, options, folder)
    run, bundle = folder / f"run-{config}", folder / f"{config}.mag"
    tool(options, folder, "improv_rnn_train", f"--config={config}", f"--run_dir={run}",
         f"--sequence_example_file=theirs-{config}/training_lead_sheets.tfrecord", f"--num_training_steps={STEPS}",
         f"--hparams=batch_size={BATCH}")  # fmt: skip
    tool(options, folder, "improv_rnn_generate", f"--config={config}", f"--run_dir={run}", "--hparams=batch_size=1",
         f"--bundle_file={bundle}", "--save_generator_bundle")  # fmt: skip
    return compare_models(config, bundle, options, folder) and same


def compare_records(config: str, options: argparse.Namespace, folder: pathlib.Path) -> bool:
    """Compares the records of both, all of them for training: Magenta moves those that evaluate into all keys, too."""
    from etude.models.dataset import read_description

    ours, theirs = folder / f"ours-{config}", folder / f"theirs-{config}"
    start = time.perf_counter()
    made = [*etude(), "dataset", str(options.notes), "--output", str(ours), "--representation", "lead_sheet", "--option",
            "infer_chords=false", "--eval-ratio", "0", "--format", "magenta", "--config", config]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    between = time.perf_counter()
    tool(options, folder, "improv_rnn_create_dataset", f"--config={config}", f"--input=notes/{NOTES}",
         f"--output_dir={theirs}", "--eval_ratio=0.0")  # fmt: skip
    seconds = between - start, time.perf_counter() - between
    counts = [count_records(where / "training_lead_sheets.tfrecord") for where in (ours, theirs)]
    only_ours, only_theirs = (sum((one - other).values()) for one, other in (counts, counts[::-1]))
    remarks = dict(read_description(ours).remarks)
    print(
        f"{config}: {sum((counts[0] & counts[1]).values())} records the same, {only_theirs} only Magenta's, {only_ours} only "
        f"ours ({remarks}); dataset {seconds[0]:.1f} s ours, {seconds[1]:.1f} s Magenta",
        flush=True,
    )
    most = 12 * sum(remarks.values())
    return only_theirs == 0 and only_ours <= most


def compare_models(config: str, bundle: pathlib.Path, options: argparse.Namespace, folder: pathlib.Path) -> bool:
    """Compares log-likelihoods and what is sampled."""
    from scipy.stats import ks_2samp

    from etude import load
    from etude.models.chords.chord import CHORDS
    from etude.models.chords.figure import figure_of
    from etude.models.dataset import read_melodies
    from etude.pipelines.dataset import create_dataset
    from scripts.bench.search_agreement import exchange_p_value

    plain = folder / "plain"
    create_dataset([options.notes], plain, representation="lead_sheet", options={"infer_chords": "false"})
    sheets = read_melodies(plain, "eval")
    chosen = [
        (sheets.events(index).tolist(), list(map(figure_of, sheets.column(CHORDS, index).tolist())))
        for index in range(min(SHEETS, len(sheets)))
    ]
    readable = [(events, figures) for events, figures in chosen if not any("sus" in figure for figure in figures)]
    job = {"config": config, "bundle": str(bundle), "sheets": readable, "primer": PRIMER, "figures": FIGURES,
           "number": options.number, "settings": SETTINGS, "output": str(folder / "result.json")}  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    python = str(options.magenta / "bin" / "python")
    subprocess.run([python, "-c", MAGENTA, str(folder / "job.json")], cwd=folder, check=True, capture_output=True)
    found = json.loads((folder / "result.json").read_text())

    model = load(bundle)
    ours = model.log_likelihood([list(zip(*sheet, strict=True)) for sheet in readable])
    worst = max(abs(one / other - 1) for one, other in zip(ours, found["likelihoods"], strict=True))
    print(f"{config}: worst relative error of {len(ours)} log-likelihoods {worst:.1e}", flush=True)
    lowest = 1.0
    for setting, theirs in zip(SETTINGS, found["samples"], strict=True):
        start = time.perf_counter()
        made = model.generate(
            PRIMER,
            num_outputs=10 * options.number,
            seed=1,
            backing_chords="C G7 Am F",
            steps_per_iteration=1,
            **setting,
        )
        seconds = (time.perf_counter() - start) / len(made)
        paths = np.array([match.path_log_likelihood for match in made], np.float64)
        given = primer_share(model, setting["temperature"])
        values = {"path": ks_2samp(np.round(paths, 2), np.round(np.array(theirs["log_likelihood"]) - given, 2)).pvalue}
        events, others = np.array([match.events for match in made]), np.array(theirs["events"])
        for name, measure in (("pitches", pitches), ("intervals", intervals), ("durations", durations)):
            values[name] = exchange_p_value(events, others, measure)
        lowest = min(lowest, *values.values())
        figures = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        print(
            f"{config}, {setting}: p-values {figures}; a melody takes {seconds * 1e3:.2f} ms ours, "
            f"{theirs['seconds'] * 1e3:.1f} ms Magenta",
            flush=True,
        )
    return worst < 1e-5 and lowest > 0.001


def primer_share(model: Any, temperature: float) -> float:
    """What Magenta's figure holds of the primer: its log-likelihood, at the temperature too."""
    from etude.models.chords.chord import CHORDS
    from etude.models.chords.figure import chord_numbers
    from etude.models.melodies.melody import metres
    from etude.models.networks.network import log_softmax

    events, known = np.array([PRIMER]), {**metres(16), CHORDS: chord_numbers(FIGURES)[None]}
    logits = model.network.logits(model.encoding.inputs(events[:, :-1], known))
    labels = model.encoding.labels(events, known)[:, 1:]
    return float(np.take_along_axis(log_softmax(logits / temperature), labels[..., None], axis=-1).sum())


def pitches(events: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often each pitch begins after the primer: [128]."""
    after = events[len(PRIMER) :]
    return np.bincount(after[after >= 0], minlength=128)


def intervals(events: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often each interval follows, from -127 to 127: [255]."""
    return np.bincount(np.diff(events[events >= 0]) + 127, minlength=255)


def durations(events: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often so many steps lie between two events: [128]."""
    return np.bincount(np.diff(np.flatnonzero(events != -2)), minlength=128)


def count_records(path: pathlib.Path) -> collections.Counter[tuple[bytes, bytes]]:
    """The records of a file with how often each occurs."""
    from etude.models.storage.records import read_records
    from etude.models.storage.sequence_examples import decode_inputs_and_labels

    decoded = map(decode_inputs_and_labels, read_records(path))
    return collections.Counter((inputs.tobytes(), labels.tobytes()) for inputs, labels in decoded)


def tool(options: argparse.Namespace, folder: pathlib.Path, name: str, *words: str) -> None:
    """Runs one of Magenta's commands."""
    from scripts.bench.magenta import environment

    command = [str(options.magenta.absolute() / "bin" / name), *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment())


def etude() -> list[str]:
    """The command of this very checkout."""
    return [sys.executable, "-P", "-m", "etude"]


if __name__ == "__main__":
    sys.exit(main())

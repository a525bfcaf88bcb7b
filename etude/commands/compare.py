"""Compares models on one split of a dataset: a report to read, and the same as JSON, CSV and for TensorBoard.

examples:
  etude compare runs/basic runs/lookback runs/attention --dataset dataset --output comparison
  etude compare runs/* --dataset dataset --split test --generated melodies/* --output comparison

Models are ranked by their event figures, which can be compared between encodings, with 95% intervals, paired tests, and
baselines that any model should beat. A model that was trained on another dataset is refused. Models of several
representations are compared by what their pieces cost as a whole: give a dataset of each, made of the same notes. Where these
were made with --exact-tunes, they are compared in bits a note, on equal terms, beside n-grams and xz of every representation.
`tensorboard --logdir REPORT` shows the figures beside the hyperparameters (HParams), the learning curves, and generated
melodies (Images).
"""

import argparse
import pathlib
import shlex

from etude.commands.common import add_family, as_typed
from etude.commands.output_folder import check_output
from etude.console import Console

INTERRUPTED = "a report is written at the end: run the same command again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="run directories or Magenta bundles (.mag)")
    parser.add_argument(
        "--dataset", action="extend", nargs="+", required=True, metavar="DATASET",
        help="folder that 'etude dataset' wrote; one for each representation that the models read, of the same pieces",
    )  # fmt: skip
    parser.add_argument(
        "--output", required=True, metavar="REPORT", help="folder for report.html, results.json and more"
    )
    parser.add_argument("--split", default="eval", help="which split (default eval)")
    parser.add_argument(
        "--generated",
        action="extend",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of 'etude generate' to show and measure",
    )
    parser.add_argument(
        "--allow-other-training-data", action="store_true", help="compare models trained on other datasets too"
    )
    parser.add_argument(
        "--checkpoint",
        default="best",
        metavar="best|latest|STEP",
        help="which weights of a run directory (default best)",
    )
    add_family(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    """Compares."""
    from etude.pipelines.compare import RESULTS_FILE, compare
    from etude.results_table import format_results, read_results

    output = pathlib.Path(options.output)
    check_output(output, "comparison")
    with console.progress("comparing") as progress:
        compare(
            [pathlib.Path(path) for path in options.models],
            [pathlib.Path(path) for path in options.dataset],
            output,
            split=options.split,
            checkpoint=options.checkpoint,
            allow_other_training_data=options.allow_other_training_data,
            generated=[pathlib.Path(path) for path in options.generated],
            progress=progress,
        )
    console.result(format_results(read_results(output / RESULTS_FILE)))
    console.say(f"report: {output / 'report.html'}; or: {as_typed('tensorboard')} --logdir {shlex.quote(str(output))}")

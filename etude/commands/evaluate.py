"""Reports the exact figures of models on one split of a dataset: dropout off, every melody once, weighted by step.

examples:
  etude evaluate runs/lookback --dataset dataset
  etude evaluate runs/* --dataset dataset --split test --json figures.json

Label figures (loss, perplexity, accuracy) are as Magenta defines them and cannot be compared between encodings, since
Lookback and Attention have labels of their own for repeats. Event figures can: they sum over all labels that stand for
the same event. A table is printed; the JSON holds every figure.
"""

import argparse
import json
import pathlib
from typing import Any

from etude.commands.common import MODEL_HELP, add_dataset, add_model_options, load_model, num_workers, whole
from etude.console import Console

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help=MODEL_HELP)
    add_dataset(parser)
    parser.add_argument("--split", default="eval", help="which split (default eval)")
    parser.add_argument(
        "--workers",
        type=whole(1, 1_000_000),
        default=1,
        metavar="N",
        help="processes, as a Beam job (default 1, without Beam)",
    )
    add_model_options(parser)
    parser.add_argument(
        "--kernels",
        choices=("compiled", "numpy"),
        default="compiled",
        help="what layers run on; both compute the same (default compiled)",
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE (- for standard output)")


def run(options: argparse.Namespace, console: Console) -> None:
    """Evaluates."""
    from etude.models.errors import EtudeError
    from etude.models.storage.files import write_text
    from etude.pipelines.evaluation.evaluate import evaluate_model, write_tensorboard
    from etude.pipelines.files.dataset_folder import open_folder
    from etude.pipelines.files.file_systems import is_remote, set_options

    if options.beam_options and is_remote(options.dataset):
        set_options(options.beam_options)
    models = [load_model(path, options) for path in options.models]
    workers = num_workers(options, console)
    reports: list[dict[str, Any]] = []
    for model in models:
        with console.progress(f"evaluating {model.path}") as progress:
            report = evaluate_model(
                model,
                open_folder(options.dataset),
                options.split,
                workers=workers,
                beam_options=options.beam_options,
                compiled=options.kernels == "compiled",
                progress=progress,
            )
        reports.append(report)
    text = json.dumps(reports if len(reports) > 1 else reports[0], indent=2)
    console.result(text if options.json == "-" else _table(reports))
    if options.json not in (None, "-"):
        write_text(options.json, text + "\n")
    for model, report in zip(models, reports, strict=True):
        if model.path.is_dir():
            try:
                write_tensorboard(model.path, options.split, report)
            except EtudeError as error:  # somebody else's model, perhaps: the figures were asked for, and are there
                console.say(f"the figures were not added to {model.path} for TensorBoard: {error}")


def _table(reports: list[dict[str, Any]]) -> str:
    from etude.models.evaluation.figures import token_figures

    unit = "event" if all("event" in report for report in reports) else "token"
    loss_title = f"{unit} loss"
    header = f"{'model':24} {'loss':>8} {'perplexity':>10} {'accuracy':>8} {loss_title:>10} {'log-likelihood':>14}"
    lines = [header]
    for report in reports:
        label, loss = report["label"], token_figures(report)["loss"]
        lines.append(
            f"{pathlib.Path(report['model']).name[:24]:24} {label['loss']:8.4f} {label['perplexity']:10.4f} "
            f"{label['accuracy']:8.4f} {loss:10.4f} {report['log_likelihood']:14.3f}"
        )
    first = reports[0]
    number, things, steps = (
        (first["num_melodies"], "melodies", "steps")
        if unit == "event"
        else (first["num_sequences"], "sequences", "tokens")
    )
    lines += _parts(reports)
    lines.append(f"{first['split']} split: {number:,} {things}, {first['num_steps']:,} predicted {steps}")
    return "\n".join(lines)


def _parts(reports: list[dict[str, Any]]) -> list[str]:
    """Header and body of tunes by themselves, a line each: nats and bits a token, perplexity, accuracy."""
    if not any("part" in report["by"] for report in reports):
        return []
    lines = [f"{'of tunes':24} {'loss':>8} {'bits':>8} {'perplexity':>10} {'accuracy':>8}"]
    for report in reports:
        for part, figures in report["by"].get("part", {}).items():
            name = f"{pathlib.Path(report['model']).name[:17]} {part}"
            lines.append(
                f"{name:24} {figures['loss']:8.4f} {figures['bits_per_step']:8.4f} {figures['perplexity']:10.4f} "
                f"{figures['accuracy']:8.4f}"
            )
    return lines

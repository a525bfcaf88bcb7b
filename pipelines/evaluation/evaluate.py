"""Exact figures of one model on one split of a dataset, in this process or as a Beam job over the split's files."""

import pathlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from etude.models.dataset import check_fits, find_split, read_description, read_for_model
from etude.models.evaluation.figures import report, report_by_category
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.storage.folder import Folder, as_folder
from etude.models.storage.metrics import scalars
from etude.models.storage.tensorboard_events import EventWriter
from etude.pipelines.evaluation.totals import totals_of


def evaluate_model(
    model: Model,
    dataset: pathlib.Path | Folder,
    split: str,
    *,
    workers: int = 1,
    beam_options: Sequence[str] = (),
    compiled: bool = True,
    progress: Progress = silent,
) -> dict[str, Any]:
    """What was evaluated, and the figures of `etude.models.evaluation.figures`.

    Args:
      model: the model.
      dataset: a dataset folder, on disk or elsewhere.
      split: one of its splits.
      workers: processes; more than one make it a Beam job.
      beam_options: Beam's own options, which make it a Beam job, too.
      compiled: whether in compiled code, where it can be had; equal to NumPy's within rounding.
      progress: called after every batch, or, by a Beam job, at the end.

    Raises:
      EtudeError: if the dataset or the split is missing, empty or damaged, or is of other sequences than the model
        reads.
    """
    check_fits(model.configuration, model.path, dataset)
    if workers == 1 and not beam_options:
        sequences = read_for_model(dataset, split, model.configuration)
        totals = totals_of(model, sequences, progress, compiled)
    else:
        totals = totals_by_beam(model, as_folder(dataset), split, workers, beam_options)
        progress(int(totals["num_sequences"]), int(totals["num_sequences"]))
    return {
        "config": model.configuration.config,
        "model": str(model.path),
        "step": model.step,
        "split": split,
        "dataset_fingerprint": read_description(dataset).fingerprint,
        "training_fingerprint": model.training_fingerprint,
        **report({name: np.asarray(total) for name, total in totals.items()}, model.encoding.unit),
        "by": report_by_category(totals),
    }


def totals_by_beam(
    model: Model, dataset: Folder, split: str, workers: int = 1, beam_options: Sequence[str] = ()
) -> dict[str, float]:
    """The sums over all sequences of a split, from a Beam job over its files.

    The result reaches this process through a file in Beam's `--temp_location`, if that is given, or on this machine.
    """
    # Beam takes seconds to import.
    from etude.pipelines.evaluation.evaluate_sequences import total_of_files
    from etude.pipelines.running.runner import Resources

    files = list(find_split(dataset, split).files)
    return total_of_files(model, dataset, files, Resources(workers, beam_options))


def write_tensorboard(run_dir: pathlib.Path, split: str, figures: dict[str, Any]) -> None:
    """Writes the figures as scalars at the model's step, in a TensorBoard run of their own beside train and eval."""
    now = time.time()
    writer = EventWriter(run_dir / f"evaluate-{split}", now)
    writer.scalars(figures["step"], now, scalars(figures))
    writer.close()

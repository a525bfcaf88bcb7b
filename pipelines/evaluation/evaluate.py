"""Exact figures of one model on one split of a dataset, in this process or as a Beam job over the split's files."""

import pathlib
import time
from collections.abc import Sequence
from typing import Any

from etude.models.dataset import find_split, read_description, read_for_model
from etude.models.evaluation.evaluation import MelodySums, report
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.storage.folder import Folder, as_folder
from etude.models.storage.messages import as_dict
from etude.models.storage.metrics import scalars
from etude.models.storage.tensorboard_events import EventWriter


def evaluate_model(
    model: Model,
    dataset: pathlib.Path | Folder,
    split: str,
    *,
    workers: int = 1,
    beam_options: Sequence[str] = (),
    progress: Progress = silent,
) -> dict[str, Any]:
    """The figures of `proto/models/evaluation.proto`.

    Args:
      model: the model.
      dataset: a dataset folder, on disk or elsewhere.
      split: one of its splits.
      workers: processes; more than one make it a Beam job.
      beam_options: Beam's own options, which make it a Beam job, too.
      progress: told after every batch, or, by a Beam job, at the end.

    Raises:
      EtudeError: if the dataset or the split is missing, empty or damaged.
    """
    if workers == 1 and not beam_options:
        melodies = read_for_model(dataset, split, model.configuration)
        message = report(model.evaluate(melodies, squash=False, progress=progress))
    else:
        total = total_by_beam(model, as_folder(dataset), split, workers, beam_options)
        message = report(MelodySums.of_total(total), int(total["num_melodies"]))
        progress(message.num_melodies, message.num_melodies)
    message.config = model.configuration.config
    message.model = str(model.path)
    message.step = model.step
    message.split = split
    message.dataset_fingerprint = read_description(dataset).fingerprint
    message.training_fingerprint = model.training_fingerprint
    return as_dict(message)


def total_by_beam(
    model: Model, dataset: Folder, split: str, workers: int = 1, beam_options: Sequence[str] = ()
) -> dict[str, float]:
    """The sums over all melodies of a split, from a Beam job over its files.

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

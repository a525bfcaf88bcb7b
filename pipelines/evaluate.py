"""Exact figures of one model on one split of a dataset."""

import pathlib
import time
from typing import Any

from models.dataset import read_description, read_for_model
from models.evaluation import report
from models.messages import as_dict
from models.model import Model
from models.progress import Progress, silent
from models.tensorboard_events import EventWriter
from models.training.metrics import scalars


def evaluate_model(model: Model, dataset: pathlib.Path, split: str, progress: Progress = silent) -> dict[str, Any]:
    """The figures of `proto/models/evaluation.proto`.

    Args:
      model: the model.
      dataset: a dataset folder.
      split: one of its splits.
      progress: told after every batch.

    Raises:
      EtudeError: if the dataset or the split is missing, empty or damaged.
    """
    melodies = read_for_model(dataset, split, model.configuration)
    message = report(model.evaluate(melodies, squash=False, progress=progress))
    message.config = model.configuration.config
    message.model = str(model.path)
    message.step = model.step
    message.split = split
    message.dataset_fingerprint = read_description(dataset).fingerprint
    message.training_fingerprint = model.training_fingerprint
    return as_dict(message)


def write_tensorboard(run_dir: pathlib.Path, split: str, figures: dict[str, Any]) -> None:
    """Writes the figures as scalars at the model's step, in a TensorBoard run of their own beside train and eval."""
    now = time.time()
    writer = EventWriter(run_dir / f"evaluate-{split}", now)
    writer.scalars(figures["step"], now, scalars(figures))
    writer.close()

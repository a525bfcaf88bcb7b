"""Exact figures of one model on one split of a dataset, in this process or as a Beam job over the split's files."""

import dataclasses
import pathlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from etude.models.dataset import check_steps, find_split, read_description, read_file_for_model, read_for_model
from etude.models.evaluation.figures import report
from etude.models.evaluation.statistics import Sums, join
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.storage.checkpoint import save_arrays
from etude.models.storage.metrics import scalars
from etude.models.storage.tensorboard_events import EventWriter
from etude.pipelines.jobs.shards import Slice


def evaluate_model(
    model: Model,
    dataset: pathlib.Path,
    split: str,
    *,
    workers: int = 1,
    beam_options: Sequence[str] = (),
    progress: Progress = silent,
) -> dict[str, Any]:
    """What was evaluated, and the figures of `etude.models.evaluation.figures`.

    Args:
      model: the model.
      dataset: a dataset folder.
      split: one of its splits.
      workers: processes; more than one make it a Beam job.
      beam_options: Beam's own options, which make it a Beam job, too.
      progress: called after every batch, or, by a Beam job, at the end.

    Raises:
      EtudeError: if the dataset or the split is missing, empty or damaged, or has other steps than the model.
    """
    check_steps(model.configuration, model.path, dataset)
    if workers == 1 and not beam_options:
        melodies = read_for_model(dataset, split, model.configuration)
        sums = model.evaluate(melodies, squash=False, progress=progress)
    else:
        sums = sums_by_beam(model, dataset, split, workers, beam_options)
        progress(len(sums), len(sums))
    return {
        "config": model.configuration.config,
        "model": str(model.path),
        "step": model.step,
        "split": split,
        "dataset_fingerprint": read_description(dataset).fingerprint,
        "training_fingerprint": model.training_fingerprint,
        **report(sums.totals(), model.encoding.unit),
    }


def sums_by_beam(
    model: Model, dataset: pathlib.Path, split: str, workers: int = 1, beam_options: Sequence[str] = ()
) -> Sums:
    """The sums of every melody of a split, in its order, from a Beam job with one slice a file.

    The sums of a slice reach this process through a temporary folder, which the workers have to share.
    """
    from etude.pipelines.jobs.beam_runner import run_slices

    files = list(find_split(dataset, split).files)
    parts = [Slice(index, len(files), (name,)) for index, name in enumerate(files)]
    with tempfile.TemporaryDirectory(prefix="etude-") as name:
        results = pathlib.Path(name)
        run_slices(EvaluateFile(model, dataset.absolute(), results), parts, workers, beam_options)
        return join([read_sums(results / f"{part.index:05d}.npz") for part in parts])


@dataclasses.dataclass(frozen=True)
class EvaluateFile:
    """Evaluates a model on one file of a split.

    Attributes:
      model: the model.
      dataset: the dataset folder.
      results: where the sums go.
    """

    model: Model
    dataset: pathlib.Path
    results: pathlib.Path

    def __call__(self, part: Slice[str]) -> Mapping[str, int]:
        """Writes the sums of the slice's melodies, and counts the melodies."""
        (name,) = part.items
        melodies = read_file_for_model(self.dataset, name, self.model.configuration)
        sums = self.model.evaluate(melodies, squash=False)
        save_arrays(self.results / f"{part.index:05d}.npz", sums.values)
        return {"melodies": len(melodies)}


def read_sums(path: pathlib.Path) -> Sums:
    """Sums that `EvaluateFile` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return Sums({name: stored[name] for name in stored.files})


def write_tensorboard(run_dir: pathlib.Path, split: str, figures: dict[str, Any]) -> None:
    """Writes the figures as scalars at the model's step, in a TensorBoard run of their own beside train and eval."""
    now = time.time()
    writer = EventWriter(run_dir / f"evaluate-{split}", now)
    writer.scalars(figures["step"], now, scalars(figures))
    writer.close()

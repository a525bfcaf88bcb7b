"""How much of a melody occurs in the melodies that its model was trained on."""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from etude.models.dataset import read_description, read_for_model
from etude.models.errors import EtudeError
from etude.models.melodies.content import NGRAM_SIZES, Hashes, ngram_hashes
from etude.models.melodies.melody import Events
from etude.models.model import Model
from etude.models.storage.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class TrainingNgrams:
    """The runs of notes, as intervals and durations, of a training set.

    Attributes:
      hashes: by the number of notes in a run, sorted.
    """

    hashes: Mapping[int, Hashes]

    def overlap(self, events: Events) -> dict[str, float | None]:
        """The share of a melody's runs of notes that occur in the training set, by the number of notes in a run.

        None where the melody has no run of so many notes.
        """
        result: dict[str, float | None] = {}
        for size, known in self.hashes.items():
            found = ngram_hashes(events, size)
            result[str(size)] = float(np.isin(found, known).mean()) if len(found) else None
        return result


def training_ngrams(model: Model) -> TrainingNgrams | None:
    """The runs of notes that a model was trained on, in its key and range.

    Returns:
      None if its dataset is unknown (as a Magenta bundle's is), gone, or no longer the same.
    """
    folder = _dataset(model)
    if folder is None:
        return None
    try:
        melodies = read_for_model(folder, "train", model.configuration)
    except EtudeError:
        return None
    events = [melodies.events(index) for index in range(len(melodies))]
    return TrainingNgrams(
        {
            size: np.unique(np.concatenate([np.zeros(0, np.uint64), *(ngram_hashes(event, size) for event in events)]))
            for size in NGRAM_SIZES
        }
    )


def _dataset(model: Model) -> pathlib.Path | None:
    """The dataset that a run was trained on.

    The run knows its path as it was given: from the working folder then, which may be any folder above the run's now.
    """
    if not model.training_fingerprint or not model.path.is_dir():
        return None
    stored = RunDirectory(model.path).read().dataset.path
    for above in (pathlib.Path(), *model.path.absolute().parents):
        folder = above / stored
        if folder.is_dir() and _fingerprint(folder) == model.training_fingerprint:
            return folder
    return None


def _fingerprint(folder: pathlib.Path) -> str:
    try:
        return read_description(folder).fingerprint
    except EtudeError:
        return ""

"""How much of a sequence occurs in those that its model was trained on."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.dataset import read_description, read_for_model
from etude.models.errors import EtudeError
from etude.models.melodies.content import NGRAM_SIZES, Hashes, hash_runs, interval_numbers
from etude.models.model import Model
from etude.models.sequences.batch import Tokens
from etude.models.sequences.domain import MELODIC
from etude.models.storage.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class TrainingNgrams:
    """The runs of a training set: of a melody's notes, as intervals and durations; of others' tokens.

    Attributes:
      hashes: by the number of notes, or tokens, in a run, sorted.
      numbers: what of a sequence makes its runs, one number for each note but the first, or for each token.
    """

    hashes: Mapping[int, Hashes]
    numbers: Callable[[Tokens], Hashes] = interval_numbers

    def overlap(self, tokens: Tokens) -> dict[str, float | None]:
        """The share of a sequence's runs that occur in the training set, by the number of notes, or tokens, in a run.

        None where the sequence has no run of so many.
        """
        result: dict[str, float | None] = {}
        numbers = self.numbers(tokens)
        for size, known in self.hashes.items():
            found = hash_runs([numbers], size)
            result[str(size)] = float(_is_in(found, known).mean()) if len(found) else None
        return result


def mean_overlap(overlaps: Sequence[Mapping[str, float | None] | None]) -> dict[str, float]:
    """The mean share of sequences' runs that occur in training, by name, such as `runs of 4`; without what is unknown."""
    known = [overlap for overlap in overlaps if overlap]
    means = {}
    for size in dict.fromkeys(size for overlap in known for size in overlap):
        values = [value for overlap in known if (value := overlap.get(size)) is not None]
        if values:
            means[f"runs of {size}"] = sum(values) / len(values)
    return means


def _is_in(hashes: Hashes, known: Hashes) -> npt.NDArray[np.bool_]:
    """Which hashes are among sorted ones; `np.isin` would sort these again for every sequence."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    places = np.searchsorted(known, hashes)
    return known[np.minimum(places, len(known) - 1)] == hashes


def training_ngrams(model: Model) -> TrainingNgrams | None:
    """The runs that a model was trained on; those of melodies in its key and range.

    Returns:
      None if its dataset is unknown (as a Magenta bundle's is), gone, or no longer the same.
    """
    folder = training_dataset(model)
    if folder is None:
        return None
    try:
        train = read_for_model(folder, "train", model.configuration)
    except EtudeError:
        return None
    numbers = interval_numbers if model.configuration.representation in MELODIC else _token_numbers
    sequences = [numbers(train.tokens(index)) for index in range(len(train))]
    return TrainingNgrams({size: np.unique(hash_runs(sequences, size)) for size in NGRAM_SIZES}, numbers)


def _token_numbers(tokens: Tokens) -> Hashes:
    return tokens.astype(np.uint64)


def training_dataset(model: Model) -> pathlib.Path | None:
    """The dataset that a run was trained on; None if it is unknown, gone, or no longer the same.

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

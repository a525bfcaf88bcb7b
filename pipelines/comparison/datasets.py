"""The datasets that models are compared on: one of each representation, all of the same pieces."""

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from etude.models.dataset import read_description, read_sequences, representation_name
from etude.models.errors import EtudeError
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage import dataset_pb2
from etude.models.storage.metrics import TRAIN


class Splits(NamedTuple):
    """The sequences of one representation: those of the split that is evaluated, and those of train, as extracted."""

    evaluated: SequenceSet
    train: SequenceSet


class Dataset(NamedTuple):
    """A dataset that models are compared on.

    Attributes:
      path: its folder.
      description: what its dataset.json says.
      splits: its sequences.
    """

    path: pathlib.Path
    description: dataset_pb2.DatasetDescription
    splits: Splits


def read_datasets(paths: Sequence[pathlib.Path], split: str) -> dict[str, Dataset]:
    """Datasets by the name of their representation.

    Args:
      paths: their folders.
      split: that is evaluated.

    Raises:
      EtudeError: if one is missing or damaged, two are of one representation, or they are of other pieces.
    """
    datasets: dict[str, Dataset] = {}
    for path in paths:
        description = read_description(path)
        name = representation_name(description)
        if name in datasets:
            raise EtudeError(
                f"{datasets[name].path} and {path} are both of the representation {name}: models are compared on one dataset "
                "of each; leave one out"
            )
        first = next(iter(datasets.values()), None)
        if first is not None:
            _check_pieces(first, path, description)
        datasets[name] = Dataset(path, description, Splits(read_sequences(path, split), read_sequences(path, TRAIN)))
    return datasets


def _check_pieces(first: Dataset, path: pathlib.Path, description: dataset_pb2.DatasetDescription) -> None:
    """Raises an error if a dataset is of other pieces, or of the same ones with another split, than the first."""
    pieces, others = first.description.pieces_fingerprint, description.pieces_fingerprint
    if not pieces or not others:
        raise EtudeError(
            f"{path if pieces else first.path} does not say which pieces it is of, since an earlier version wrote it; write "
            "it again with 'etude dataset'"
        )
    if pieces != others:
        raise EtudeError(
            f"{first.path} and {path} are not of the same pieces with the same split (their pieces' fingerprints are "
            f"{pieces} and {others}), so that what they cost cannot be compared; make both from the same NOTES with the same "
            "--eval-ratio, --test-ratio and --salt"
        )

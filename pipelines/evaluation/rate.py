"""Rates pieces of any origin against a dataset."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.dataset import find_split, read_description, steps_per_quarter
from etude.models.errors import EtudeError
from etude.models.melodies.extraction import explain, whole_track_options
from etude.models.melodies.melody import MAX_PITCH, NO_EVENT
from etude.models.ngram.rating import Rater, Rating, Scale
from etude.models.progress import Progress, silent
from etude.models.representations.melody import MelodyRepresentation
from etude.models.representations.piece import Piece
from etude.models.representations.registry import make_representation
from etude.models.representations.representation import Representation
from etude.models.representations.vocabulary import Vocabulary
from etude.models.sequences.domain import MELODIC, MELODY
from etude.models.storage.folder import Folder
from etude.models.storage.records import read_records
from etude.pipelines.files.dataset_folder import open_folder
from etude.pipelines.readers.pieces import usable_pieces
from etude.pipelines.sequences.split_rule import TRAIN

Tokens = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Reference:
    """What pieces are rated against.

    Attributes:
      representation: what pieces become.
      vocabulary: of its symbols; None for melodies, whose events are numbers.
      rater: fitted on the train split.
      scale: the ratings of the sequences that were held out; None if none were.
      num_held_out: how many these are.
    """

    representation: Representation
    vocabulary: Vocabulary | None
    rater: Rater
    scale: Scale | None
    num_held_out: int

    def numbers(self, tokens: Tokens | tuple[str, ...]) -> Tokens:
        """The symbols of a sequence, numbered from 0."""
        if isinstance(tokens, tuple):
            assert self.vocabulary is not None
            return self.vocabulary.encode(tokens)
        return tokens - NO_EVENT


def read_reference(against: str) -> Reference:
    """Fits the rating on a dataset.

    Raises:
      EtudeError: if there is no such dataset, or it is damaged or in Magenta's form.
    """
    folder = open_folder(against)
    description = read_description(folder)
    stored = description.representation
    is_melody = (stored.name or MELODY) in MELODIC
    if is_melody and not description.HasField("extraction"):
        raise EtudeError(f"{against} is in Magenta's form; rate against one that was written without --format magenta")
    if not (is_melody or stored.vocabulary):
        raise EtudeError(f"{against} holds sequences of {stored.name}, which has no vocabulary to count in")
    if is_melody:
        # Whatever its length, a piece can be rated.
        options = whole_track_options(steps_per_quarter(description))
        representation: Representation = MelodyRepresentation(**dataclasses.asdict(options))
    else:
        representation = make_representation(stored.name, dict(stored.options))
    vocabulary = None if is_melody else Vocabulary(tuple(stored.vocabulary))
    num_tokens = MAX_PITCH - NO_EVENT + 1 if vocabulary is None else len(vocabulary)

    def sequences(split: str) -> Iterator[Tokens]:
        for place, tokens in _read(folder, split, representation):
            numbers = tokens - NO_EVENT if vocabulary is None else tokens
            if numbers.min(initial=0) < 0 or numbers.max(initial=0) >= num_tokens:
                raise EtudeError(f"{place}: a token is outside the vocabulary; write the dataset again")
            yield numbers

    rater = Rater(sequences(TRAIN), num_tokens)
    held_out = [
        rater.rate(tokens)
        for split in description.splits
        if split.name != TRAIN and split.num_melodies
        for tokens in sequences(split.name)
        if len(tokens) > 1
    ]
    return Reference(representation, vocabulary, rater, Scale.of(held_out) if held_out else None, len(held_out))


def rate(
    music: Sequence[str], reference: Reference, report: Callable[[str], None], progress: Progress = silent
) -> Iterator[tuple[str, Rating]]:
    """Rates the pieces of music files, those of one piece one after the other.

    Args:
      music: files, folders, globs, archives and `corpus:NAME`.
      reference: what to rate against.
      report: told of whatever cannot be rated.
      progress: called after every file.

    Yields:
      The name of each sequence, and its rating.

    Raises:
      EtudeError: if an argument names nothing.
    """
    for name, notes, text in usable_pieces(music, report, progress):
        extracted = reference.representation.extract(Piece(notes, text))
        for rejection in extracted.rejections:
            report(f"{name}: {explain(rejection)}")
        for found in extracted.sequences:
            tokens = reference.numbers(found.tokens)
            source = name if len(extracted.sequences) == 1 else f"{name}:{found.id}"
            if len(tokens) < 2:
                report(f"{source}: it has fewer than two {reference.representation.unit}s")
            else:
                yield source, reference.rater.rate(tokens)


def line(source: str, rating: Rating, scale: Scale | None) -> dict[str, Any]:
    """What `etude rate` prints of a sequence."""
    result: dict[str, Any] = {"source": source, "num_symbols": rating.num_symbols, **rating.values()}
    if scale is not None:
        result["percentile"] = scale.percentiles(rating)
    return result


def _read(folder: Folder, split: str, representation: Representation) -> Iterator[tuple[str, Tokens]]:
    """The sequences of a split, with the places of their records."""
    for name in find_split(folder, split).files:
        for number, record in enumerate(_records(folder, name), start=1):
            place = f"{folder.path(name)}: record {number}"
            try:
                yield place, np.asarray(representation.decode(record).tokens, np.int64)
            except ValueError as error:
                raise EtudeError(f"{place}: {error}") from error


def _records(folder: Folder, name: str) -> Iterator[bytes]:
    return read_records(folder.path(name), lambda _: folder.open(name))

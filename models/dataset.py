"""Reads a dataset folder: its description, and the sequences of a split for a model, once both are of one kind."""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from google.protobuf import json_format

from etude.models.configuration import Configuration
from etude.models.encodings.melody import MelodyEncoding
from etude.models.errors import EtudeError
from etude.models.magenta import records as magenta_records
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.registry import family, make_domain, make_encoding
from etude.models.representations.registry import representation_class
from etude.models.representations.representation import TUNE
from etude.models.representations.sequence import Sequence, pack
from etude.models.sequences.domain import LEAD_SHEET, MELODIC, MELODY
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage import dataset_pb2
from etude.models.storage.folder import Folder, LocalFolder, as_folder
from etude.models.storage.records import read_records
from etude.models.storage.sequence_examples import decode_melody, decode_sequence

DESCRIPTION_FILE = "dataset.json"
AnyFolder = Folder | pathlib.Path | str
"""A dataset folder: its path on disk, or what opens its files elsewhere."""

Found = TypeVar("Found", bound=SequenceSet)
Decoded = TypeVar("Decoded")


def read_description(folder: AnyFolder) -> dataset_pb2.DatasetDescription:
    """The description of a finished dataset.

    Raises:
      EtudeError: if the folder is missing, holds no dataset or an unfinished one, or its description is damaged.
    """
    folder = as_folder(folder)
    if not folder.exists(DESCRIPTION_FILE):
        if isinstance(folder, LocalFolder):
            if not folder.folder.is_dir():
                raise EtudeError(
                    f"there is no dataset folder {folder}; make one with 'etude dataset NOTES --output DATASET'"
                )
            if magenta_records.find_records(folder.folder):
                return magenta_records.describe_dataset(folder.folder)
        raise EtudeError(
            f"{folder} holds no finished dataset (no {DESCRIPTION_FILE}); run the 'etude dataset' command again"
        )
    try:
        with folder.open(DESCRIPTION_FILE) as file:
            return json_format.Parse(file.read(), dataset_pb2.DatasetDescription(), ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        path = folder.path(DESCRIPTION_FILE)
        raise EtudeError(f"{path} is damaged: {error}; write the dataset again") from error


def steps_per_quarter(description: dataset_pb2.DatasetDescription) -> int:
    """The steps in a quarter note of a dataset's music; Magenta's datasets, which do not say it, have Magenta's."""
    stored = description.representation.options.get("steps_per_quarter", "0")
    return description.extraction.steps_per_quarter or json.loads(stored) or DEFAULT_STEPS_PER_QUARTER


def representation_name(description: dataset_pb2.DatasetDescription) -> str:
    """What the sequences of a dataset are of; datasets that do not say it hold melodies."""
    return description.representation.name or MELODY


def configure_for(configuration: Configuration, folder: AnyFolder) -> Configuration:
    """A configuration as it is trained on a dataset: with the steps of its melodies, or the vocabulary of its tokens.

    Raises:
      EtudeError: if the family reads sequences of another representation; the message says how to make them.
    """
    description = read_description(folder)
    name, wanted = representation_name(description), family(configuration.config).representation
    reads_melodies = wanted == MELODY and name in MELODIC
    if wanted and not reads_melodies and name != representation_class(wanted).name:
        raise EtudeError(
            f"configuration {configuration.config} reads {_plural(representation_class(wanted).name)}, but {folder} holds "
            f"{_plural(name)}; make a dataset for it with 'etude dataset NOTES --output DATASET --representation {wanted}'"
        )
    if name in MELODIC:
        steps = steps_per_quarter(description)
        # Exact tunes are in C already, in their mode, so that all representations treat keys alike.
        key = None if description.representation.covers == TUNE else configuration.transpose_to_key
        return dataclasses.replace(configuration, representation=name, steps_per_quarter=steps, transpose_to_key=key)
    stored = description.representation
    return dataclasses.replace(
        configuration,
        representation=name,
        # Magenta's own datasets do not say theirs.
        vocabulary=tuple(stored.vocabulary) or configuration.vocabulary,
        representation_options=dict(stored.options) or configuration.representation_options,
        steps_per_quarter=json.loads(stored.options.get("steps_per_quarter", str(configuration.steps_per_quarter))),
        unit=stored.unit or configuration.unit,
    )


def check_fits(configuration: Configuration, model: object, folder: AnyFolder) -> None:
    """Checks that a model and a dataset have the same representation: the same steps, the same vocabulary.

    Args:
      configuration: the model's.
      model: how to call it in the error.
      folder: the dataset folder.

    Raises:
      EtudeError: if they differ; the message says in what.
    """
    description = read_description(folder)
    expected, stored = configuration.representation, description.representation
    name = representation_name(description)
    if expected != name:
        raise EtudeError(
            f"{model} reads {_plural(expected)}, but {folder} holds {_plural(name)}; use a dataset of {_plural(expected)}, "
            f"or a model of {_plural(name)}"
        )
    if name in MELODIC:
        _check_steps(configuration.steps_per_quarter, steps_per_quarter(description), model, folder)
        return
    # Magenta's models and datasets do not say theirs.
    options = dict(configuration.representation_options) or dict(stored.options)
    if options != dict(stored.options or options):
        raise EtudeError(
            f"{model} reads {_plural(name)} with the options {dict(configuration.representation_options)}, but {folder} has "
            f"{dict(stored.options)}; write the dataset again with those of the model (--option)"
        )
    if "steps_per_quarter" in stored.options:
        _check_steps(configuration.steps_per_quarter, json.loads(stored.options["steps_per_quarter"]), model, folder)
    known, others = configuration.vocabulary, tuple(stored.vocabulary or configuration.vocabulary)
    if known != others:
        extra = [symbol for symbol in others if symbol not in known] or [
            symbol for symbol in known if symbol not in others
        ]
        raise EtudeError(
            f"{model} has a vocabulary of {len(known)} symbols, but that of {folder} has {len(others)}"
            f"{f', {extra[0]!r} among those that differ' if extra else ' in another order'}: it was fitted on other pieces. "
            "Use the dataset that the model was trained on"
        )


def _check_steps(expected: int, stored: int, model: object, folder: AnyFolder) -> None:
    if expected != stored:
        raise EtudeError(
            f"{model} takes {expected} steps a quarter note, but {folder} has {stored}; use a dataset that was written "
            f"with --steps-per-quarter {expected}, or a model of {stored} steps"
        )


def _plural(representation: str) -> str:
    return {MELODY: "melodies", LEAD_SHEET: "lead sheets"}.get(representation, f"sequences of {representation}")


def read_sequences(folder: AnyFolder, split: str) -> SequenceSet:
    """The sequences of a split as they were extracted: a `MelodySet` if they are melodies.

    Raises:
      EtudeError: if the dataset has no such split, the split is empty, a file is missing or damaged, or the dataset is in
        Magenta's form, which holds melodies as one configuration encodes them.
    """
    folder = as_folder(folder)
    description = read_description(folder)
    if description.format == magenta_records.FORMAT:
        raise EtudeError(
            f"{folder} is in Magenta's form, which holds the melodies of one configuration only; "
            "use a dataset that was written without --format magenta"
        )
    if representation_name(description) in MELODIC:
        return _melodies(folder, split, decode_melody)
    return _tokens(folder, split, _numbered(len(description.representation.vocabulary)))


def read_melodies(folder: AnyFolder, split: str) -> MelodySet:
    """The melodies of a split as they were extracted.

    Raises:
      EtudeError: as `read_sequences`, and if the dataset holds others than melodies.
    """
    found = read_sequences(folder, split)
    if not isinstance(found, MelodySet):
        raise EtudeError(f"{folder} holds {_plural(representation_name(read_description(folder)))}, not melodies")
    return found


def read_for_model(folder: AnyFolder, split: str, configuration: Configuration) -> SequenceSet:
    """The sequences of a split as a model knows them: melodies in its key and range, from a dataset in either form.

    Raises:
      EtudeError: as `read_sequences`, and if the model does not fit the dataset (`check_fits`), or a dataset in Magenta's
        form was written for another configuration.
    """
    folder = as_folder(folder)
    check_fits(configuration, f"configuration {configuration.config}", folder)
    description = read_description(folder)
    if configuration.representation in MELODIC:
        melodies = _melodies(folder, split, _decoder(description, configuration))
        return _entered(melodies, description, configuration)
    return _tokens(folder, split, _token_decoder(description, configuration))


def read_file_for_model(folder: AnyFolder, name: str, configuration: Configuration) -> SequenceSet:
    """As `read_for_model`, from one of a split's files."""
    folder = as_folder(folder)
    check_fits(configuration, f"configuration {configuration.config}", folder)
    description = read_description(folder)
    if configuration.representation in MELODIC:
        melodies = MelodySet.of(_decode_file(folder, name, _decoder(description, configuration)))
        return _entered(melodies, description, configuration)
    return pack(_decode_file(folder, name, _token_decoder(description, configuration)))


def find_split(folder: AnyFolder, split: str) -> dataset_pb2.Split:
    """The description of a split that is not empty.

    Raises:
      EtudeError: if the dataset has no such split, it is empty, or one of its files is gone.
    """
    splits = {stored.name: stored for stored in read_description(folder).splits}
    if split not in splits:
        # Others than these two cannot be made.
        remedy = f"write it again with 'etude dataset --{split}-ratio 0.1', or " if split in ("eval", "test") else ""
        raise EtudeError(f"{folder} has no split {split!r}, only {', '.join(splits)}; {remedy}name one of these")
    if not splits[split].num_melodies:
        remedy = "smaller --eval-ratio" if split == "train" else f"larger --{split}-ratio"
        raise EtudeError(f"the {split} split of {folder} is empty; write the dataset again with a {remedy}")
    lost = [name for name in splits[split].files if not as_folder(folder).exists(name)]
    if lost:
        raise EtudeError(f"{folder} has lost {', '.join(lost)}; run its 'etude dataset' command again")
    return splits[split]


def _decoder(description: dataset_pb2.DatasetDescription, configuration: Configuration) -> Callable[[bytes], Melody]:
    """What makes a melody of a record."""
    if description.format != magenta_records.FORMAT:
        return decode_melody
    encoding = make_encoding(configuration)
    if not isinstance(encoding, MelodyEncoding):
        raise EtudeError(f"the dataset holds melodies, and configuration {configuration.config} reads none")
    return lambda record: magenta_records.decode_record(record, encoding)


def _entered(
    melodies: MelodySet, description: dataset_pb2.DatasetDescription, configuration: Configuration
) -> MelodySet:
    """Melodies in the model's key and range, where those of Magenta's records are already."""
    return melodies if description.format == magenta_records.FORMAT else make_domain(configuration).enter_all(melodies)


def _token_decoder(
    description: dataset_pb2.DatasetDescription, configuration: Configuration
) -> Callable[[bytes], Sequence]:
    """What makes a sequence of a record, for a model."""
    if description.format != magenta_records.FORMAT:
        return _numbered(len(configuration.vocabulary))
    encoding = make_encoding(configuration)
    return lambda record: Sequence(magenta_records.decode_tokens(record, encoding))


def _numbered(num_symbols: int) -> Callable[[bytes], Sequence]:
    """What makes a sequence of a record, of tokens that a vocabulary numbers; of any, where it has no symbols."""

    def decode(record: bytes) -> Sequence:
        sequence = Sequence(*decode_sequence(record))
        tokens = np.asarray(sequence.tokens)
        outside = tokens[(tokens < 0) | (tokens >= num_symbols)]
        if num_symbols and len(outside):
            raise ValueError(f"token {outside[0]} is not in the vocabulary of {num_symbols} symbols")
        return sequence

    return decode


def _melodies(folder: Folder, split: str, decode: Callable[[bytes], Melody]) -> MelodySet:
    stored = find_split(folder, split)
    return _complete(MelodySet.of(_decode_files(folder, stored, decode)), folder, stored, "melodies")


def _tokens(folder: Folder, split: str, decode: Callable[[bytes], Sequence]) -> SequenceSet:
    stored = find_split(folder, split)
    return _complete(pack(_decode_files(folder, stored, decode)), folder, stored, "sequences")


def _complete(found: Found, folder: Folder, split: dataset_pb2.Split, things: str) -> Found:
    """What was found, if it is as much as the description says."""
    if len(found) != split.num_melodies:
        raise EtudeError(
            f"the {split.name} split of {folder} holds {len(found)} {things} where {DESCRIPTION_FILE} says "
            f"{split.num_melodies}; write the dataset again"
        )
    return found


def _decode_files(folder: Folder, split: dataset_pb2.Split, decode: Callable[[bytes], Decoded]) -> Iterator[Decoded]:
    return (one for name in split.files for one in _decode_file(folder, name, decode))


def _decode_file(folder: Folder, name: str, decode: Callable[[bytes], Decoded]) -> Iterator[Decoded]:
    path = folder.path(name)
    for number, record in enumerate(read_records(path, lambda _: folder.open(name)), start=1):
        try:
            yield decode(record)
        except ValueError as error:
            raise EtudeError(f"{path}: record {number}: {error}") from error

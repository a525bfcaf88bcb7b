"""Reads a dataset folder: its description, and the melodies of a split for a model."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator

from google.protobuf import json_format

from etude.models.configuration import Configuration
from etude.models.encodings.melody import MelodyEncoding
from etude.models.errors import EtudeError
from etude.models.magenta import records as magenta_records
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, Melody, squash
from etude.models.melodies.melody_set import MelodySet
from etude.models.registry import make_encoding
from etude.models.storage import dataset_pb2
from etude.models.storage.folder import Folder, LocalFolder, as_folder
from etude.models.storage.records import read_records
from etude.models.storage.sequence_examples import decode_melody

DESCRIPTION_FILE = "dataset.json"
AnyFolder = Folder | pathlib.Path | str
"""A dataset folder: its path on disk, or what opens its files elsewhere."""


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
            if magenta_records.has_records(folder.folder):
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
    """The steps in a quarter note of a dataset's melodies; Magenta's datasets, which do not say it, have Magenta's."""
    return description.extraction.steps_per_quarter or DEFAULT_STEPS_PER_QUARTER


def check_steps(configuration: Configuration, model: object, folder: AnyFolder) -> None:
    """Checks that a model has the same steps as the melodies of a dataset.

    Args:
      configuration: the model's.
      model: how to call it in the error.
      folder: the dataset folder.

    Raises:
      EtudeError: if it has others; the message gives both.
    """
    expected, stored = configuration.steps_per_quarter, steps_per_quarter(read_description(folder))
    if expected != stored:
        raise EtudeError(
            f"{model} takes {expected} steps a quarter note, but {folder} has {stored}; use a dataset that was written "
            f"with --steps-per-quarter {expected}, or a model of {stored} steps"
        )


def read_melodies(folder: AnyFolder, split: str) -> MelodySet:
    """The melodies of a split as they were extracted.

    Raises:
      EtudeError: if the dataset has no such split, the split is empty, a file is missing or damaged, or the dataset is in
        Magenta's form, which holds melodies as one configuration encodes them.
    """
    folder = as_folder(folder)
    if read_description(folder).format == magenta_records.FORMAT:
        raise EtudeError(
            f"{folder} is in Magenta's form, which holds the melodies of one configuration only; "
            "use a dataset that was written without --format magenta"
        )
    return _all_of(folder, find_split(folder, split), decode_melody)


def read_for_model(folder: AnyFolder, split: str, configuration: Configuration) -> MelodySet:
    """The melodies of a split in the key and range of a model, from a dataset in either form.

    Raises:
      EtudeError: as `read_melodies`, and if the model has other steps, or a dataset in Magenta's form was written for another
        configuration.
    """
    folder = as_folder(folder)
    return _all_of(folder, find_split(folder, split), _decoder(folder, configuration))


def read_file_for_model(folder: AnyFolder, name: str, configuration: Configuration) -> MelodySet:
    """As `read_for_model`, from one of a split's files."""
    folder = as_folder(folder)
    return MelodySet.of(_decode_file(folder, name, _decoder(folder, configuration)))


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


def _decoder(folder: Folder, configuration: Configuration) -> Callable[[bytes], Melody]:
    """What makes a melody in the model's key and range of a record."""
    check_steps(configuration, f"configuration {configuration.config}", folder)
    if read_description(folder).format == magenta_records.FORMAT:
        encoding = make_encoding(configuration)
        if not isinstance(encoding, MelodyEncoding):
            raise EtudeError(f"{folder} holds melodies, and configuration {configuration.config} reads none")
        return lambda record: Melody(magenta_records.decode_record(record, encoding))
    return lambda record: squash_melody(decode_melody(record), configuration)


def _all_of(folder: Folder, split: dataset_pb2.Split, decode: Callable[[bytes], Melody]) -> MelodySet:
    melodies = MelodySet.of(melody for name in split.files for melody in _decode_file(folder, name, decode))
    if len(melodies) != split.num_melodies:
        raise EtudeError(
            f"the {split.name} split of {folder} holds {len(melodies)} melodies where {DESCRIPTION_FILE} says "
            f"{split.num_melodies}; write the dataset again"
        )
    return melodies


def _decode_file(folder: Folder, name: str, decode: Callable[[bytes], Melody]) -> Iterator[Melody]:
    path = folder.path(name)
    for number, record in enumerate(read_records(path, lambda _: folder.open(name)), start=1):
        try:
            yield decode(record)
        except ValueError as error:
            raise EtudeError(f"{path}: record {number}: {error}") from error


def squash_melody(melody: Melody, configuration: Configuration) -> Melody:
    """A melody in the key and range of a model. Source: Magenta squashes every melody before it is encoded."""
    low, high, key = configuration.min_note, configuration.max_note, configuration.transpose_to_key
    return dataclasses.replace(melody, events=squash(melody.events, low, high, key)[0])


def squash_all(melodies: MelodySet, configuration: Configuration) -> MelodySet:
    """Melodies in the key and range of a model."""
    low, high, key = configuration.min_note, configuration.max_note, configuration.transpose_to_key
    return melodies.map(lambda events: squash(events, low, high, key)[0])

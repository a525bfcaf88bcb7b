"""Reads a dataset folder: its description, and the melodies of a split for a model."""

import pathlib

from google.protobuf import json_format

from models import dataset_pb2
from models.configuration import Configuration
from models.errors import EtudeError
from models.melody import squash
from models.melody_set import MelodySet
from models.records import read_records
from models.sequence_examples import decode_melody

DESCRIPTION_FILE = "dataset.json"


def read_description(folder: pathlib.Path | str) -> dataset_pb2.DatasetDescription:
    """The description of a finished dataset.

    Raises:
      EtudeError: if the folder is missing, holds no dataset or an unfinished one, or its description is damaged.
    """
    path = pathlib.Path(folder) / DESCRIPTION_FILE
    if not path.parent.is_dir():
        raise EtudeError(
            f"there is no dataset folder {path.parent}; make one with 'etude dataset NOTES --output DATASET'"
        )
    if not path.is_file():
        raise EtudeError(
            f"{path.parent} holds no finished dataset (no {DESCRIPTION_FILE}); run the 'etude dataset' command again"
        )
    try:
        return json_format.Parse(path.read_text(), dataset_pb2.DatasetDescription(), ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise EtudeError(f"{path} is damaged: {error}; write the dataset again") from error


def read_melodies(folder: pathlib.Path | str, split: str) -> MelodySet:
    """The melodies of a split as they were extracted.

    Raises:
      EtudeError: if the dataset has no such split, the split is empty, or a file is missing or damaged.
    """
    folder = pathlib.Path(folder)
    description = read_description(folder)
    splits = {stored.name: stored for stored in description.splits}
    if split not in splits:
        raise EtudeError(
            f"{folder} has no {split} split, only {', '.join(splits)}; write it again with "
            f"'etude dataset --{split}-ratio 0.1', or name another split"
        )
    if not splits[split].num_melodies:
        raise EtudeError(
            f"the {split} split of {folder} is empty; write the dataset again with a larger --{split}-ratio"
            if split != "train"
            else f"the train split of {folder} is empty; write the dataset again with a smaller --eval-ratio"
        )
    melodies = []
    for name in splits[split].files:
        for number, record in enumerate(read_records(folder / name), start=1):
            try:
                melodies.append(decode_melody(record))
            except ValueError as error:
                raise EtudeError(f"{folder / name}: record {number}: {error}; write the dataset again") from error
    if len(melodies) != splits[split].num_melodies:
        raise EtudeError(
            f"the {split} split of {folder} holds {len(melodies)} melodies where {DESCRIPTION_FILE} says "
            f"{splits[split].num_melodies}; write the dataset again"
        )
    return MelodySet.of(melodies)


def squash_all(melodies: MelodySet, configuration: Configuration) -> MelodySet:
    """Melodies in the key and range of a model. Source: Magenta squashes every melody before it is encoded."""
    low, high, key = configuration.min_note, configuration.max_note, configuration.transpose_to_key
    return melodies.map(lambda events: squash(events, low, high, key)[0])

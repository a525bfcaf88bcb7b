"""Magenta's training records: dense inputs and labels of one configuration, read back as melodies."""

import functools
import hashlib
import pathlib

import numpy as np

from etude.models.chords.chord import CHORDS
from etude.models.encodings.encoding import Encoding, Inputs, Labels, as_vectors
from etude.models.encodings.lead_sheet import LeadSheetEncoding
from etude.models.encodings.melody import MelodyEncoding
from etude.models.melodies.melody import MAGENTA_STEPS_PER_BAR, Events, Melody, metres
from etude.models.sequences.batch import Tokens
from etude.models.sequences.domain import LEAD_SHEET, MELODY
from etude.models.storage import dataset_pb2
from etude.models.storage.records import read_records
from etude.models.storage.sequence_examples import decode_inputs_and_labels

THINGS = {
    MELODY: "melodies",
    LEAD_SHEET: "lead_sheets",
    "drums": "drum_tracks",
    "one_drum": "drum_tracks",
    "polyphony": "poly_tracks",
}
"""What Magenta's datasets call the sequences of each representation."""

ONE_DRUM_INPUTS = 2
"""Numbers in an input of Magenta's `one_drum`, whose files are called like those of its `drum_kit`."""

FORMAT = "magenta"


def file_name(split: str, representation: str) -> str:
    """The name that Magenta gives to a split; it has no test split."""
    return f"{'training' if split == 'train' else split}_{THINGS[representation]}.tfrecord"


def find_records(folder: pathlib.Path) -> str | None:
    """The representation of the sequences in Magenta's files in the folder, if there are some."""
    found = next((name for name in THINGS if (folder / file_name("train", name)).is_file()), None)
    if found == "drums":
        first = next(read_records(folder / file_name("train", found)), None)
        is_one = first is not None and decode_inputs_and_labels(first)[0].shape[1] == ONE_DRUM_INPUTS
        return "one_drum" if is_one else found
    return found


def describe_dataset(folder: pathlib.Path) -> dataset_pb2.DatasetDescription:
    """The description of a folder that Magenta wrote, which has none of its own: its splits and a fingerprint.

    Raises:
      EtudeError: if a record is damaged.
    """
    representation = find_records(folder) or MELODY
    paths = (folder / file_name(split, representation) for split in ("train", "eval"))
    state = tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file())
    description = dataset_pb2.DatasetDescription()
    description.CopyFrom(_describe(folder, representation, state))
    return description


@functools.lru_cache(maxsize=8)
def _describe(
    folder: pathlib.Path, representation: str, state: tuple[tuple[int, int], ...]
) -> dataset_pb2.DatasetDescription:
    """The description, computed once for a state (sizes and times) of the files."""
    description = dataset_pb2.DatasetDescription(format=FORMAT, transpositions=[0])
    description.representation.name = representation
    digests = []
    for split in ("train", "eval"):
        name = file_name(split, representation)
        if (folder / name).is_file():
            records = [hashlib.sha256(split.encode() + record).hexdigest() for record in read_records(folder / name)]
            digests += records
            description.splits.add(name=split, num_melodies=len(records), files=[name])
    description.fingerprint = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    return description


def decode_record(record: bytes, encoding: MelodyEncoding) -> Melody:
    """The melody of a record, in the key and range that it was encoded in.

    The labels tell every event but the first, which the first input tells. Inputs tell every chord but the first, which is in
    none and is taken for the second.

    Args:
      record: a SequenceExample with `inputs` and `labels`.
      encoding: the configuration's that it was written for.

    Raises:
      ValueError: if it is damaged or was not written for this encoding; the message gives the sizes.
    """
    inputs, labels = decode_inputs_and_labels(record)
    if inputs.shape[1] != encoding.input_size or not (labels.min() >= 0 and labels.max() < encoding.num_labels):
        raise ValueError(
            f"it has inputs of {inputs.shape[1]} numbers and labels up to {labels.max()}, where the configuration has "
            f"{encoding.input_size} and {encoding.num_labels - 1}"
        )
    plain, columns = encoding, {}
    if isinstance(encoding, LeadSheetEncoding):
        plain, seen = encoding.melody, encoding.chords.size
        chords = encoding.chords.chords(inputs[:, :seen])
        columns = {CHORDS: np.concatenate([chords[:1], chords])}
        inputs = inputs[:, seen:]
    events = _decode_labels(_first_event(inputs, plain), labels, plain)
    metre = metres(MAGENTA_STEPS_PER_BAR)
    if not np.array_equal(as_vectors(plain.inputs(events[None, :-1], metre)[0], plain.input_size), inputs):
        raise ValueError("its inputs are not those of its labels: it was written for another configuration")
    return Melody(events, columns=columns)


def decode_tokens(record: bytes, encoding: Encoding) -> Tokens:
    """The sequence of a record of an encoding whose inputs begin with the current token, one-hot, and that has no aliases.

    Raises:
      ValueError: if it is damaged or was not written for this encoding; the message gives the sizes.
    """
    inputs, labels = decode_inputs_and_labels(record)
    if inputs.shape[1] != encoding.input_size or not (labels.min() >= 0 and labels.max() < encoding.num_labels):
        raise ValueError(
            f"it has inputs of {inputs.shape[1]} numbers and labels up to {labels.max()}, where the configuration has "
            f"{encoding.input_size} and {encoding.num_labels - 1}"
        )
    tokens = encoding.label_tokens()[np.concatenate([[inputs[0, : encoding.num_tokens].argmax()], labels])]
    if not np.array_equal(as_vectors(encoding.inputs(tokens[None, :-1], {})[0], encoding.input_size), inputs):
        raise ValueError("its inputs are not those of its labels: it was written for another configuration")
    return tokens


def _first_event(inputs: Inputs, encoding: MelodyEncoding) -> int:
    """The event whose input is the record's first."""
    candidates = encoding.label_tokens()
    # No event comes before note-off: at the start of a melody they look the same, and only the first occurs.
    candidates = candidates[np.argsort(candidates, kind="stable")]
    metre = metres(np.full(len(candidates), MAGENTA_STEPS_PER_BAR))
    known = as_vectors(encoding.inputs(candidates[:, None], metre)[:, 0], encoding.input_size)
    matches = np.flatnonzero((known == inputs[0]).all(axis=1))
    if not matches.size:
        raise ValueError("its first input is that of no event: it was written for another configuration")
    return int(candidates[matches[0]])


def _decode_labels(first: int, labels: Labels, encoding: MelodyEncoding) -> Events:
    fixed = encoding.label_tokens()
    distances = encoding.distances(metres(MAGENTA_STEPS_PER_BAR))[0]
    no_event = int(fixed.min())
    events = [first]
    for label in labels.tolist():
        if label < encoding.num_tokens:
            events.append(int(fixed[label]))
        else:
            distance = int(distances[label - encoding.num_tokens])
            events.append(events[-distance] if distance <= len(events) else no_event)
    return np.array(events, dtype=np.int64)

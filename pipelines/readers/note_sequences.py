"""note-seq's NoteSequence, without the two seconds that importing all of note-seq takes.

Only the generated protocol buffer module is loaded. Protocol buffers are registered by content, so the class is the one
that note-seq itself uses when it is imported later.
"""

import importlib.util
import pathlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from etude.models.errors import EtudeError

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

__all__ = ["NoteSequence", "parse_note_sequence", "piece_name", "read_note_sequences"]


def _load_music_pb2() -> ModuleType:
    name = "note_seq.protobuf.music_pb2"
    if name in sys.modules:
        return sys.modules[name]
    package = importlib.util.find_spec("note_seq")
    if package is None or not package.submodule_search_locations:
        raise EtudeError("note-seq is not installed; install Etude with its dependencies (pip install etude)")
    path = pathlib.Path(package.submodule_search_locations[0]) / "protobuf" / "music_pb2.py"
    spec = importlib.util.spec_from_file_location("_etude_music_pb2", path)
    if spec is None or spec.loader is None:
        raise EtudeError(f"{path} cannot be imported; install note-seq again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    NoteSequence = _load_music_pb2().NoteSequence


def read_note_sequences(path: pathlib.Path | str) -> Iterator[NoteSequence]:
    """Yields the NoteSequences of a TFRecord file, gzip-compressed or plain, Etude's or Magenta's.

    Raises:
      EtudeError: if the file cannot be read or a record is not a NoteSequence.
    """
    # Those who read music alone have no need of it.
    from etude.models.storage.records import read_records

    for number, record in enumerate(read_records(path), start=1):
        yield parse_note_sequence(record, str(path), number)


def parse_note_sequence(record: bytes, path: str, number: int) -> NoteSequence:
    """The NoteSequence of a record.

    Args:
      record: its bytes.
      path: the file that it was read from, for the message.
      number: the number of the record in the file, from 1.

    Raises:
      EtudeError: if it is none.
    """
    try:
        return NoteSequence.FromString(record)
    except DecodeError as error:
        raise EtudeError(
            f"{path}: record {number} is not a NoteSequence; give files that `etude convert` or Magenta's "
            "convert_dir_to_note_sequences wrote"
        ) from error


def piece_name(sequence: NoteSequence) -> str:
    """What a piece is called in messages and melody ids: its id, or its file and tune number.

    Empty if the NoteSequence carries neither.
    """
    if sequence.id:
        return str(sequence.id)
    if not sequence.filename:
        return ""
    return f"{sequence.filename}#{sequence.reference_number}" if sequence.reference_number else str(sequence.filename)

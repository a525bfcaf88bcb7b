"""Music files read one after the other, for small jobs."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from etude.models.melodies.extraction import explain
from etude.models.progress import Progress, silent
from etude.models.storage.texts import Text
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.readers.isolated_reader import IsolatedReader
from etude.pipelines.readers.note_sequences import NoteSequence, piece_name
from etude.pipelines.readers.reading import Rejected
from etude.pipelines.readers.source_music import fetch
from etude.pipelines.sources.sources import expand_sources


class Piece(NamedTuple):
    """A piece of music and its name, or why there is none; and what it was written as, if that was ABC."""

    name: str
    sequence: NoteSequence | None
    rejected: Rejected | None
    text: Text | None = None


def read_pieces(arguments: Sequence[str], progress: Progress = silent) -> Iterator[Piece]:
    """Yields every piece of the files that the arguments stand for.

    Args:
      arguments: files, folders, globs, archives and `corpus:NAME`.
      progress: called after every file.

    Raises:
      EtudeError: if an argument names nothing.
    """
    sources = expand_sources(arguments)
    with temporary_folder() as folder, contextlib.closing(IsolatedReader()) as reader:
        for done, source in enumerate(sources):
            progress(done, len(sources), source.name)
            data = fetch(source, pathlib.Path(folder))
            for reading in next(reader.read([(source, data)])) if isinstance(data, bytes) else [data]:
                name = source.full_name if reading.sequence is None else piece_name(reading.sequence)
                text = Text(name, reading.text, reading.bar_starts) if reading.text else None
                yield Piece(name, reading.sequence, reading.rejected, text)
        progress(len(sources), len(sources))


def usable_pieces(
    arguments: Sequence[str], report: Callable[[str], None], progress: Progress = silent
) -> Iterator[tuple[str, NoteSequence, Text | None]]:
    """Yields name, notes and text of every piece that can be read.

    Args:
      arguments: as `read_pieces` takes them.
      report: called with each piece that cannot be read, and why.
      progress: called after every file.

    Raises:
      EtudeError: if an argument names nothing.
    """
    for name, sequence, rejected, text in read_pieces(arguments, progress):
        if sequence is not None:
            yield name, sequence, text
        elif rejected is not None:
            report(f"{name}: {explain(rejected)}")

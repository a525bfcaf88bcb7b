"""`ReadMusic`: music files to pieces, as a dataflow."""

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from etude.models.storage.texts import Text
from etude.pipelines.readers import read_source_music
from etude.pipelines.readers.abc.bars import bar_starts
from etude.pipelines.readers.isolated_reader import LIMITS, IsolatedReader, Limits
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.reasons import MACHINE
from etude.pipelines.running.progress import UNCOUNTED, Tally
from etude.pipelines.sources.match import MatchMusic
from etude.pipelines.sources.sources import Source, expand_archives

PIECES = "pieces"
SOURCES = "sources"


@dataclasses.dataclass
class ReadMusic(beam.PTransform):  # type: ignore[misc]
    """Music to pieces; a file or a tune that cannot be read is set aside with its reason.

    In: the start of a pipeline, if there are patterns; or `PCollection[Source]`; or, for music that lies elsewhere,
    `PCollection[tuple[str, bytes]]` of names, whose endings tell the format, and contents.

    Out, by name: `pieces`: `PCollection[Piece]`; `sources`: `PCollection[tuple[str, str]]`, the name of every source and,
    as JSON, what became of it (the line of `manifest.jsonl`).

    Attributes:
      patterns: files, folders, globs, archives and `corpus:NAME`; SCHEME://... where Beam has a file system for it.
      tally: counts every source that was read.
      limits: of the process that reads, if the readers' own are not enough.
    """

    patterns: Sequence[str] = ()
    tally: Tally = UNCOUNTED
    limits: Limits = LIMITS

    def expand(self, sources: Any) -> Any:
        """Finds the sources, if need be, and reads each."""
        if self.patterns:
            sources = sources | MatchMusic(self.patterns)
        read = sources | "Read" >> beam.ParDo(ReadSource(self.tally, self.limits)).with_outputs(SOURCES, main=PIECES)
        read[PIECES].element_type = Piece
        read[SOURCES].element_type = tuple[str, str]
        return read


class ReadSource(beam.DoFn):  # type: ignore[misc]
    """Reads one source after the other, in a process of its own; archives are unpacked once a worker, where need be."""

    def __init__(self, tally: Tally, limits: Limits) -> None:
        self._tally = tally
        self._limits = limits

    def setup(self) -> None:
        """Makes room for archives."""
        self._folder = tempfile.TemporaryDirectory(prefix="etude-")
        self._reader = IsolatedReader(self._limits)

    def teardown(self) -> None:
        """Removes them, and ends the process."""
        self._folder.cleanup()
        self._reader.close()

    def process(self, element: Source | tuple[str, bytes]) -> Iterator[Any]:
        """Yields the pieces of a source, and what became of it."""
        source, data = (element, None) if isinstance(element, Source) else (Source("", element[0], ""), element[1])
        entry = manifest_entry(source)
        for reading in self._readings(source, data):
            if reading.sequence is None:
                entry["rejected"].append(rejection(reading))
            else:
                entry["num_sequences"] += 1
                text = Text(reading.sequence.id, reading.text, bar_starts(reading.text)) if reading.text else None
                yield Piece(reading.sequence, text)
        if entry["num_sequences"]:
            entry["status"] = "partly" if entry["rejected"] else "converted"
        self._tally.add()
        yield beam.pvalue.TaggedOutput(SOURCES, (source.full_name, json.dumps(entry, ensure_ascii=False)))

    def _readings(self, source: Source, data: bytes | None) -> Iterator[Reading]:
        if data is not None:
            return self._reader.read(source, data)
        if source.member and not source.problem:
            expand_archives([source], Path(self._folder.name))
        return read_source_music(source, Path(self._folder.name), self._reader.read)


def manifest_entry(source: Source) -> dict[str, Any]:
    """What the manifest says of a source of which nothing was read yet."""
    return {
        "source": source.full_name,
        "format": source.format,
        "status": "rejected",
        "num_sequences": 0,
        "rejected": [],
    }


def rejection(reading: Reading) -> dict[str, Any]:
    """What the manifest says of a piece that cannot be used."""
    rejected = reading.rejected or Rejected("reader-failed")
    entry: dict[str, Any] = {"reason": rejected.reason, "detail": rejected.detail}
    if rejected.reason in MACHINE:
        entry["machine"] = True
    if reading.line:
        entry |= {"reference_number": reading.reference_number, "title": reading.title, "line": reading.line}
    return entry

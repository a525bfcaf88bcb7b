"""`ReadMusic`: music files to pieces, as a dataflow."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from etude.models.melodies.pickups import REST
from etude.models.storage.texts import Text
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.readers.isolated_reader import LIMITS, IsolatedReader, Limits
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.readers.source_music import fetch
from etude.pipelines.reasons import MACHINE
from etude.pipelines.running.progress import UNCOUNTED, Tally
from etude.pipelines.sources.match import MatchMusic
from etude.pipelines.sources.source import Source

PIECES = "pieces"
SOURCES = "sources"
_BATCH_BYTES = 1 << 16
"""Of the files that are read at a time."""
_LEAST_BYTES = 1 << 10
"""That a file counts at least."""


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
      pickups: "rest" keeps the bars of ABC and MusicXML by rests, "as-written" plays what is written.
    """

    patterns: Sequence[str] = ()
    tally: Tally = UNCOUNTED
    limits: Limits = LIMITS
    pickups: str = REST

    def expand(self, sources: Any) -> Any:
        """Finds the sources, if need be, and reads each."""
        if self.patterns:
            sources = sources | MatchMusic(self.patterns)
        batches = sources | beam.BatchElements(
            _BATCH_BYTES, _BATCH_BYTES, element_size_fn=num_bytes, record_metrics=False
        )
        read_sources = ReadSources(self.tally, self.limits, self.pickups)
        read = batches | "Read" >> beam.ParDo(read_sources).with_outputs(SOURCES, main=PIECES)
        read[PIECES].element_type = Piece
        read[SOURCES].element_type = tuple[str, str]
        return read


class ReadSources(beam.DoFn):  # type: ignore[misc]
    """Reads some sources at a time, in a process of its own; archives are unpacked once a worker, where need be."""

    def __init__(self, tally: Tally, limits: Limits, pickups: str) -> None:
        self._tally = tally
        self._limits = limits
        self._pickups = pickups

    def setup(self) -> None:
        """Makes room for archives."""
        self._folder = temporary_folder()
        self._reader = IsolatedReader(self._limits, pickups=self._pickups)

    def teardown(self) -> None:
        """Removes them, and ends the process."""
        self._folder.cleanup()
        self._reader.close()

    def process(self, element: Sequence[Source | tuple[str, bytes]]) -> Iterator[Any]:
        """Yields the pieces of some sources, and what became of each."""
        folder = Path(self._folder.name)
        files = [
            (one, fetch(one, folder)) if isinstance(one, Source) else (Source("", one[0], ""), one[1])
            for one in element
        ]
        found = self._reader.read([(source, data) for source, data in files if isinstance(data, bytes)])
        for source, data in files:
            yield from self._outcome(source, next(found) if isinstance(data, bytes) else iter([data]))
        self._tally.add(len(files))

    def _outcome(self, source: Source, readings: Iterator[Reading]) -> Iterator[Any]:
        entry = manifest_entry(source)
        for reading in readings:
            if reading.sequence is None:
                entry["rejected"].append(rejection(reading))
            else:
                entry["num_sequences"] += 1
                if reading.bars:
                    entry["bars"][reading.bars] = entry["bars"].get(reading.bars, 0) + 1
                text = Text(reading.sequence.id, reading.text, reading.bar_starts) if reading.text else None
                yield Piece(reading.sequence, text)
        if entry["num_sequences"]:
            entry["status"] = "partly" if entry["rejected"] else "converted"
        yield beam.pvalue.TaggedOutput(SOURCES, (source.full_name, json.dumps(entry, ensure_ascii=False)))


def num_bytes(music: Source | tuple[str, bytes]) -> int:
    """How much of a batch some music takes."""
    return _LEAST_BYTES + (music.size if isinstance(music, Source) else len(music[1]))


def manifest_entry(source: Source) -> dict[str, Any]:
    """What the manifest says of a source of which nothing was read yet."""
    return {
        "source": source.full_name,
        "format": source.format,
        "status": "rejected",
        "num_sequences": 0,
        "bars": {},
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

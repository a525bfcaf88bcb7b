"""Music files to NoteSequences."""

import dataclasses
import itertools
import json
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsDict, AsList, AsSingleton

from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.pickups import PICKUPS, REST
from etude.models.progress import Progress, silent
from etude.pipelines.files import file_systems
from etude.pipelines.files.output_folder import WORK_FOLDER, OutputFolder, fingerprint, version
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.readers.describe import LENGTHS, Describe
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.readers.read import PIECES, SOURCES, ReadMusic
from etude.pipelines.reasons import MACHINE, describe_most_frequent, remedy
from etude.pipelines.records.counts import Counts, group
from etude.pipelines.records.results import WriteResult, as_counts, as_rows, read_result
from etude.pipelines.records.shards import num_shards
from etude.pipelines.records.write import Record, WriteRecords, listed
from etude.pipelines.running.progress import Tally
from etude.pipelines.running.runner import Resources, Watch, run
from etude.pipelines.sources.corpora import CORPUS_PREFIX, licence_notes
from etude.pipelines.sources.match import CountSources, MatchMusic
from etude.pipelines.sources.source import Source
from etude.pipelines.sources.sources import nothing_found

NOTES = "notes"
TEXTS = "texts"
MANIFEST = "manifest.jsonl"
SUMMARY = "summary.json"
_DESCRIBED = ("formats", "metres", "keys", "tempos", "lengths")
_DESCRIBED_VALUES = 8
_MACHINE_NOTE = (
    "some files took more time or memory than this machine gives to one, or crashed their reader, and were left out; "
    'elsewhere they might be read ("machine" in manifest.jsonl)'
)
_EXPANSION = 8.0
"""Bytes of NoteSequences for a byte of music, roughly: six for ABC, four for MIDI."""


@dataclasses.dataclass(frozen=True)
class ConversionSummary:
    """What a conversion found.

    Attributes:
      num_sources: files read.
      num_sequences: NoteSequences written.
      num_notes: notes in them.
      num_seconds: how long they last together, in whole seconds.
      sources_by_status: "converted", "partly" (some tunes of a tunebook were rejected) or "rejected".
      formats: NoteSequences by format.
      metres: NoteSequences by their first metre.
      keys: NoteSequences by their first key, where it is given.
      tempos: NoteSequences by their first tempo, in whole quarter notes a minute.
      lengths: NoteSequences by how long they last, in the order of the lengths.
      bars: those of ABC and MusicXML by what became of their bars, see `etude.models.melodies.pickups.OUTCOMES`.
      rejected: rejected pieces by reason.
      notes: what the user has to know about the sources.
      files: the shards of NoteSequences.
      texts: the shards of what ABC tunes were written as.
      was_complete: whether the folder was complete before and nothing was done.
    """

    num_sources: int
    num_sequences: int
    num_notes: int
    num_seconds: int
    sources_by_status: dict[str, int]
    formats: dict[str, int]
    metres: dict[str, int]
    keys: dict[str, int]
    tempos: dict[str, int]
    lengths: dict[str, int]
    bars: dict[str, int]
    rejected: dict[str, int]
    notes: list[str]
    files: list[str]
    texts: list[str] = dataclasses.field(default_factory=list)
    was_complete: bool = False

    def describe(self) -> str:
        """What came through, for a person: how much, then a line for each property with its most frequent values."""
        minutes = round(self.num_seconds / 60)
        lines = [
            f"{self.num_sequences:,} pieces from {self.num_sources:,} files: {self.num_notes:,} notes, "
            f"{minutes // 60:,} h {minutes % 60} min"
        ]
        lines += [f"  {name}: {_most_frequent(getattr(self, name))}" for name in _DESCRIBED]
        if self.bars:
            lines.append(f"  bars: {_most_frequent(self.bars)}")
        return "\n".join(lines)


def convert(
    sources: Sequence[str],
    output: pathlib.Path | str,
    *,
    pickups: str = REST,
    shards: int = 0,
    workers: int = 1,
    beam_options: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress = silent,
) -> ConversionSummary:
    """Converts music files to NoteSequences.

    Writes `notes-SSSSS-of-NNNNN.tfrecord`, `texts-SSSSS-of-NNNNN.tfrecord` (what ABC tunes were written as, under the same
    ids), `manifest.jsonl` (one object a source: what became of it) and, last, `summary.json`. The bytes depend on the
    sources and the number of shards alone. A job that was killed starts again; on a complete folder it does nothing.

    Args:
      sources: files, folders, globs, archives and `corpus:NAME`; SCHEME://... where Beam has a file system for it.
      output: the folder to write, on any of these file systems.
      pickups: "rest" keeps the bars of ABC and MusicXML: a pickup follows a rest of the missing part of its bar;
        "as-written" plays what is written.
      shards: files that the NoteSequences are spread over; 0 makes it one for about every 64 MB.
      workers: processes.
      beam_options: Beam's own options, if it is to run elsewhere than here.
      overwrite: whether the results of another job in the folder are to be replaced.
      progress: called with the count of finished sources.

    Returns:
      What was found.

    Raises:
      EtudeError: if there is nothing to read, nothing could be read, or the folder cannot be written.
      UsageError: if an option is out of range.
    """
    if pickups not in PICKUPS:
        raise UsageError(f"--pickups must be {' or '.join(PICKUPS)}, not {pickups!r}")
    if shards < 0:
        raise UsageError(f"--shards must be at least 1, or 0 for one for every 64 MB, not {shards}")
    sources = [_absolute(source) for source in sources]
    resources = Resources(workers, beam_options, progress)
    resources.check()
    if beam_options and any(map(file_systems.is_remote, (*sources, str(output)))):
        file_systems.set_options(beam_options)
    folder = OutputFolder.of(output, SUMMARY)
    with folder.claim():
        if folder.made_of() is not None:
            inputs = _find_inputs(sources, folder, resources)
            made_of = fingerprint("convert", [pickups, shards, inputs])
            folder.check_free(overwrite, made_of)
            if folder.made_of() == made_of and folder.is_complete():
                progress(1, 1, f"{folder.path} is complete already")
                return _read_summary(folder, was_complete=True)
        folder.check_free(overwrite, folder.made_of() or "")
        folder.start()
        try:
            result = _run(sources, folder, pickups, shards, resources)
            summary = _summary(result, licence_notes(sources))
            if not result.num_sources:
                raise EtudeError(nothing_found(sources))
            if not summary["num_sequences"]:
                raise EtudeError(
                    f"none of the {result.num_sources:,} files could be converted:\n"
                    f"{describe_most_frequent(result.group('rejected'))}\n{folder.join(MANIFEST)} says why for each file"
                )
        except BaseException:
            folder.give_up()
            raise
        text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
        folder.finish(fingerprint("convert", [pickups, shards, result.inputs]), text.encode())
        return _read_summary(folder)


@dataclasses.dataclass(frozen=True)
class _Result:
    """What the dataflow tells: counts, one example of every reason, the files, and what the sources were."""

    counts: Counts
    examples: dict[str, str]
    files: list[str]
    texts: list[str]

    @property
    def num_sources(self) -> int:
        return self.counts.get(("sources", "number"), 0)

    @property
    def inputs(self) -> str:
        return _inputs(self.counts)

    def group(self, name: str) -> dict[str, int]:
        return group(self.counts, name)


def _run(sources: Sequence[str], folder: OutputFolder, pickups: str, shards: int, resources: Resources) -> _Result:
    """Runs the dataflow: everything but the description is written then."""
    result = folder.join(f"{WORK_FOLDER}/result.json")
    with temporary_folder() as name:
        found, done = Tally.in_folder(name, "found"), Tally.in_folder(name, "done")

        def build(pipeline: beam.Pipeline) -> None:
            files = pipeline | MatchMusic(sources, found)
            inputs = files | "CountSources" >> CountSources()
            number = shards or AsSingleton(inputs | "Shards" >> beam.Map(_num_shards), 1)
            # The number of shards is known once all sources are. Records would wait for it where sources are smaller.
            files = files | "AwaitShards" >> beam.Map(_await, number).with_output_types(Source)
            music = files | "ReadMusic" >> ReadMusic(tally=done, pickups=pickups)
            pieces, entries = music[PIECES], music[SOURCES]
            # Not flattened into one: runners keep what is flattened.
            notes = pieces | "Notes" >> beam.FlatMap(piece_records) | "WriteNotes" >> WriteRecords(folder.path, number)
            manifest = entries | "Manifest" >> beam.Map(manifest_record) | "WriteManifest" >> WriteRecords(folder.path)
            examples = entries | "Rejected" >> beam.FlatMap(examples_of) | "First" >> beam.CombinePerKey(min)
            counts = (pieces, entries) | Describe()
            values = {
                "counts": AsSingleton(counts | "Rows" >> beam.Map(as_rows), []),
                "inputs": AsSingleton(inputs | "InputRows" >> beam.Map(as_rows), []),
                "examples": AsDict(examples),
                "notes": AsList(notes),
                "manifest": AsList(manifest),
            }
            pipeline | "WriteResult" >> WriteResult(result, values)

        run(build, resources, Watch("reading pieces", done, found.count))
    values = read_result(result)
    return _Result(
        as_counts([*values["counts"], *values["inputs"]]),
        {reason: example for reason, (_, example) in values["examples"].items()},
        listed(values["notes"], NOTES),
        listed(values["notes"], TEXTS),
    )


def _find_inputs(sources: Sequence[str], folder: OutputFolder, resources: Resources) -> str:
    """What tells these sources from others, without reading them."""
    result = folder.join(f"{WORK_FOLDER}/inputs.json")

    def build(pipeline: beam.Pipeline) -> None:
        counts = pipeline | MatchMusic(sources) | CountSources() | beam.Map(as_rows)
        pipeline | "WriteResult" >> WriteResult(result, {"counts": AsSingleton(counts, [])})

    run(build, dataclasses.replace(resources, workers=1), Watch("looking for changes"))
    return _inputs(as_counts(read_result(result)["counts"]))


def _inputs(counts: Counts) -> str:
    return " ".join(f"{counts.get(('sources-hash', str(index)), 0):x}" for index in range(4))


def _num_shards(counts: Counts) -> int:
    return num_shards(counts.get(("sources", "bytes"), 0), _EXPANSION)


def _await(source: Source, ready: int) -> Source:
    """A source, once a side input is ready."""
    return source


def _absolute(source: str) -> str:
    """A path as workers in another folder find it."""
    is_path = not source.startswith(CORPUS_PREFIX) and not file_systems.is_remote(source)
    return os.path.abspath(source) if is_path else source


def piece_records(piece: Piece) -> Iterator[Record]:
    """The records that store the notes of a piece and what it was written as, if that was ABC."""
    yield NOTES, piece.id, piece.sequence.SerializeToString(deterministic=True)
    if piece.text is not None:
        yield TEXTS, piece.id, piece.text.encode()


def manifest_record(named: tuple[str, str]) -> Record:
    """The line that says what became of a source."""
    source, line = named
    return MANIFEST, source, line.encode("utf-8", "replace")


def examples_of(named: tuple[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where something of a source was rejected, and why, by reason."""
    source, line = named
    for rejected in json.loads(line)["rejected"]:
        # ABC's details name the place themselves.
        detail = rejected["detail"]
        place = detail if detail.startswith(source) else f"{source}: {detail}" if detail else source
        yield rejected["reason"], (source, place)


def _summary(result: _Result, notes: list[str]) -> dict[str, Any]:
    rejected = [
        {"reason": reason, "count": count, "remedy": remedy(reason), "example": result.examples[reason]}
        | ({"machine": True} if reason in MACHINE else {})
        for reason, count in result.group("rejected").items()
    ]
    if any(entry.get("machine") for entry in rejected):
        notes = [*notes, _MACHINE_NOTE]
    lengths = result.group("lengths")
    return {
        "version": version(),
        "num_sources": result.num_sources,
        "num_sequences": result.counts.get(("pieces", "number"), 0),
        "num_notes": result.counts.get(("pieces", "notes"), 0),
        "num_seconds": result.counts.get(("pieces", "seconds"), 0),
        "sources_by_status": result.group("statuses"),
        "bars": result.group("bars"),
        **{name: result.group(name) for name in ("formats", "metres", "keys", "tempos")},
        "lengths": {name: lengths[name] for name in LENGTHS if name in lengths},
        "rejected": rejected,
        "notes": notes,
        "files": result.files,
        "texts": result.texts,
    }


def _read_summary(folder: OutputFolder, was_complete: bool = False) -> ConversionSummary:
    with file_systems.open_to_read(folder.join(SUMMARY)) as file:
        values = json.loads(file.read())
    values["rejected"] = {entry["reason"]: entry["count"] for entry in values["rejected"]}
    names = {field.name for field in dataclasses.fields(ConversionSummary)}
    known = {name: value for name, value in values.items() if name in names}
    return ConversionSummary(**known, was_complete=was_complete)


def _most_frequent(counts: Mapping[str, int]) -> str:
    """Values with their counts, as they are ordered; those beyond the first few together."""
    named = [f"{value} {count:,}" for value, count in itertools.islice(counts.items(), _DESCRIBED_VALUES)]
    others = sum(itertools.islice(counts.values(), _DESCRIBED_VALUES, None))
    return ", ".join([*named, *([f"others {others:,}"] if others else [])]) or "not given"

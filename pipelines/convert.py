"""Music files to NoteSequences."""

import bisect
import collections
import dataclasses
import itertools
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etude.models.errors import EtudeError
from etude.models.progress import Progress, silent
from etude.models.storage.files import write_text, write_whole
from etude.models.storage.records import write_records
from etude.pipelines.jobs import job as jobs
from etude.pipelines.jobs.shards import Slice, slices
from etude.pipelines.readers import read_source_music
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.reasons import describe_most_frequent, remedy
from etude.pipelines.sources import remote_files
from etude.pipelines.sources.corpora import licence_notes
from etude.pipelines.sources.sources import Source, expand_archives, expand_sources

SHARDS = "notes"
MANIFEST = "manifest.jsonl"
SUMMARY = "summary.json"
_PHASE = "convert"
_ARCHIVES = "archives"
_LENGTH_SECONDS = (15, 30, 60, 120, 300, 600)
_LENGTHS = (
    "under 15 s",
    "15 to 30 s",
    "30 s to 1 min",
    "1 to 2 min",
    "2 to 5 min",
    "5 to 10 min",
    "10 min and more",
)
_DESCRIBED = ("formats", "metres", "keys", "tempos", "lengths")
_DESCRIBED_VALUES = 8
_KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


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
      rejected: rejected pieces by reason.
      notes: what the user has to know about the sources.
      files: the shards.
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
    rejected: dict[str, int]
    notes: list[str]
    files: list[str]
    was_complete: bool = False

    def describe(self) -> str:
        """What came through, for a person: how much, then a line for each property with its most frequent values."""
        minutes = round(self.num_seconds / 60)
        lines = [
            f"{self.num_sequences:,} pieces from {self.num_sources:,} files: {self.num_notes:,} notes, "
            f"{minutes // 60:,} h {minutes % 60} min"
        ]
        lines += [f"  {name}: {_most_frequent(getattr(self, name))}" for name in _DESCRIBED]
        return "\n".join(lines)


def convert(
    sources: Sequence[str],
    output: pathlib.Path | str,
    *,
    workers: int = 1,
    beam_options: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress = silent,
) -> ConversionSummary:
    """Converts music files to NoteSequences.

    Writes `notes-SSSSS-of-NNNNN.tfrecord`, `manifest.jsonl` (one object a source: what became of it) and, last,
    `summary.json`. The bytes depend on the sources alone. A job that was killed goes on where it was; on a complete
    folder it does nothing.

    Args:
      sources: files, folders, globs, archives and `corpus:NAME`; SCHEME://... where Beam has a file system for it.
      output: the folder to write.
      workers: processes.
      beam_options: Beam's own options, if it is to run elsewhere than here.
      overwrite: whether the results of another job in the folder are to be replaced.
      progress: called with the count of finished slices.

    Returns:
      What was found.

    Raises:
      EtudeError: if there is nothing to read, nothing could be read, or the folder cannot be written.
    """
    if beam_options and any(map(remote_files.is_remote, sources)):
        remote_files.set_options(beam_options)
    found = expand_sources(sources)
    parts = slices(found, [source.size for source in found])
    inputs = ([source.collection, source.name, source.size, source.modified] for source in found)
    job = jobs.make_job("convert", output, SUMMARY, inputs)
    with jobs.claim(job, overwrite) as is_complete:
        if is_complete:
            progress(len(parts), len(parts), f"{job.output} is complete already")
        else:
            expand_archives(found, job.work / _ARCHIVES)
            resources = jobs.Resources(workers, beam_options, progress)
            jobs.run_phase(
                job, _PHASE, ConvertSlice(job), parts, [SHARDS], resources, f"converting {len(found):,} files"
            )
            _finish(job, parts, licence_notes(sources))
    values = json.loads((job.output / SUMMARY).read_text(encoding="utf-8"))
    values["rejected"] = {entry["reason"]: entry["count"] for entry in values["rejected"]}
    names = {field.name for field in dataclasses.fields(ConversionSummary)}
    known = {name: value for name, value in values.items() if name in names}
    return ConversionSummary(**known, was_complete=is_complete)


@dataclasses.dataclass(frozen=True)
class ConvertSlice:
    """Reads the sources of one slice and writes their NoteSequences as one shard.

    Attributes:
      job: the job that the slice belongs to.
    """

    job: jobs.Job

    def __call__(self, part: Slice[Source]) -> Mapping[str, int]:
        """Converts one slice; returns the number of sequences and of rejections by reason."""
        entries: list[dict[str, Any]] = []
        counts: dict[str, collections.Counter[str]] = {
            name: collections.Counter()
            for name in ("formats", "metres", "keys", "tempos", "lengths", "rejected", "sums")
        }

        def records() -> Iterator[bytes]:
            for source in part.items:
                entry = _manifest_entry(source, part.shard(SHARDS))
                entries.append(entry)
                for reading in read_source_music(source, self.job.work / _ARCHIVES):
                    if reading.sequence is None:
                        rejected = _rejection(reading)
                        entry["rejected"].append(rejected)
                        counts["rejected"][rejected["reason"]] += 1
                    else:
                        entry["num_sequences"] += 1
                        _count(source, reading.sequence, counts)
                        yield reading.sequence.SerializeToString(deterministic=True)
                if entry["num_sequences"]:
                    entry["status"] = "partly" if entry["rejected"] else "converted"

        num_sequences = write_records(self.job.output / part.shard(SHARDS), records())
        jobs.write_result(self.job.result_path(_PHASE, part.index), {"manifest": entries, "counts": counts})
        rejected = {f"rejected-{reason}": count for reason, count in counts["rejected"].items()}
        return {"sources": len(entries), "sequences": num_sequences, **rejected}


def _manifest_entry(source: Source, shard: str) -> dict[str, Any]:
    """What the manifest says of a source of which nothing was read yet."""
    return {
        "source": source.full_name,
        "format": source.format,
        "status": "rejected",
        "num_sequences": 0,
        "shard": shard,
        "rejected": [],
    }


def _rejection(reading: Reading) -> dict[str, Any]:
    rejected = reading.rejected or Rejected("reader-failed")
    entry: dict[str, Any] = {"reason": rejected.reason, "detail": rejected.detail}
    if reading.line:
        entry |= {"reference_number": reading.reference_number, "title": reading.title, "line": reading.line}
    return entry


def _count(source: Source, sequence: NoteSequence, counts: Mapping[str, collections.Counter[str]]) -> None:
    counts["formats"][source.format] += 1
    metre = sequence.time_signatures[0] if sequence.time_signatures else None
    counts["metres"][f"{metre.numerator}/{metre.denominator}" if metre else "none"] += 1
    if sequence.key_signatures:
        key = sequence.key_signatures[0]
        counts["keys"][f"{_KEYS[key.key % 12]} {key.Mode.Name(key.mode).lower().replace('_', ' ')}"] += 1
    counts["tempos"][f"{sequence.tempos[0].qpm:.0f}" if sequence.tempos else "none"] += 1
    counts["lengths"][_LENGTHS[bisect.bisect_right(_LENGTH_SECONDS, sequence.total_time)]] += 1
    counts["sums"]["notes"] += len(sequence.notes)
    counts["sums"]["seconds"] += round(sequence.total_time)


def _finish(job: jobs.Job, parts: Sequence[Slice[Source]], notes: list[str]) -> None:
    """Writes the manifest and the summary out of the results of the slices."""
    totals: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    statuses: collections.Counter[str] = collections.Counter()
    examples: dict[str, str] = {}
    num_sources = num_sequences = 0
    with write_whole(job.output / MANIFEST) as manifest:
        for part in parts:
            result = jobs.read_result(job.result_path(_PHASE, part.index))
            for name, counts in result["counts"].items():
                totals[name].update(counts)
            for entry in result["manifest"]:
                num_sources += 1
                num_sequences += entry["num_sequences"]
                statuses[entry["status"]] += 1
                for rejected in entry["rejected"]:
                    examples.setdefault(rejected["reason"], _example(entry["source"], rejected))
                manifest.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
    if not num_sequences:
        jobs.give_up(job)
        raise EtudeError(
            f"none of the {num_sources:,} files could be converted:\n{describe_most_frequent(totals['rejected'])}\n"
            f"{job.output / MANIFEST} says why for each file"
        )
    rejected = [
        {"reason": reason, "count": count, "remedy": remedy(reason), "example": examples[reason]}
        for reason, count in _ranked(totals["rejected"]).items()
    ]
    summary = {
        "version": jobs.version(),
        "num_sources": num_sources,
        "num_sequences": num_sequences,
        "num_notes": totals["sums"]["notes"],
        "num_seconds": totals["sums"]["seconds"],
        "sources_by_status": _ranked(statuses),
        **{name: _ranked(totals[name]) for name in ("formats", "metres", "keys", "tempos")},
        "lengths": {name: totals["lengths"][name] for name in _LENGTHS if totals["lengths"][name]},
        "rejected": rejected,
        "notes": notes,
        "files": [part.shard(SHARDS) for part in parts],
    }
    write_text(job.output / SUMMARY, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")


def _example(source: str, rejected: Mapping[str, Any]) -> str:
    """Where something was rejected, and why; ABC's details name the place themselves."""
    if rejected["detail"].startswith(source):
        return str(rejected["detail"])
    return f"{source}: {rejected['detail']}" if rejected["detail"] else source


def _most_frequent(counts: Mapping[str, int]) -> str:
    """Values with their counts, as they are ordered; those beyond the first few together."""
    named = [f"{value} {count:,}" for value, count in itertools.islice(counts.items(), _DESCRIBED_VALUES)]
    others = sum(itertools.islice(counts.values(), _DESCRIBED_VALUES, None))
    return ", ".join([*named, *([f"others {others:,}"] if others else [])]) or "not given"


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

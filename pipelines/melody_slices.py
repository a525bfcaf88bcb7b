"""The two passes that make a dataset, each a function of one slice of the NoteSequence files.

The first pass extracts the melodies of a slice and decides each piece's split; it needs nothing but the slice. Then
content that would be on both sides is looked for among the hashes of all melodies. The second pass leaves it out, adds
transposed copies and writes the shards.
"""

import collections
import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from models import registry
from models.configuration import Configuration
from models.encoding import Encoding
from models.files import write_whole
from models.melody import MAX_PITCH, MIN_PITCH, Events, Melody, squash
from models.records import frame, read_records, write_records
from models.sequence_examples import decode_melody, encode_inputs_and_labels, encode_melody
from pipelines import job as jobs
from pipelines.content import content_hash, ngram_hashes
from pipelines.extraction import ExtractionOptions, Rejection, extract
from pipelines.note_files import NoteFile
from pipelines.note_sequences import piece_name, read_note_sequences
from pipelines.shards import Slice
from pipelines.split import EVAL, TRAIN, SplitRule, record_digest, side

EXTRACT = "extract"
WRITE = "write"
DECISIONS = "decisions.json"
NGRAM_SIZES = (4, 8)


@dataclasses.dataclass(frozen=True)
class ExtractSlice:
    """Extracts the melodies of one NoteSequence file to the job's work folder.

    Attributes:
      job: the job that the slice belongs to.
      options: what makes a melody.
      rule: how melodies are split.
    """

    job: jobs.Job
    options: ExtractionOptions
    rule: SplitRule

    def __call__(self, part: Slice[NoteFile]) -> Mapping[str, int]:
        """Works on one slice; returns the number of pieces, of melodies, and of rejections by reason."""
        pieces: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        num_pieces = num_truncated = 0

        def records() -> Iterator[bytes]:
            nonlocal num_pieces, num_truncated
            for file in part.items:
                for number, sequence in enumerate(read_note_sequences(file.path), start=1):
                    num_pieces += 1
                    name = piece_name(sequence) or f"{file.name}:{number}"
                    extraction = extract(sequence, self.options)
                    rejected.extend(_rejection(name, rejection) for rejection in extraction.rejections)
                    if not extraction.melodies:
                        continue
                    hashes = [content_hash(melody.events) for melody in extraction.melodies]
                    split = side(hashes, self.rule)
                    pieces.append({"name": name, "split": split, "hashes": [value.hex() for value in hashes]})
                    indices: collections.Counter[int] = collections.Counter()
                    for melody in extraction.melodies:
                        num_truncated += melody.full_length > len(melody.events)
                        yield encode_melody(
                            Melody(
                                events=melody.events,
                                id=f"{melody.instrument}:{indices[melody.instrument]}",
                                source=name,
                                steps_per_quarter=self.options.steps_per_quarter,
                                steps_per_bar=melody.steps_per_bar,
                            )
                        )
                        indices[melody.instrument] += 1

        num_melodies = write_records(melodies_path(self.job, part.index), records())
        reasons = collections.Counter(entry["reason"] for entry in rejected)
        result = {
            "num_pieces": num_pieces,
            "num_truncated": num_truncated,
            "pieces": pieces,
            "rejected": rejected,
            "reasons": reasons,
        }
        jobs.write_result(self.job.result_path(EXTRACT, part.index), result)
        counts = {f"rejected-{reason}": count for reason, count in reasons.items()}
        return {"pieces": num_pieces, "melodies": num_melodies, "truncated": num_truncated, **counts}


@dataclasses.dataclass(frozen=True)
class WriteSlice:
    """Writes the melodies of one slice to the shard of each split.

    Attributes:
      job: the job that the slice belongs to.
      splits: the names of the splits.
      transpositions: semitones by which copies of training melodies are moved; 0 is the melody itself.
      configuration: None to store events; otherwise what Magenta's dense form is encoded for.
    """

    job: jobs.Job
    splits: tuple[str, ...]
    transpositions: tuple[int, ...] = (0,)
    configuration: Configuration | None = None

    def __call__(self, part: Slice[NoteFile]) -> Mapping[str, int]:
        """Works on one slice; returns the number of records by split."""
        melodies, num_leaked = self._kept(part)
        num_outside = 0
        stored: dict[str, list[Melody]] = {name: [] for name in self.splits}
        for name, melody in melodies:
            semitones = self.transpositions if name == TRAIN else (0,)
            copies = [copy for amount in semitones if (copy := transposed(melody, amount))]
            num_outside += len(semitones) - len(copies)
            stored[name].extend(copies)
        self._write_ngrams(part, melodies)
        for name, members in stored.items():
            self._write_shard(part, name, members)
        result = {
            "num_leaked": num_leaked,
            "num_transpositions_out_of_range": num_outside,
            "splits": {name: _statistics(members) for name, members in stored.items()},
            "digests": [
                record_digest(name, m.steps_per_bar, m.steps_per_quarter, m.events.tolist()).hex()
                for name, members in stored.items()
                for m in members
            ],
        }
        jobs.write_result(self.job.result_path(WRITE, part.index), result)
        return {f"{name}-records": len(members) for name, members in stored.items()} | {"leaked": num_leaked}

    def _kept(self, part: Slice[NoteFile]) -> tuple[list[tuple[str, Melody]], int]:
        """Split and melody of everything that is not leaked, under its final id, and the number of what is."""
        pieces = jobs.read_result(self.job.result_path(EXTRACT, part.index))["pieces"]
        decisions = jobs.read_result(self.job.work / DECISIONS)
        names = decisions["renamed"].get(str(part.index), {})
        leaked = set(decisions["leaked"])
        records = read_records(melodies_path(self.job, part.index))
        kept = []
        num_leaked = 0
        for number, piece in enumerate(pieces):
            name = names.get(str(number), piece["name"])
            for content, record in zip(piece["hashes"], records, strict=False):
                if piece["split"] != TRAIN and content in leaked:
                    num_leaked += 1
                    continue
                melody = decode_melody(record)
                kept.append((piece["split"], dataclasses.replace(melody, id=f"{name}:{melody.id}")))
        return kept, num_leaked

    def _write_shard(self, part: Slice[NoteFile], split: str, melodies: Sequence[Melody]) -> None:
        if self.configuration is None:
            write_records(self.job.output / part.shard(split), map(encode_melody, melodies))
            return
        encoding = registry.make_encoding(self.configuration)
        with write_whole(dense_path(self.job, split, part.index)) as file:
            for melody in melodies:
                file.write(frame(encode_dense(melody, self.configuration, encoding)))

    def _write_ngrams(self, part: Slice[NoteFile], melodies: Sequence[tuple[str, Melody]]) -> None:
        arrays: dict[str, Any] = {}
        for n in NGRAM_SIZES:
            hashes: dict[str, list[Any]] = {TRAIN: [np.zeros(0, np.uint64)], EVAL: [np.zeros(0, np.uint64)]}
            for name, melody in melodies:
                if name in hashes:
                    hashes[name].append(ngram_hashes(melody.events, n))
            arrays[f"train_{n}"] = np.unique(np.concatenate(hashes[TRAIN]))
            arrays[f"eval_{n}"] = np.concatenate(hashes[EVAL])
        with write_whole(ngrams_path(self.job, part.index)) as file:
            np.savez(file, **arrays)


def transposed(melody: Melody, semitones: int) -> Melody | None:
    """A copy of a melody in another key, or None if that takes a note out of 0 to 127."""
    if semitones == 0:
        return melody
    pitches = melody.events[melody.events >= MIN_PITCH]
    moved = pitches + semitones
    if ((moved < MIN_PITCH) | (moved > MAX_PITCH)).any():
        return None
    events: Events = np.where(melody.events >= MIN_PITCH, melody.events + semitones, melody.events)
    return dataclasses.replace(melody, events=events, id=f"{melody.id}:{semitones:+d}", transposition=semitones)


def encode_dense(melody: Melody, configuration: Configuration, encoding: Encoding) -> bytes:
    """Magenta's record of a melody: squashed, the input at each step beside the label of the next."""
    events, _ = squash(melody.events, configuration.min_note, configuration.max_note, configuration.transpose_to_key)
    steps_per_bar = np.array([melody.steps_per_bar], np.int64)
    inputs = encoding.inputs(events[None], steps_per_bar)[0, :-1]
    labels = encoding.labels(events[None], steps_per_bar)[0, 1:]
    return encode_inputs_and_labels(inputs, labels)


def melodies_path(job: jobs.Job, index: int) -> pathlib.Path:
    """Where the first pass leaves a slice's melodies."""
    return job.work / "melodies" / f"{index:05d}.tfrecord"


def ngrams_path(job: jobs.Job, index: int) -> pathlib.Path:
    """Where the second pass leaves a slice's n-grams."""
    return job.work / "ngrams" / f"{index:05d}.npz"


def dense_path(job: jobs.Job, split: str, index: int) -> pathlib.Path:
    """Where the second pass leaves a slice's records in Magenta's form."""
    return job.work / "dense" / f"{split}-{index:05d}.tfrecord"


def _rejection(name: str, rejection: Rejection) -> dict[str, Any]:
    values = {"source": name, **dataclasses.asdict(rejection)}
    return {key: value for key, value in values.items() if value not in (None, "")}


def _statistics(melodies: Sequence[Melody]) -> dict[str, Any]:
    lengths = [len(melody.events) for melody in melodies]
    return {
        "num_melodies": len(melodies),
        "num_steps": sum(lengths),
        "num_notes": sum(int((melody.events >= MIN_PITCH).sum()) for melody in melodies),
        "max_steps": max(lengths, default=0),
        "melodies_by_steps_per_bar": collections.Counter(melody.steps_per_bar for melody in melodies),
    }

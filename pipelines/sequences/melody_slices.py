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
import numpy.typing as npt

from etude.models import registry
from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding, as_vectors
from etude.models.melodies.melody import MAX_PITCH, MIN_PITCH, Events, Melody, metres, squash
from etude.models.storage.files import write_whole
from etude.models.storage.records import frame, write_records
from etude.models.storage.sequence_examples import encode_inputs_and_labels, encode_melody
from etude.pipelines.jobs import job as jobs
from etude.pipelines.jobs.shards import Slice
from etude.pipelines.readers.note_sequences import NoteSequence, piece_name, read_note_sequences
from etude.pipelines.sequences.content import NGRAM_SIZES, Hashes, content_hash, ngram_hashes
from etude.pipelines.sequences.extraction import ExtractedMelody, ExtractionOptions, Rejection, extract
from etude.pipelines.sequences.note_files import NoteFile
from etude.pipelines.sequences.split import TRAIN, SplitRule, record_digest, side

EXTRACT = "extract"
WRITE = "write"
DECISIONS = "decisions.json"


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
        counts: collections.Counter[str] = collections.Counter()
        pieces: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        events: list[npt.NDArray[np.int8]] = []
        for name, sequence in _named_sequences(part.items):
            extraction = extract(sequence, self.options)
            counts["pieces"] += 1
            rejected.extend(_rejection(name, rejection) for rejection in extraction.rejections)
            if extraction.melodies:
                pieces.append(_piece(name, extraction.melodies, self.rule))
                events.extend(melody.events.astype(np.int8) for melody in extraction.melodies)
                counts["truncated"] += sum(m.full_length > len(m.events) for m in extraction.melodies)
        counts["melodies"] = len(events)
        with write_whole(melodies_path(self.job, part.index)) as file:
            lengths = np.array([len(melody) for melody in events], np.int64)
            np.savez(file, events=np.concatenate([np.zeros(0, np.int8), *events]), lengths=lengths)
        reasons = collections.Counter(entry["reason"] for entry in rejected)
        result = {"counts": counts, "pieces": pieces, "rejected": rejected, "reasons": reasons}
        jobs.write_result(self.job.result_path(EXTRACT, part.index), result)
        return {**counts, **{f"rejected-{reason}": count for reason, count in reasons.items()}}


@dataclasses.dataclass(frozen=True)
class WriteSlice:
    """Writes the melodies of one slice to the shard of each split.

    Attributes:
      job: the job that the slice belongs to.
      splits: the names of the splits.
      steps_per_quarter: the grid of the melodies.
      transpositions: semitones by which copies of training melodies are moved; 0 is the melody itself.
      configuration: None to store events; otherwise what Magenta's dense form is encoded for.
    """

    job: jobs.Job
    splits: tuple[str, ...]
    steps_per_quarter: int
    transpositions: tuple[int, ...] = (0,)
    configuration: Configuration | None = None

    def __call__(self, part: Slice[NoteFile]) -> Mapping[str, int]:
        """Works on one slice; returns the number of records and of leaked melodies by split."""
        ngrams: dict[str, Any] = {}
        results = {split: self._write_split(part, split, ngrams) for split in self.splits}
        with write_whole(ngrams_path(self.job, part.index)) as file:
            np.savez(file, **ngrams)
        jobs.write_result(self.job.result_path(WRITE, part.index), results)
        return {f"{split}-{name}": results[split][name] for split in results for name in ("num_melodies", "num_leaked")}

    def _write_split(self, part: Slice[NoteFile], split: str, ngrams: dict[str, Any]) -> dict[str, Any]:
        """Writes the shard of one split, melody by melody; adds its n-grams to `ngrams` and returns its statistics."""
        counts: collections.Counter[str] = collections.Counter()
        steps_per_bar: collections.Counter[int] = collections.Counter()
        max_steps = 0
        digests: list[str] = []
        hashes: dict[int, list[Hashes]] = {n: [np.zeros(0, np.uint64)] for n in NGRAM_SIZES}

        def stored() -> Iterator[Melody]:
            nonlocal max_steps
            for original, is_leaked in _extracted(self.job, part.index, split, self.steps_per_quarter):
                if is_leaked:
                    counts["num_leaked"] += 1
                    continue
                for n, found in hashes.items():
                    found.append(ngram_hashes(original.events, n))
                for semitones in self.transpositions if split == TRAIN else (0,):
                    melody = transposed(original, semitones)
                    if melody is None:
                        counts["num_out_of_range"] += 1
                        continue
                    counts["num_melodies"] += 1
                    counts["num_steps"] += len(melody.events)
                    counts["num_notes"] += int((melody.events >= MIN_PITCH).sum())
                    steps_per_bar[melody.steps_per_bar] += 1
                    max_steps = max(max_steps, len(melody.events))
                    digests.append(record_digest(split, melody).hex())
                    yield melody

        self._write_shard(part, split, stored())
        ngrams |= {ngrams_key(split, n): np.concatenate(found) for n, found in hashes.items()}
        names = ("num_leaked", "num_out_of_range", "num_melodies", "num_steps", "num_notes")
        return {
            **{name: counts[name] for name in names},
            "max_steps": max_steps,
            "melodies_by_steps_per_bar": steps_per_bar,
            "digests": digests,
        }

    def _write_shard(self, part: Slice[NoteFile], split: str, melodies: Iterator[Melody]) -> None:
        if self.configuration is None:
            write_records(self.job.output / part.shard(split), map(encode_melody, melodies))
            return
        encoding = registry.make_encoding(self.configuration)
        with write_whole(dense_path(self.job, split, part.index)) as file:
            for melody in melodies:
                file.write(frame(encode_dense(melody, self.configuration, encoding)))


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
    metre = metres(melody.steps_per_bar)
    inputs = as_vectors(encoding.inputs(events[None], metre)[0, :-1], encoding.input_size)
    labels = encoding.labels(events[None], metre)[0, 1:]
    return encode_inputs_and_labels(inputs, labels)


def melodies_path(job: jobs.Job, index: int) -> pathlib.Path:
    """Where the first pass leaves a slice's melodies: all events in a row, and how many each has."""
    return job.work / "melodies" / f"{index:05d}.npz"


def ngrams_path(job: jobs.Job, index: int) -> pathlib.Path:
    """Where the second pass leaves the n-grams of a slice, see `ngrams_key`."""
    return job.work / "ngrams" / f"{index:05d}.npz"


def ngrams_key(split: str, n: int) -> str:
    """The name of the array that holds a split's n-grams of one length."""
    return f"{split}-{n}"


def dense_path(job: jobs.Job, split: str, index: int) -> pathlib.Path:
    """Where the second pass leaves a slice's records in Magenta's form."""
    return job.work / "dense" / f"{split}-{index:05d}.tfrecord"


def _named_sequences(files: Sequence[NoteFile]) -> Iterator[tuple[str, NoteSequence]]:
    for file in files:
        for number, sequence in enumerate(read_note_sequences(file.path), start=1):
            yield piece_name(sequence) or f"{file.name}:{number}", sequence


def _piece(name: str, melodies: Sequence[ExtractedMelody], rule: SplitRule) -> dict[str, Any]:
    """What the first pass says of a piece, melody by melody. `ids` are track and number; the name is added later."""
    hashes = [content_hash(melody.events) for melody in melodies]
    seen: collections.Counter[int] = collections.Counter()
    ids = []
    for melody in melodies:
        ids.append(f"{melody.instrument}:{seen[melody.instrument]}")
        seen[melody.instrument] += 1
    return {
        "name": name,
        "split": side(hashes, rule),
        "hashes": [value.hex() for value in hashes],
        "pitches": [int(melody.events[melody.events >= MIN_PITCH][0]) for melody in melodies],
        "ids": ids,
        "steps_per_bar": [melody.steps_per_bar for melody in melodies],
    }


def _extracted(job: jobs.Job, index: int, split: str, steps_per_quarter: int) -> Iterator[tuple[Melody, bool]]:
    """The melodies of a slice that fall into a split, under their final ids and without duplicates to drop.

    Yields:
      A melody, and whether it has to leave its split because train holds the same content.
    """
    pieces = jobs.read_result(job.result_path(EXTRACT, index))["pieces"]
    decisions = jobs.read_result(job.work / DECISIONS)
    names = decisions["renamed"].get(str(index), {})
    leaked = set(decisions["leaked"])
    dropped = {(number, position) for number, position in decisions["dropped"].get(str(index), [])}
    with np.load(melodies_path(job, index), allow_pickle=False) as arrays:
        melodies = iter(np.split(arrays["events"], np.cumsum(arrays["lengths"])))
    for number, piece in enumerate(pieces):
        name = names.get(str(number), piece["name"])
        details = zip(piece["hashes"], piece["ids"], piece["steps_per_bar"], melodies, strict=False)
        for position, (content, place, steps_per_bar, events) in enumerate(details):
            if piece["split"] == split and (number, position) not in dropped:
                melody = Melody(
                    events=events.astype(np.int64),
                    id=f"{name}:{place}",
                    source=piece["name"],
                    steps_per_quarter=steps_per_quarter,
                    steps_per_bar=steps_per_bar,
                )
                yield melody, split != TRAIN and content in leaked


def _rejection(name: str, rejection: Rejection) -> dict[str, Any]:
    values = {"source": name, **dataclasses.asdict(rejection)}
    return {key: value for key, value in values.items() if value not in (None, "")}

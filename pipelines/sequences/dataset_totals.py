"""What has to be known about all slices of a dataset at once.

Between the passes: which content is on both sides, and which pieces share a name. After them: the description. Only
names, hashes and counts are brought together, never melodies.
"""

import collections
import json
import pathlib
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from etude.models.errors import EtudeError
from etude.models.storage import dataset_pb2
from etude.models.storage.files import write_whole
from etude.pipelines.jobs import job as jobs
from etude.pipelines.jobs.shards import Slice
from etude.pipelines.reasons import describe_most_frequent
from etude.pipelines.sequences.content import NGRAM_SIZES, Hashes
from etude.pipelines.sequences.melody_slices import DECISIONS, EXTRACT, WRITE, dense_path, ngrams_key, ngrams_path
from etude.pipelines.sequences.note_files import NoteFile
from etude.pipelines.sequences.split import EVAL, TRAIN, SplitRule, fingerprint, leaked

REJECTED = "rejected.jsonl"


def decide(job: jobs.Job, parts: Sequence[Slice[NoteFile]], rule: SplitRule, dedupe: bool) -> None:
    """Finds leaked content, duplicates and names that pieces share, for the second pass; writes `rejected.jsonl`.

    Args:
      job: the job.
      parts: all slices.
      rule: how melodies are split.
      dedupe: whether duplicates are to be dropped.

    Raises:
      EtudeError: if there is no melody at all, or a split would be empty.
    """
    reasons: collections.Counter[str] = collections.Counter()
    num_pieces = 0
    taken: set[str] = set()
    renamed: dict[str, dict[str, str]] = {}
    melodies: list[tuple[str, bytes]] = []
    duplicates = _Duplicates()
    dropped: dict[str, list[tuple[int, int]]] = {}
    with write_whole(job.output / REJECTED) as file:
        for index, result in _results(job, EXTRACT, parts):
            num_pieces += result["counts"]["pieces"]
            reasons.update(result["reasons"])
            for entry in result["rejected"]:
                file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            for number, piece in enumerate(result["pieces"]):
                name = _unique(piece["name"], taken)
                if name != piece["name"]:
                    renamed.setdefault(str(index), {})[str(number)] = name
                for position, content in enumerate(map(bytes.fromhex, piece["hashes"])):
                    if duplicates.add(content, piece["pitches"][position]) and dedupe:
                        dropped.setdefault(str(index), []).append((number, position))
                    else:
                        melodies.append((piece["split"], content))
    leaks = leaked(melodies)
    sizes = collections.Counter(split for split, content in melodies if split == TRAIN or content not in leaks)
    if not melodies:
        problem = f"none of the {num_pieces:,} pieces has a melody"
        if reasons:
            problem += f":\n{describe_most_frequent(reasons)}\n{job.output / REJECTED} says why for each track"
    else:
        problem = _empty_split(sizes, num_pieces, rule)
    if problem:
        jobs.give_up(job)
        raise EtudeError(problem)
    decisions = {
        "leaked": sorted(content.hex() for content in leaks),
        "renamed": renamed,
        "dropped": dropped,
        "num_exact": duplicates.num_exact,
        "num_transposed": duplicates.num_transposed,
    }
    jobs.write_result(job.work / DECISIONS, decisions)


class _Duplicates:
    """Counts melodies whose intervals and rhythm were there before."""

    def __init__(self) -> None:
        self.num_exact = 0
        self.num_transposed = 0
        # The first eight bytes: among ten million melodies two share them by chance once in 400,000 corpora.
        self._pitches: dict[bytes, int] = {}

    def add(self, content: bytes, pitch: int) -> bool:
        """Adds a melody; returns whether it is a duplicate.

        Args:
          content: its content hash.
          pitch: its first pitch.
        """
        key = content[:8]
        seen = self._pitches.get(key, 0)
        self._pitches[key] = seen | 1 << pitch
        self.num_exact += seen >> pitch & 1
        self.num_transposed += seen != 0 and not seen >> pitch & 1
        return seen != 0


def add_statistics(
    description: dataset_pb2.DatasetDescription, job: jobs.Job, parts: Sequence[Slice[NoteFile]], rule: SplitRule
) -> None:
    """Adds to a description what both passes counted."""
    for _, result in _results(job, EXTRACT, parts):
        description.num_pieces += result["counts"]["pieces"]
        description.num_truncated_melodies += result["counts"].get("truncated", 0)
        for reason, count in sorted(result["reasons"].items()):
            description.rejected[reason] += count
    decisions = jobs.read_result(job.work / DECISIONS)
    description.num_duplicate_melodies = decisions["num_exact"]
    description.num_transposed_duplicate_melodies = decisions["num_transposed"]
    splits = {name: description.splits.add(name=name) for name in rule.splits}
    digests: list[bytes] = []
    for _, result in _results(job, WRITE, parts):
        for name, counts in result.items():
            split = splits[name]
            split.num_melodies += counts["num_melodies"]
            split.num_steps += counts["num_steps"]
            split.num_notes += counts["num_notes"]
            split.max_steps = max(split.max_steps, counts["max_steps"])
            for steps_per_bar, count in counts["melodies_by_steps_per_bar"].items():
                split.melodies_by_steps_per_bar[int(steps_per_bar)] += count
            description.num_leaked_melodies_dropped += counts["num_leaked"]
            if counts["num_out_of_range"]:
                description.rejected["transposition-out-of-range"] += counts["num_out_of_range"]
            digests.extend(map(bytes.fromhex, counts["digests"]))
    description.fingerprint = fingerprint(digests)
    if EVAL in rule.splits:
        for n in NGRAM_SIZES:
            overlap = _ngram_overlap(job, len(parts), n)
            if overlap is not None:
                description.eval_ngram_overlap[n] = overlap


def join_dense(job: jobs.Job, split: str, num_slices: int, path: pathlib.Path) -> None:
    """Joins a split's records in Magenta's form to one plain TFRecord file, which is what Magenta reads."""
    with write_whole(path) as joined:
        for index in range(num_slices):
            with dense_path(job, split, index).open("rb") as shard:
                shutil.copyfileobj(shard, joined)


def _results(job: jobs.Job, phase: str, parts: Sequence[Slice[NoteFile]]) -> Iterator[tuple[int, Any]]:
    for part in parts:
        yield part.index, jobs.read_result(job.result_path(phase, part.index))


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with the first number that makes it unique; it is taken from then on."""
    unique = name
    number = 1
    while unique in taken:
        number += 1
        unique = f"{name}~{number}"
    taken.add(unique)
    return unique


def _empty_split(sizes: collections.Counter[str], num_pieces: int, rule: SplitRule) -> str:
    """What is wrong if a split has no melody; empty if all have one."""
    for name in rule.splits:
        if not sizes[name]:
            ratios = f"--eval-ratio {rule.eval_ratio:g} --test-ratio {rule.test_ratio:g} --salt {rule.salt!r}"
            remedy = "a smaller --eval-ratio" if name == TRAIN else f"a larger --{name}-ratio"
            return (
                f"the {name} split is empty: {sizes.total():,} melodies out of {num_pieces:,} pieces, {ratios}; "
                f"give more music, {remedy}, or another --salt"
            )
    return ""


def _ngram_overlap(job: jobs.Job, num_slices: int, n: int) -> float | None:
    """The share of the eval split's n-grams that also occur in train; None if it has none.

    Train's n-grams pass by slice by slice, so that only eval's are held in memory.
    """

    def hashes(split: str, index: int) -> Hashes:
        with np.load(ngrams_path(job, index), allow_pickle=False) as arrays:
            loaded: Hashes = arrays[ngrams_key(split, n)]
            return loaded

    held_out, counts = np.unique(
        np.concatenate([hashes(EVAL, index) for index in range(num_slices)]), return_counts=True
    )
    if not held_out.size:
        return None
    found = np.zeros(len(held_out), np.bool_)
    for index in range(num_slices):
        found |= np.isin(held_out, hashes(TRAIN, index))
    return float(counts[found].sum() / counts.sum())

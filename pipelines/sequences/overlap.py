"""`CountSharedRuns`: how much of what is held out also occurs in train, run by run."""

import collections
import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.utils.windowed_value import WindowedValue

from etude.models.melodies.content import NGRAM_SIZES, Hashes, hash_runs
from etude.models.representations.representation import Representation
from etude.pipelines.records.counts import Counts, in_global_window
from etude.pipelines.sequences.sequence_coder import SplitSequence
from etude.pipelines.sequences.split_rule import EVAL, TRAIN

_FLUSH = 1 << 20
"""Numbers that a worker holds before it passes hashes of their runs on."""


@dataclasses.dataclass
class CountSharedRuns(beam.PTransform):  # type: ignore[misc]
    """Counts the runs of tokens of the eval split, and those of them that also occur in train.

    In: `PCollection[tuple[str, Sequence]]`. Out: `PCollection[Counts]` to be summed, with the groups "runs" and
    "shared-runs" by the length of a run.

    Attributes:
      representation: hashes the runs.
      num_groups: a number, or a side input with one: how many parts hashes are grouped in, each to fit into memory.
    """

    representation: Representation
    num_groups: Any = 1

    def expand(self, sequences: beam.PCollection[SplitSequence]) -> beam.PCollection[Counts]:
        """Groups hashes by their highest bits, many at a time, and compares the sides of each group."""
        return (
            sequences
            | "Runs" >> beam.ParDo(_PackRuns(self.representation), self.num_groups).with_output_types(_Packed)
            | "GroupRuns" >> beam.GroupByKey()
            | "Compare" >> beam.Map(compare).with_output_types(Counts)
        )


_Packed = tuple[tuple[int, int], tuple[bool, bytes]]
"""Length of a run and group; whether the hashes are train's, and the hashes."""


class _PackRuns(beam.DoFn):  # type: ignore[misc]
    def __init__(self, representation: Representation) -> None:
        self._representation = representation

    def start_bundle(self) -> None:
        self._numbers: dict[bool, list[Hashes]] = collections.defaultdict(list)
        self._count = 0
        self._groups = 1

    def process(self, element: SplitSequence, num_groups: int) -> Iterator[_Packed]:
        split, sequence = element
        self._groups = num_groups
        if split not in (TRAIN, EVAL):
            return
        numbers = self._representation.run_numbers(sequence)
        self._numbers[split == TRAIN].append(numbers)
        self._count += len(numbers)
        if self._count >= _FLUSH:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from map(in_global_window, self._flush())

    def _flush(self) -> Iterator[_Packed]:
        for (is_train, parts), n in itertools.product(self._numbers.items(), NGRAM_SIZES):
            hashes = hash_runs(parts, n)
            # Train's are only looked up.
            hashes = np.unique(hashes) if is_train else hashes
            groups = hashes % np.uint64(self._groups)
            for group in range(self._groups):
                mine = hashes[groups == group] if self._groups > 1 else hashes
                if len(mine):
                    yield (n, group), (is_train, mine.astype("<u8").tobytes())
        self._numbers.clear()
        self._count = 0


def compare(group: tuple[tuple[int, int], Iterable[tuple[bool, bytes]]]) -> Counts:
    """How many of the held-out runs of one group there are, and how many of them occur in train."""
    (n, _), packed = group
    sides: dict[bool, list[Hashes]] = {True: [], False: []}
    for is_train, data in packed:
        sides[is_train].append(np.frombuffer(data, "<u8"))
    held_out = np.concatenate([np.zeros(0, np.uint64), *sides[False]])
    shared = np.zeros(len(held_out), np.bool_)
    for part in sides[True]:
        shared |= np.isin(held_out, part)
    return {("runs", str(n)): len(held_out), ("shared-runs", str(n)): int(shared.sum())}

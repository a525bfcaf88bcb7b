"""Counts by group and value, summed in a dataflow."""

from collections.abc import Iterable, Mapping

import apache_beam as beam

Counts = dict[tuple[str, str], int]
"""By group and value, such as ("metres", "6/8"). In groups called `max-...` the largest counts, elsewhere the sum."""

LARGEST = "max-"


class SumCounts(beam.CombineFn):  # type: ignore[misc]
    """Adds up counts."""

    def create_accumulator(self) -> Counts:
        """Nothing."""
        return {}

    def add_input(self, mutable_accumulator: Counts, element: Counts) -> Counts:
        """Adds the counts of an element."""
        add(mutable_accumulator, element)
        return mutable_accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        """Adds sums."""
        total: Counts = {}
        for counts in accumulators:
            add(total, counts)
        return total

    def extract_output(self, accumulator: Counts) -> Counts:
        """The sums."""
        return accumulator


def add(total: Counts, counts: Counts) -> None:
    """Adds counts to others."""
    for key, count in counts.items():
        total[key] = max(total.get(key, 0), count) if key[0].startswith(LARGEST) else total.get(key, 0) + count


def group(counts: Mapping[tuple[str, str], int], name: str) -> dict[str, int]:
    """One group: the counts by value, the largest first."""
    found = [(value, count) for (group, value), count in counts.items() if group == name]
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))

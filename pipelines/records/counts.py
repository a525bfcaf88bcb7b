"""Counts by group and value, summed in a dataflow."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

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


class CountEach(beam.DoFn):  # type: ignore[misc]
    """Counts elements, and passes on one sum a bundle, since runners keep whatever is passed on."""

    def __init__(self, count: Callable[..., Counts], *arguments: Any) -> None:
        """Counts with a function of an element and whatever arguments follow."""
        self._count = count
        self._arguments = arguments

    def start_bundle(self) -> None:
        """Starts with nothing."""
        self._total: Counts = {}

    def process(self, element: Any) -> None:
        """Counts an element."""
        add(self._total, self._count(element, *self._arguments))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yields the sum."""
        if self._total:
            yield in_global_window(self._total)


def in_global_window(value: Any) -> WindowedValue:
    """What a bundle yields at its end."""
    window = GlobalWindow()
    return WindowedValue(value, window.max_timestamp(), [window])


def add(total: Counts, counts: Counts) -> None:
    """Adds counts to others."""
    for key, count in counts.items():
        total[key] = max(total.get(key, 0), count) if key[0].startswith(LARGEST) else total.get(key, 0) + count


def group(counts: Mapping[tuple[str, str], int], name: str) -> dict[str, int]:
    """One group: the counts by value, the largest first."""
    found = [(value, count) for (group, value), count in counts.items() if group == name]
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))

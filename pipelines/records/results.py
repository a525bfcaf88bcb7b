"""What a pipeline tells whoever ran it: a few small values, through a file of the output folder's file system."""

import dataclasses
import json
from typing import Any

import apache_beam as beam

from etude.models.errors import EtudeError
from etude.pipelines.files import file_systems
from etude.pipelines.records.counts import Counts

_MAX_BYTES = 1 << 28


@dataclasses.dataclass
class WriteResult(beam.PTransform):  # type: ignore[misc]
    """Writes values to one JSON file.

    In: the start of a pipeline. Out: one element when the file is written.

    Attributes:
      path: the file; a second attempt replaces it by the same bytes.
      values: by name, numbers, texts, or side inputs that hold such.
    """

    path: str
    values: dict[str, Any]

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Waits for all values, and writes them."""
        return begin | beam.Create([self.path], reshuffle=False) | beam.Map(_write, **self.values)


def _write(path: str, **values: Any) -> None:
    file_systems.write(path, json.dumps(values, sort_keys=True).encode())


def read_result(path: str) -> dict[str, Any]:
    """Reads what `WriteResult` wrote.

    Raises:
      EtudeError: if it cannot be read.
    """
    try:
        values: dict[str, Any] = json.loads(file_systems.read(path, _MAX_BYTES))
    except ValueError as error:
        raise EtudeError(f"{path} {error}") from error
    return values


def as_rows(counts: Counts) -> list[tuple[str, str, int]]:
    """Counts as JSON can hold them."""
    return sorted((group, value, count) for (group, value), count in counts.items())


def as_counts(rows: list[tuple[str, str, int]]) -> Counts:
    """Counts that `as_rows` made rows of."""
    return {(group, value): count for group, value, count in rows}

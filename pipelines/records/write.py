"""`WriteRecords`: named records to files whose bytes depend on the records alone.

A record's shard is a hash of its name, and a shard is sorted. Whoever writes a shard gives the file a name of its own;
once all attempts are grouped, one of each shard gets the final name. So a bundle may run twice, here or there, and
nothing half-written is ever seen under a final name.
"""

import collections
import contextlib
import dataclasses
import gzip
import secrets
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import apache_beam as beam
from apache_beam.utils.windowed_value import WindowedValue

from etude.models.storage.files import explain_write_errors
from etude.models.storage.records import frame
from etude.pipelines.files import file_systems
from etude.pipelines.records.counts import in_global_window
from etude.pipelines.records.shards import shard_name, shard_of

ATTEMPTS = ".etude-work"
LINES_SUFFIX = ".jsonl"
PLAIN_SUFFIX = ".tfrecord"
_BLOCK_LEVEL = 5
"""Of the compression of blocks, which local runners hold three times: 30% smaller than at level 1, for 0.04 ms a piece."""
_BLOCK_BYTES = 1 << 18
_HEAD = struct.Struct("<II")

Record = tuple[str, str, bytes]
"""The output that it belongs to, its name, unique in that output, and the bytes to store."""

Block = tuple[tuple[str, int], bytes]
"""An output and a shard, and some of its records, packed."""

Attempt = tuple[str, tuple[str, str, int]]
"""The final name of a file; the name that an attempt at it has, its output, and how many records it holds."""

Written = tuple[str, str, int]
"""An output, the name of one of its files, and how many records that holds."""


@dataclasses.dataclass
class WriteRecords(beam.PTransform):  # type: ignore[misc]
    """Writes records to files whose bytes depend on the records alone, as many outputs as there are.

    In: `PCollection[tuple[str, str, bytes]]`: output, name, record. An output `notes` is written to gzip-compressed TFRecord
    shards, `notes-SSSSS-of-NNNNN.tfrecord`; one called `NAME.tfrecord` to a single file without compression; one called
    `NAME.jsonl` to a single file, a record a line. A shard without records is not written.

    Out: `PCollection[tuple[str, str, int]]`: output, file name, number of records. The files have their final names then.

    Attributes:
      folder: where they go, on any file system.
      num_shards: a number, or a side input with one (`beam.pvalue.AsSingleton`).
      encode: changes records as they are written, should they be much larger then.
    """

    folder: str
    num_shards: Any = 1
    encode: Callable[[bytes], bytes] | None = None

    def expand(self, records: beam.PCollection[Record]) -> beam.PCollection[Written]:
        """Packs by shard, sorts and writes each shard, and gives one attempt at each its final name."""
        return (
            records
            | "Pack" >> beam.ParDo(Pack(), self.num_shards).with_output_types(Block)
            | "GroupShards" >> beam.GroupByKey()
            | "Write" >> beam.Map(write_shard, self.folder, self.num_shards, self.encode).with_output_types(Attempt)
            | "GroupAttempts" >> beam.GroupByKey()
            | "Finalise" >> beam.Map(finalise, self.folder).with_output_types(Written)
        )


class Pack(beam.DoFn):  # type: ignore[misc]
    """Packs records of one shard together: runners keep them several times over, and small things cost most."""

    def start_bundle(self) -> None:
        """Starts with nothing."""
        self._records: dict[tuple[str, int], list[bytes]] = collections.defaultdict(list)
        self._sizes: collections.Counter[tuple[str, int]] = collections.Counter()

    def process(self, element: Record, num_shards: int) -> Iterator[Block]:
        """Adds a record; yields a block of its shard if that is full."""
        output, name, data = element
        shard = (output, 0 if is_single(output) else shard_of(name, num_shards))
        key = name.encode("utf-8", "surrogateescape")
        self._records[shard] += (_HEAD.pack(len(key), len(data)), key, data)
        self._sizes[shard] += len(key) + len(data)
        if self._sizes[shard] >= _BLOCK_BYTES:
            yield shard, self._take(shard)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yields what is left."""
        for shard in list(self._records):
            yield in_global_window((shard, self._take(shard)))

    def _take(self, shard: tuple[str, int]) -> bytes:
        del self._sizes[shard]
        return zlib.compress(b"".join(self._records.pop(shard)), _BLOCK_LEVEL)


def unpack(blocks: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """The records of a shard, sorted by name."""
    records = []
    for block in blocks:
        data = zlib.decompress(block)
        position = 0
        while position < len(data):
            key_size, size = _HEAD.unpack_from(data, position)
            middle = position + _HEAD.size + key_size
            records.append((data[position + _HEAD.size : middle], data[middle : middle + size]))
            position = middle + size
    return sorted(records)


def is_single(output: str) -> bool:
    """Whether an output is one file, whatever its size."""
    return output.endswith((LINES_SUFFIX, PLAIN_SUFFIX))


def write_shard(
    group: tuple[tuple[str, int], Iterable[bytes]],
    folder: str,
    num_shards: int,
    encode: Callable[[bytes], bytes] | None = None,
) -> Attempt:
    """Writes one shard under a name of its own."""
    (output, shard), blocks = group
    records = unpack(blocks)
    final = output if is_single(output) else shard_name(output, shard, num_shards)
    attempt = attempt_name(final)
    stored = (record if encode is None or output.endswith(LINES_SUFFIX) else encode(record) for _, record in records)
    with open_attempt(folder, attempt) as file:
        if output.endswith(LINES_SUFFIX):
            file.writelines(line + b"\n" for line in stored)
        elif output.endswith(PLAIN_SUFFIX):
            file.writelines(map(frame, stored))
        else:
            # No time and no name: the same records give the same bytes.
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as compressed:
                for record in stored:
                    compressed.write(frame(record))
    return final, (attempt, output, len(records))


def attempt_name(final: str) -> str:
    """A name that no other attempt has."""
    return f"{ATTEMPTS}/{secrets.token_hex(8)}-{final}"


@contextlib.contextmanager
def open_attempt(folder: str, attempt: str) -> Iterator[IO[bytes]]:
    """Opens the file of an attempt; errors name it, those of closing too, as object stores write when they close."""
    path = file_systems.join(folder, attempt)
    with explain_write_errors(path), file_systems.open_to_write(path) as file:
        yield file


def finalise(group: tuple[str, Iterable[tuple[str, str, int]]], folder: str) -> Written:
    """Gives one of the attempts at a file its final name; doing it twice does no harm."""
    final, attempts = group
    attempt, output, count = min(attempts)
    file_systems.move(file_systems.join(folder, attempt), file_systems.join(folder, final))
    return output, final, count


def listed(written: Iterable[Iterable[Any]], output: str) -> list[str]:
    """The files of one output, sorted."""
    return sorted(name for kind, name, _ in written if kind == output)

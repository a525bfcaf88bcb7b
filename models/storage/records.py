"""TFRecord files, without TensorFlow.

The format is length, masked CRC-32C of the length, data, masked CRC-32C of the data, all little endian
(https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details). Files may be gzip-compressed.
"""

import gzip
import pathlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, cast

import google_crc32c

from etude.models.errors import EtudeError
from etude.models.storage.files import write_whole

OpenFile = Callable[[str], IO[bytes]]
"""Opens a file by its path or address, to be read."""

_GZIP = b"\x1f\x8b"
MAX_RECORD_BYTES = 1 << 28
"""A longer record is taken for a corrupt length: nothing here writes more than a few megabytes."""


def frame(data: bytes) -> bytes:
    """The bytes that store one record."""
    length = struct.pack("<Q", len(data))
    return length + _crc(length) + data + _crc(data)


def open_local(path: str) -> IO[bytes]:
    """Opens a file on disk."""
    return open(path, "rb")


def write_records(path: pathlib.Path | str, records: Iterable[bytes]) -> int:
    """Writes a gzip-compressed TFRecord file, whole or not at all.

    The same records give the same bytes: no time and no name is stored.

    Args:
      path: the file to write.
      records: the records, in order; read one at a time.

    Returns:
      The number of records.
    """
    count = 0
    with (
        write_whole(path) as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as compressed,
    ):
        for record in records:
            compressed.write(frame(record))
            count += 1
    return count


def read_records(path: pathlib.Path | str, open_file: OpenFile = open_local) -> Iterator[bytes]:
    """Yields the records of a TFRecord file, gzip-compressed or plain.

    Args:
      path: the file to read.
      open_file: opens it, should it not be on disk.

    Raises:
      EtudeError: if the file is missing, cut short or corrupt; the message names the file and the record.
    """
    number = 0
    try:
        with open_file(str(path)) as raw:
            start = raw.read(2)
            raw.seek(0)
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if start == _GZIP else raw)
            while header := file.read(12):
                number += 1
                yield _read_record(file, header)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise EtudeError(f"{path}: record {number} cannot be read: {reason}; write the file again") from error


def _read_record(file: IO[bytes], header: bytes) -> bytes:
    if len(header) < 12 or _crc(header[:8]) != header[8:]:
        raise ValueError("its length is damaged (this may not be a TFRecord file)")
    (length,) = struct.unpack("<Q", header[:8])
    if length > MAX_RECORD_BYTES:
        raise ValueError(f"its length of {length} bytes is above the limit of {MAX_RECORD_BYTES}")
    data = file.read(length)
    crc = file.read(4)
    if len(data) < length or len(crc) < 4:
        raise ValueError("the file ends inside it")
    if _crc(data) != crc:
        raise ValueError("its checksum is wrong")
    return data


def masked_crc(data: bytes) -> int:
    """The CRC-32C of some bytes, rotated and shifted, as TensorFlow stores it."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _crc(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc(data))

"""Sorted string tables, the container of TensorFlow's checkpoints.

The format is LevelDB's (https://github.com/google/leveldb/blob/main/doc/table_format.md): blocks of key-value pairs whose
keys share prefixes, an index of the blocks, and a footer that says where the index is. TensorFlow does not compress them.
"""

import struct
from collections.abc import Iterator

from etude.models.storage.records import masked_crc

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
BLOCK_TRAILER_BYTES = 5
MAX_KEY_BYTES = 1 << 12


def read_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the keys and values of a table, in order.

    Raises:
      ValueError: if the data is not a table, or damaged, or compressed.
    """
    footer = data[-FOOTER_BYTES:]
    if len(footer) < FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("it is not a TensorFlow checkpoint, or it is cut short")
    # The handle of the meta-index comes first: skip its two numbers.
    _, position = _varint(footer, 0)
    _, position = _varint(footer, position)
    end = 0
    for _, handle in _block(data, *_handle(footer, position)):
        offset, size = _handle(handle, 0)
        if offset < end:
            raise ValueError("its blocks overlap")
        end = offset + size
        yield from _block(data, offset, size)


def _handle(data: bytes, position: int) -> tuple[int, int]:
    """Offset and size of a block."""
    offset, position = _varint(data, position)
    size, _ = _varint(data, position)
    return offset, size


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    stored = data[offset : offset + size + BLOCK_TRAILER_BYTES]
    if len(stored) < size + BLOCK_TRAILER_BYTES or size < 4:
        raise ValueError("a block is cut short")
    if masked_crc(stored[: size + 1]) != struct.unpack_from("<I", stored, size + 1)[0]:
        raise ValueError("the checksum of a block is wrong")
    if stored[size]:
        raise ValueError("a block is compressed, which TensorFlow's own checkpoints are not")
    (num_restarts,) = struct.unpack_from("<I", stored, size - 4)
    end = size - 4 - 4 * num_restarts
    key, position = b"", 0
    while position < end:
        shared, position = _varint(stored, position)
        unshared, position = _varint(stored, position)
        length, position = _varint(stored, position)
        if shared > len(key) or position + unshared + length > end:
            raise ValueError("an entry runs past its block")
        if shared + unshared > MAX_KEY_BYTES:
            raise ValueError("a name is too long")
        key = key[:shared] + stored[position : position + unshared]
        position += unshared
        yield key, stored[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A base-128 number and the position after it."""
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            raise ValueError("a number is cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
    raise ValueError("a number is too long")

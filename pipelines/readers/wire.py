"""Many protocol buffer messages of one kind, encoded at once.

Adding a thousand notes to a NoteSequence one by one takes longer than reading them. Here each field is one array, and
the messages come out as the bytes that protocol buffers give them.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.int64] | npt.NDArray[np.uint8] | npt.NDArray[np.float64]

_VARINT = 0
_FIXED_64 = 1
_LENGTH_DELIMITED = 2
_BITS = 7
_MAX_VARINT_BYTES = 10
_DOUBLE = 0
"""Stands for the width of a column of doubles."""


def encode_repeated(message: Any, field: str, columns: Mapping[str, Column]) -> bytes:
    """Encodes the messages of a repeated field.

    Args:
      message: the protocol buffer class that the field belongs to.
      field: the name of the repeated field.
      columns: by field name of the repeated message, its value in each of them, [num_messages]: int64 for integers,
        enumerations and booleans (or uint8 if all are below 128), float64 for doubles.

    Returns:
      Bytes for `MergeFromString`. Numbers are padded to one width for each column, which every parser accepts.
    """
    widths = tuple([_width(column) for column in columns.values()])
    template, layout = _layout(message, field, tuple(columns), widths)
    buffer = bytearray(template * len(next(iter(columns.values()))))
    records = np.frombuffer(buffer, layout)
    for (name, column), width in zip(columns.items(), widths, strict=True):
        records[name] = column if width <= 1 else _digits(column, width)
    return bytes(buffer)


@functools.lru_cache(maxsize=64)
def _layout(message: Any, field: str, names: tuple[str, ...], widths: tuple[int, ...]) -> tuple[bytes, np.dtype[Any]]:
    """A message with all values 0, and where each value is."""
    descriptor = message.DESCRIPTOR.fields_by_name[field]
    members = descriptor.message_type.fields_by_name
    body = b""
    offsets = []
    formats: list[Any] = []
    for name, width in zip(names, widths, strict=True):
        is_double = width == _DOUBLE
        body += _varint(members[name].number << 3 | (_FIXED_64 if is_double else _VARINT))
        offsets.append(len(body))
        formats.append("<f8" if is_double else "u1" if width == 1 else ("u1", (width,)))
        body += bytes(8 if is_double else width)
    prefix = _varint(descriptor.number << 3 | _LENGTH_DELIMITED) + _varint(len(body))
    offsets = [offset + len(prefix) for offset in offsets]
    size = len(prefix) + len(body)
    layout = {"names": list(names), "formats": formats, "offsets": offsets, "itemsize": size}
    return prefix + body, np.dtype(layout)  # type: ignore[call-overload]


def _width(values: npt.NDArray[Any]) -> int:
    """The number of bytes that holds every value."""
    kind = values.dtype
    if kind == np.float64:
        return _DOUBLE
    if kind == np.uint8:
        return 1
    bits = int(np.bitwise_or.reduce(values))
    return max(1, -(-bits.bit_length() // _BITS)) if bits >= 0 else _MAX_VARINT_BYTES


def _digits(values: npt.NDArray[Any], width: int) -> npt.NDArray[np.uint8]:
    """Numbers in base 128, lowest digit first, [num_values, width]; all but the last digit have their top bit set."""
    # Two's complement in 64 bits is how protocol buffers store negative numbers.
    digits = values.astype(np.int64).view(np.uint64)[:, None] >> np.arange(0, _BITS * width, _BITS, dtype=np.uint64)
    digits &= np.uint64(127)
    digits[:, :-1] |= np.uint64(128)
    return digits.astype(np.uint8)


def _varint(value: int) -> bytes:
    return _digits(np.array([value]), _width(np.array([value]))).tobytes()

"""How sequences travel between workers."""

import marshal
import zlib

import numpy as np
from apache_beam.coders import Coder, registry

from etude.models.representations.sequence import Sequence, Tokens

SplitSequence = tuple[str, Sequence]
"""The split of a sequence, and the sequence."""


Plain = tuple[bytes | tuple[str, ...], str, str, dict[str, int], dict[str, bytes]]
"""The fields of a sequence, as `marshal` takes them."""


def as_plain(sequence: Sequence) -> Plain:
    """The fields of a sequence."""
    tokens = sequence.tokens if isinstance(sequence.tokens, tuple) else np.asarray(sequence.tokens, "<i4").tobytes()
    columns = {name: np.asarray(values, "<i4").tobytes() for name, values in sequence.columns.items()}
    return tokens, sequence.id, sequence.source, dict(sequence.attributes), columns


def from_plain(plain: Plain) -> Sequence:
    """The sequence of which these are the fields."""
    tokens, name, source, attributes, packed = plain
    columns = {column: _numbers(values) for column, values in packed.items()}
    return Sequence(_numbers(tokens) if isinstance(tokens, bytes) else tokens, name, source, attributes, columns)


def _numbers(packed: bytes) -> Tokens:
    return np.frombuffer(packed, "<i4").astype(np.int64)


class SequenceCoder(Coder):  # type: ignore[misc]
    """A sequence as few bytes."""

    def encode(self, value: Sequence) -> bytes:
        """Its compressed fields."""
        return zlib.compress(marshal.dumps(as_plain(value)), 1)

    def decode(self, encoded: bytes) -> Sequence:
        """The sequence again."""
        return from_plain(marshal.loads(zlib.decompress(encoded)))


registry.register_coder(Sequence, SequenceCoder)

"""How sequences travel between workers."""

import marshal
import zlib

import numpy as np
from apache_beam.coders import Coder, registry

from etude.models.representations.sequence import Sequence

SplitSequence = tuple[str, Sequence]
"""The split of a sequence, and the sequence."""


Plain = tuple[bytes | tuple[str, ...], str, str, dict[str, int]]
"""The fields of a sequence, as `marshal` takes them."""


def as_plain(sequence: Sequence) -> Plain:
    """The fields of a sequence."""
    tokens = sequence.tokens if isinstance(sequence.tokens, tuple) else np.asarray(sequence.tokens, "<i4").tobytes()
    return tokens, sequence.id, sequence.source, dict(sequence.attributes)


def from_plain(plain: Plain) -> Sequence:
    """The sequence of which these are the fields."""
    tokens, name, source, attributes = plain
    if isinstance(tokens, bytes):
        return Sequence(np.frombuffer(tokens, "<i4").astype(np.int64), name, source, attributes)
    return Sequence(tokens, name, source, attributes)


class SequenceCoder(Coder):  # type: ignore[misc]
    """A sequence as few bytes."""

    def encode(self, value: Sequence) -> bytes:
        """Its compressed fields."""
        return zlib.compress(marshal.dumps(as_plain(value)), 1)

    def decode(self, encoded: bytes) -> Sequence:
        """The sequence again."""
        return from_plain(marshal.loads(zlib.decompress(encoded)))


registry.register_coder(Sequence, SequenceCoder)

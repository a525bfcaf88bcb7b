"""How sequences travel between workers."""

import marshal
import zlib

import numpy as np
from apache_beam.coders import Coder, registry

from etude.models.representations.sequence import Sequence

SplitSequence = tuple[str, Sequence]
"""The split of a sequence, and the sequence."""


class SequenceCoder(Coder):  # type: ignore[misc]
    """A sequence as few bytes."""

    def encode(self, value: Sequence) -> bytes:
        """Its compressed fields."""
        tokens = value.tokens if isinstance(value.tokens, tuple) else np.asarray(value.tokens, "<i4").tobytes()
        return zlib.compress(marshal.dumps((tokens, value.id, value.source, dict(value.attributes))), 1)

    def decode(self, encoded: bytes) -> Sequence:
        """The sequence again."""
        tokens, name, source, attributes = marshal.loads(zlib.decompress(encoded))
        if isinstance(tokens, bytes):
            tokens = np.frombuffer(tokens, "<i4").astype(np.int64)
        return Sequence(tokens, name, source, attributes)


registry.register_coder(Sequence, SequenceCoder)

"""What a piece gave, as it travels between workers: much less than the piece."""

import dataclasses
import marshal
import zlib

from apache_beam.coders import Coder, registry

from etude.models.representations.sequence import Sequence
from etude.pipelines.sequences.contents import CONTENT_BYTES
from etude.pipelines.sequences.sequence_coder import as_plain, from_plain


@dataclasses.dataclass(frozen=True)
class ExtractedPiece:
    """What a piece gave.

    Attributes:
      id: the piece's name.
      split: its side.
      contents: hashes of its tracks' notes, 16 bytes each.
      sequences: their ids tell them apart within the piece.
      sequence_contents: 16 bytes for each sequence, which it shares with copies.
      rejected: for whatever gave no sequence the reason, and a line of JSON.
      num_truncated: sequences that were cut to the longest length.
      remarks: what else is to be said of sequences, and of how many.
    """

    id: str
    split: str
    contents: tuple[bytes, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    sequence_contents: tuple[bytes, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    num_truncated: int = 0
    remarks: tuple[tuple[str, int], ...] = ()


class ExtractedPieceCoder(Coder):  # type: ignore[misc]
    """What a piece gave as few bytes."""

    def encode(self, value: ExtractedPiece) -> bytes:
        """Its compressed fields."""
        sequences = tuple(map(as_plain, value.sequences))
        contents = b"".join(value.contents + value.sequence_contents)
        plain = (value.id, value.split, contents, sequences, value.rejected, value.num_truncated, value.remarks)
        return zlib.compress(marshal.dumps(plain), 1)

    def decode(self, encoded: bytes) -> ExtractedPiece:
        """The fields again."""
        name, split, joined, sequences, rejected, num_truncated, remarks = marshal.loads(zlib.decompress(encoded))
        contents = tuple(joined[start : start + CONTENT_BYTES] for start in range(0, len(joined), CONTENT_BYTES))
        num_tracks = len(contents) - len(sequences)
        return ExtractedPiece(
            name,
            split,
            contents[:num_tracks],
            tuple(map(from_plain, sequences)),
            contents[num_tracks:],
            rejected,
            num_truncated,
            remarks,
        )


registry.register_coder(ExtractedPiece, ExtractedPieceCoder)

"""Which pieces train a model and which ones judge it.

The side is decided by content and a salt, never by order, time or chance, so that a copy of a tune, in any key, falls on
the same side, and so that adding music moves nothing that was there. It is decided on pieces, before any representation.
"""

import dataclasses
import hashlib
from collections.abc import Sequence

import apache_beam as beam

from etude.models.melodies.note_columns import note_columns
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.sequences.contents import track_contents
from etude.pipelines.sequences.split_rule import EVAL, TEST, TRAIN, SplitRule


@dataclasses.dataclass
class SplitByContent(beam.PTransform):  # type: ignore[misc]
    """Puts every piece on a side, by its content.

    In: `PCollection[Piece]`. Out: the same, with `contents` and `split`.

    Attributes:
      rule: how pieces are split.
    """

    rule: SplitRule

    def expand(self, pieces: beam.PCollection[Piece]) -> beam.PCollection[Piece]:
        """Looks at each piece by itself."""
        return pieces | beam.Map(place, self.rule).with_output_types(Piece)


def place(piece: Piece, rule: SplitRule) -> Piece:
    """A piece with its content and its side."""
    columns = note_columns(piece.sequence)
    contents = track_contents(piece.sequence, columns)
    # What has no content has no copies either.
    split = side(contents or (hashlib.sha256(piece.id.encode("utf-8", "surrogateescape")).digest(),), rule)
    return dataclasses.replace(piece, contents=contents, split=split, columns=columns)


def side(content_hashes: Sequence[bytes], rule: SplitRule) -> str:
    """The split of a piece.

    Args:
      content_hashes: the content hashes of all tracks of the piece, in any order; at least one.
      rule: how pieces are split.

    Returns:
      "train", "eval" or "test": the smallest hash decides.
    """
    digest = hashlib.sha256(rule.salt.encode() + b"\0" + min(content_hashes)).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < rule.test_ratio:
        return TEST
    if position < rule.test_ratio + rule.eval_ratio:
        return EVAL
    return TRAIN

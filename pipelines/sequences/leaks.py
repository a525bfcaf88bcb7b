"""`DropLeaks` and `DropDuplicates`: what is on both sides, or there twice."""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsDict, AsIter, TaggedOutput

from etude.models.melodies.note_columns import note_columns
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.sequences.extracted import ExtractedPiece
from etude.pipelines.sequences.split_rule import TRAIN

KEPT = "kept"
DROPPED = "dropped"
PIECES = "pieces"
SEQUENCES = "sequences"
EXACT = "exact"
TRANSPOSED = "transposed"
_TRAIN, _HELD_OUT = 1, 2


@dataclasses.dataclass
class DropLeaks(beam.PTransform):  # type: ignore[misc]
    """Drops what a held-out split shares with train: whole pieces, and single sequences of those that stay.

    In: `PCollection[Piece]`, placed by `SplitByContent`, or `PCollection[ExtractedPiece]` of such. Out, by name: `kept`, the
    same without leaks; `dropped`, `PCollection[tuple[str, str]]`, "pieces" or "sequences" and a name for each that was
    dropped.
    """

    def expand(self, pieces: Any) -> Any:
        """Groups contents by hash, finds those on both sides, and leaves out what holds one."""
        leaked = (
            pieces
            | "Contents" >> beam.FlatMap(content_sides).with_output_types(tuple[bytes, int])
            | "Sides" >> beam.CombinePerKey(either)
            | "Leaked" >> beam.FlatMap(on_both_sides)
        )
        outputs = pieces | "Drop" >> beam.ParDo(_DropLeaked(), AsIter(leaked)).with_outputs(DROPPED, main=KEPT)
        outputs[KEPT].element_type = pieces.element_type
        outputs[DROPPED].element_type = tuple[str, str]
        return outputs


def content_sides(piece: Piece | ExtractedPiece) -> Iterator[tuple[bytes, int]]:
    """The contents of a piece and of its sequences, each with its side."""
    side = _TRAIN if piece.split == TRAIN else _HELD_OUT
    for content in {*piece.contents, *(piece.sequence_contents if isinstance(piece, ExtractedPiece) else ())}:
        yield content, side


def either(sides: Iterable[int]) -> int:
    """All sides that a content is on."""
    found = 0
    for side in sides:
        found |= side
    return found


def on_both_sides(content: tuple[bytes, int]) -> Iterator[bytes]:
    """The content, if it is on both sides."""
    if content[1] == _TRAIN | _HELD_OUT:
        yield content[0]


class _DropLeaked(beam.DoFn):  # type: ignore[misc]
    def start_bundle(self) -> None:
        self._leaked: frozenset[bytes] | None = None

    def process(self, piece: Piece | ExtractedPiece, leaked: Iterable[bytes]) -> Iterator[Any]:
        if self._leaked is None:
            self._leaked = frozenset(leaked)
        if piece.split == TRAIN:
            yield piece
        elif not self._leaked.isdisjoint(piece.contents):
            yield TaggedOutput(DROPPED, (PIECES, piece.id))
        elif isinstance(piece, Piece) or self._leaked.isdisjoint(piece.sequence_contents):
            yield piece
        else:
            both = list(zip(piece.sequences, piece.sequence_contents, strict=True))
            kept = [pair for pair in both if pair[1] not in self._leaked]
            sequences, contents = zip(*kept, strict=True) if kept else ((), ())
            yield dataclasses.replace(piece, sequences=sequences, sequence_contents=contents)
            for sequence, content in both:
                if content in self._leaked:
                    yield TaggedOutput(DROPPED, (SEQUENCES, f"{piece.id}:{sequence.id}"))


@dataclasses.dataclass
class DropDuplicates(beam.PTransform):  # type: ignore[misc]
    """Drops pieces with the notes of another one, or only tells which these are; the first by name stays.

    In: `PCollection[Piece]`, placed by `SplitByContent`. Out, by name: `kept`, `PCollection[Piece]`; `dropped`,
    `PCollection[str]`, for each duplicate whether it is "exact" or "transposed".

    Attributes:
      keep: whether all pieces are kept, and duplicates only told.
    """

    keep: bool = False

    def expand(self, pieces: beam.PCollection[Piece]) -> Any:
        """Groups pieces by their content."""
        duplicates = (
            pieces
            | "Whole" >> beam.FlatMap(whole_content).with_output_types(tuple[bytes, tuple[str, int]])
            | "GroupCopies" >> beam.GroupByKey()
            | "AfterFirst" >> beam.FlatMap(after_first).with_output_types(tuple[str, str])
        )
        kinds = duplicates | "Kinds" >> beam.Values()
        if self.keep:
            return {KEPT: pieces, DROPPED: kinds}
        kept = pieces | "DropCopies" >> beam.Filter(is_not_in, AsDict(duplicates)).with_output_types(Piece)
        return {KEPT: kept, DROPPED: kinds}


def whole_content(piece: Piece) -> Iterator[tuple[bytes, tuple[str, int]]]:
    """A hash of all tracks of a piece; its name, and its lowest pitch, which tells copies in other keys."""
    if piece.contents:
        digest = hashlib.sha256(b"".join(piece.contents)).digest()[:16]
        columns = note_columns(piece.sequence) if piece.columns is None else piece.columns
        yield digest, (piece.id, int(columns.pitch.min()))


def after_first(group: tuple[bytes, Iterable[tuple[str, int]]]) -> Iterator[tuple[str, str]]:
    """Every copy but the first, by name, and what kind of copy it is of those before it."""
    seen: set[int] = set()
    for name, pitch in sorted(group[1]):
        if seen:
            yield name, EXACT if pitch in seen else TRANSPOSED
        seen.add(pitch)


def is_not_in(piece: Piece, duplicates: dict[str, str]) -> bool:
    """Whether a piece is none of the duplicates."""
    return piece.id not in duplicates

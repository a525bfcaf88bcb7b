"""`DropLeaks` and `DropDuplicates`: what is on both sides, or there twice."""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsDict, AsIter, TaggedOutput

from etude.models.representations.representation import Representation
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.sequences.sequence_coder import SplitSequence
from etude.pipelines.sequences.split_rule import TRAIN

KEPT = "kept"
DROPPED = "dropped"
EXACT = "exact"
TRANSPOSED = "transposed"
_TRAIN, _HELD_OUT = 1, 2


@dataclasses.dataclass
class DropLeaks(beam.PTransform):  # type: ignore[misc]
    """Drops what a held-out split shares with train.

    In: `PCollection[Piece]`, placed by `SplitByContent`, or `PCollection[SplitSequence]`. Out, by name: `kept`, the same
    without leaks; `dropped`, `PCollection[str]`, a name for each that was dropped.

    Attributes:
      representation: tells the content of sequences; not needed for pieces.
    """

    representation: Representation | None = None

    def expand(self, elements: Any) -> Any:
        """Groups contents by hash, finds those on both sides, and leaves out what holds one."""
        leaked = (
            elements
            | "Contents" >> beam.FlatMap(content_sides, self.representation).with_output_types(tuple[bytes, int])
            | "Sides" >> beam.CombinePerKey(either)
            | "Leaked" >> beam.FlatMap(on_both_sides)
        )
        outputs = elements | "Drop" >> beam.ParDo(_DropLeaked(self.representation), AsIter(leaked)).with_outputs(
            DROPPED, main=KEPT
        )
        outputs[KEPT].element_type = elements.element_type
        outputs[DROPPED].element_type = str
        return outputs


def contents_of(element: Piece | SplitSequence, representation: Representation | None) -> tuple[str, Iterable[bytes]]:
    """The split of a piece or a sequence, and its contents."""
    if isinstance(element, Piece):
        return element.split, element.contents
    if representation is None:
        raise TypeError("the content of sequences is told by their representation")
    return element[0], (representation.content(element[1]),)


def content_sides(element: Any, representation: Representation | None) -> Iterator[tuple[bytes, int]]:
    """The contents of an element, each with its side."""
    split, contents = contents_of(element, representation)
    for content in contents:
        yield content, _TRAIN if split == TRAIN else _HELD_OUT


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
    def __init__(self, representation: Representation | None) -> None:
        self._representation = representation

    def start_bundle(self) -> None:
        self._leaked: frozenset[bytes] | None = None

    def process(self, element: Any, leaked: Iterable[bytes]) -> Iterator[Any]:
        if self._leaked is None:
            self._leaked = frozenset(leaked)
        split, contents = contents_of(element, self._representation) if self._leaked else (TRAIN, ())
        if split != TRAIN and not self._leaked.isdisjoint(contents):
            yield TaggedOutput(DROPPED, element.id if isinstance(element, Piece) else element[1].id)
        else:
            yield element


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
        yield digest, (piece.id, min(note.pitch for note in piece.sequence.notes))


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

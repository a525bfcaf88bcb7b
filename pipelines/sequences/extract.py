"""`ExtractSequences`: pieces to the sequences of a representation, as a dataflow."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from etude.models.melodies.extraction import Rejection
from etude.models.representations.representation import Representation
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.records.counts import Counts, add, in_global_window
from etude.pipelines.sequences.extracted import ExtractedPiece
from etude.pipelines.sequences.sequence_coder import SplitSequence
from etude.pipelines.sequences.split_rule import TRAIN

SEQUENCES = "sequences"
REJECTED = "rejected"
COUNTS = "counts"


@dataclasses.dataclass
class ExtractSequences(beam.PTransform):  # type: ignore[misc]
    """Extracts the sequences of pieces.

    In: `PCollection[Piece]`. Out, by name: `sequences`, `PCollection[tuple[str, Sequence]]` with the split of the piece;
    `rejected`, `PCollection[tuple[str, str]]`, what gave no sequence: a name by which it is sorted, and a line of JSON;
    `counts`, `PCollection[Counts]` to be summed: pieces, truncated sequences, rejections and remarks by reason.

    Attributes:
      representation: what pieces become.
    """

    representation: Representation

    def expand(self, pieces: beam.PCollection[Piece]) -> Any:
        """Looks at each piece by itself."""
        return pieces | ExtractPieces(self.representation) | ListSequences()


@dataclasses.dataclass
class ExtractPieces(beam.PTransform):  # type: ignore[misc]
    """Extracts the sequences of pieces, and leaves what a piece gave together.

    In: `PCollection[Piece]`. Out: `PCollection[ExtractedPiece]`.

    Attributes:
      representation: what pieces become.
    """

    representation: Representation

    def expand(self, pieces: beam.PCollection[Piece]) -> beam.PCollection[ExtractedPiece]:
        """Looks at each piece by itself."""
        return pieces | beam.Map(extract_piece, self.representation).with_output_types(ExtractedPiece)


def extract_piece(piece: Piece, representation: Representation) -> ExtractedPiece:
    """What a piece gives."""
    extracted = representation.extract(piece)
    return ExtractedPiece(
        id=piece.id,
        split=piece.split,
        contents=piece.contents,
        sequences=tuple(extracted.sequences),
        sequence_contents=tuple(map(representation.content, extracted.sequences)),
        rejected=tuple((rejection.reason, rejected_line(piece.id, rejection)) for rejection in extracted.rejections),
        num_truncated=extracted.num_truncated,
        remarks=tuple(extracted.remarks.items()),
    )


class ListSequences(beam.PTransform):  # type: ignore[misc]
    """Lists the sequences of all pieces.

    In: `PCollection[ExtractedPiece]`. Out: the outputs of `ExtractSequences`.
    """

    def expand(self, pieces: beam.PCollection[ExtractedPiece]) -> Any:
        """Looks at each piece by itself."""
        outputs = pieces | beam.ParDo(_ListSequences()).with_outputs(REJECTED, COUNTS, main=SEQUENCES)
        outputs[SEQUENCES].element_type = SplitSequence
        outputs[REJECTED].element_type = tuple[str, str]
        outputs[COUNTS].element_type = Counts
        return outputs


class _ListSequences(beam.DoFn):  # type: ignore[misc]
    def start_bundle(self) -> None:
        self._counts: Counts = {}

    def process(self, piece: ExtractedPiece) -> Iterator[Any]:
        add(self._counts, {("pieces", "number"): 1, ("sequences", "truncated"): piece.num_truncated})
        add(self._counts, {("remarks", name): count for name, count in piece.remarks})
        for sequence in piece.sequences:
            yield piece.split, dataclasses.replace(sequence, id=f"{piece.id}:{sequence.id}", source=piece.id)
        for number, (reason, line) in enumerate(piece.rejected):
            add(self._counts, {("rejected", reason): 1})
            yield TaggedOutput(REJECTED, (f"{piece.id}\0{number:06d}", line))

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        yield TaggedOutput(COUNTS, in_global_window(self._counts))


def rejected_line(source: str, rejection: Rejection) -> str:
    """The line of `rejected.jsonl` for music that gave no sequence."""
    values = {"source": source, **dataclasses.asdict(rejection)}
    return json.dumps({key: value for key, value in values.items() if value not in (None, "")}, ensure_ascii=False)


@dataclasses.dataclass
class Transpose(beam.PTransform):  # type: ignore[misc]
    """Adds copies of training sequences in other keys; what is held out stays as it is.

    In: `PCollection[tuple[str, Sequence]]`. Out, by name: `sequences`, the same and more; `counts`, `PCollection[Counts]`,
    copies that would leave the range.

    Attributes:
      representation: what the sequences are of.
      semitones: how far the copies are moved; 0 is the sequence itself.
    """

    representation: Representation
    semitones: Sequence[int]

    def expand(self, sequences: beam.PCollection[SplitSequence]) -> Any:
        """Looks at each sequence by itself."""
        outputs = sequences | beam.ParDo(_Transpose(self.representation, tuple(self.semitones))).with_outputs(
            COUNTS, main=SEQUENCES
        )
        outputs[SEQUENCES].element_type = SplitSequence
        outputs[COUNTS].element_type = Counts
        return outputs


class _Transpose(beam.DoFn):  # type: ignore[misc]
    def __init__(self, representation: Representation, semitones: tuple[int, ...]) -> None:
        self._representation = representation
        self._semitones = semitones

    def process(self, element: SplitSequence) -> Iterator[Any]:
        split, sequence = element
        for semitones in self._semitones if split == TRAIN else (0,):
            moved = sequence if semitones == 0 else self._representation.transposed(sequence, semitones)
            if moved is None:
                yield TaggedOutput(COUNTS, {("rejected", "transposition-out-of-range"): 1})
            else:
                yield split, moved

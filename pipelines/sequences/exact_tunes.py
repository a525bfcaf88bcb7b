"""`KeepExactTunes`: the pieces that every representation of tunes carries exactly, as one tune for all."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import TaggedOutput

from etude.models.abc.canonical import canonical
from etude.models.abc.exact import events_of_tune, exact_tune
from etude.models.abc.performance.bars import rests_of, with_rests
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.abc.tokens import text_of, tokenise
from etude.models.abc.unfolded import unfold, unfold_piece
from etude.models.melodies.extraction import MOST_BARS, ExtractionOptions, Rejection, extract
from etude.models.melodies.quantisation import UnusableError
from etude.models.storage.texts import Text
from etude.pipelines.readers.abc.bars import bar_starts
from etude.pipelines.readers.abc.note_sequence import make_note_sequence
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.records.counts import Counts
from etude.pipelines.sequences.extract import COUNTS, REJECTED, rejected_line

EXACT = "exact"
LEFT_OUT = "left-out"
"""The group of counts that says why pieces were left out."""

WHOLE_MELODY = ExtractionOptions(min_bars=0, max_steps=0, min_unique_pitches=0, gap_bars=MOST_BARS)
"""What makes a melody of such a piece: all of it."""


@dataclasses.dataclass
class KeepExactTunes(beam.PTransform):  # type: ignore[misc]
    """Keeps the pieces that canonical ABC, tokens and a grid of sixteenths carry exactly, each as one tune in C.

    In: `PCollection[Piece]`. Out, by name: `exact`, `PCollection[Piece]`, whose notes and whose text are that tune;
    `rejected` and `counts` of the others, as `ExtractSequences` has them, with the reasons in the group `left-out`.
    """

    def expand(self, pieces: beam.PCollection[Piece]) -> Any:
        """Looks at each piece by itself."""
        outputs = pieces | beam.ParDo(_KeepExactTunes()).with_outputs(REJECTED, COUNTS, main=EXACT)
        outputs[EXACT].element_type = Piece
        outputs[REJECTED].element_type = tuple[str, str]
        outputs[COUNTS].element_type = Counts
        return outputs


class _KeepExactTunes(beam.DoFn):  # type: ignore[misc]
    def process(self, piece: Piece) -> Iterator[Any]:
        try:
            yield exact_piece(piece)
        except UnusableError as error:
            line = rejected_line(piece.id, Rejection(error.reason, error.detail))
            yield TaggedOutput(REJECTED, (f"{piece.id}\0", line))
            yield TaggedOutput(COUNTS, {(LEFT_OUT, error.reason): 1})


def exact_piece(piece: Piece) -> Piece:
    """A piece as the tune that all representations carry: in C, with its canonical text beside its notes.

    Raises:
      UnusableError: if one of them does not carry it, or does not give it back.
    """
    tune = exact_tune(unfold_piece(piece.sequence, piece.text.text if piece.text is not None else ""))
    text = canonical(tune)
    try:
        score, performance, _ = read_text(text)
        tokens = tokenise(text)
    except AbcError as error:
        raise UnusableError("comes-back-changed", f"its canonical text: {error.message}") from error
    if unfold(performance) != tune:
        raise UnusableError("comes-back-changed", "its canonical text plays something else")
    if text_of(tokens) != text:
        raise UnusableError("comes-back-changed", "its tokens are another text")
    sequence = make_note_sequence(score, with_rests(performance, rests_of(performance)))
    melodies = extract(sequence, WHOLE_MELODY).melodies
    if len(melodies) != 1 or not np.array_equal(melodies[0].events, events_of_tune(tune)):
        raise UnusableError("comes-back-changed", "its melody is another one")
    for name in ("id", "filename", "reference_number", "collection_name"):
        setattr(sequence, name, getattr(piece.sequence, name))
    sequence.sequence_metadata.CopyFrom(piece.sequence.sequence_metadata)
    return Piece(sequence, Text(piece.id, text, bar_starts(text)))

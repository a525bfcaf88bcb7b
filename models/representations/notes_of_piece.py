"""What representations of a piece's notes share: its parts on the grid, with the drums among them."""

import re
from collections.abc import Iterator

import numpy as np

from etude.models.melodies.extraction import Rejection
from etude.models.melodies.note_columns import NoteColumns, note_columns
from etude.models.melodies.quantisation import QuantisedPart, UnusableError, quantise, split_at_time_changes
from etude.models.representations.piece import Piece

_DRUM_NAME = re.compile(r"\b(drum|percussion|perc|schlagzeug|batterie|bateria)", re.IGNORECASE)
"""A track that is called so holds drums, on whatever channel it plays: "Drums", "Drumkit", "Percussion 2"."""


def columns_of(piece: Piece) -> NoteColumns:
    """The notes of a piece; those on tracks that are called drums are drums, too."""
    columns = note_columns(piece.sequence) if piece.columns is None else piece.columns
    named = [info.instrument for info in piece.sequence.instrument_infos if _DRUM_NAME.search(info.name)]
    if not named:
        return columns
    return columns._replace(is_drum=columns.is_drum | np.isin(columns.instrument, named))


def quantised_parts(
    piece: Piece, columns: NoteColumns, steps_per_quarter: int, rejections: list[Rejection]
) -> Iterator[tuple[int, QuantisedPart]]:
    """The parts of a piece between changes of tempo or metre, with their numbers; what cannot be used is rejected.

    Args:
      piece: the piece.
      columns: its notes.
      steps_per_quarter: steps in a quarter note.
      rejections: what was wrong is added here.
    """
    try:
        parts = split_at_time_changes(piece.sequence, columns)
    except UnusableError as error:
        rejections.append(Rejection(error.reason, error.detail))
        return
    for index, part in enumerate(parts):
        try:
            quantised = quantise(part, steps_per_quarter)
        except UnusableError as error:
            if len(part.pitch):
                rejections.append(Rejection(error.reason, error.detail, part=index))
            continue
        yield index, quantised

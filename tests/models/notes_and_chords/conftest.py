import numpy as np
import pytest

from etude.models.melodies.note_columns import note_columns
from etude.models.melodies.tempo_map import steps_by_tempos
from etude.models.notes_and_chords.keyboard import keyboard_notes
from etude.pipelines.readers.pieces import read_pieces


@pytest.fixture(scope="session")
def chorale_notes():
    """What is played of a MusicXML file on a grid of sixteenths."""

    def notes(path):
        (piece,) = read_pieces([str(path)])
        columns = note_columns(piece.sequence)
        steps = steps_by_tempos(piece.sequence, np.stack([columns.start, columns.end]), 4)
        starts, ends = np.floor(steps + 0.5).astype(np.int64)
        return keyboard_notes(starts, columns.pitch, np.maximum(ends, starts + 1))

    return notes

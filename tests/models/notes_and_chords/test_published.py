"""Classical-Piano-Composer's words against those that its script gets from music21."""

import pathlib

import music21
import numpy as np
import pytest

from etude.models.notes_and_chords.names import NAMES, normal_order
from etude.models.notes_and_chords.published import notes_of, transposed
from etude.models.representations.notes_and_chords import NotesAndChordsAsPublished
from etude.models.representations.piece import Piece
from etude.models.sequences.domain import END, START
from etude.pipelines.readers.midi.reader import read
from tests.keyboard_pieces import midi_of, random_notes, rows_of

CHORALES = sorted((pathlib.Path(music21.__file__).parent / "corpus" / "bach").glob("bwv*.mxl"))


def words_of_script(path):
    """What `get_notes` of Classical-Piano-Composer's `lstm.py` collects from a file."""
    parsed = music21.instrument.partitionByInstrument(music21.converter.parse(path, forceSource=True))
    words = []
    for element in parsed.parts[0].recurse():
        if isinstance(element, music21.note.Note):
            words.append(str(element.pitch))
        elif isinstance(element, music21.chord.Chord):
            words.append(".".join(str(number) for number in element.normalOrder))
    return words


def words_of_file(data, **options):
    (extracted,) = NotesAndChordsAsPublished(**options).extract(Piece(read(data)[0].sequence)).sequences
    assert extracted.tokens[0] == START
    assert extracted.tokens[-1] == END
    return list(extracted.tokens[1:-1])


@pytest.mark.parametrize("seed", range(12))
def test_equals_music21_on_piano_files(seed, tmp_path):
    right, left = random_notes(seed, 60, 90), random_notes(seed + 1000, 30, 58)
    data = midi_of([right, left] if seed % 3 else [right])
    (tmp_path / "piece.mid").write_bytes(data)
    words = words_of_script(tmp_path / "piece.mid")
    assert any("." in word for word in words)
    assert words_of_file(data) == words


@pytest.mark.parametrize("path", CHORALES[::40], ids=lambda path: path.stem)
def test_equals_music21_on_chorales(path, tmp_path, chorale_notes):
    """As a pianist would play them: all voices on one track."""
    data = midi_of([chorale_notes(path)], metre=(200, 4))
    (tmp_path / "chorale.mid").write_bytes(data)
    words = words_of_script(tmp_path / "chorale.mid")
    assert sum("." in word for word in words) > 20
    assert words_of_file(data) == words


def test_one_part_only():
    """The first instrument, unless all are asked for."""
    right, left = random_notes(1, 60, 90), random_notes(2, 30, 58)
    first = words_of_file(midi_of([right]))
    assert words_of_file(midi_of([right, left], programs=(0, 40))) == first
    assert len(words_of_file(midi_of([right, left], programs=(0, 40)), parts="all")) > len(first)


def test_normal_order():
    random = np.random.default_rng(0)
    for _ in range(150):
        pitches = random.choice(128, random.integers(1, 12))
        assert list(normal_order(pitches.tolist())) == music21.chord.Chord(pitches.tolist()).normalOrder


def test_names():
    assert [str(music21.pitch.Pitch(midi=pitch)) for pitch in range(128)] == list(NAMES)


def test_what_they_sound_like():
    """As `create_midi`: half a quarter a word, chords in the octave of middle C, a quarter each; a word unknown is a rest."""
    notes = notes_of([START, "E4", "11.2.5", "<unknown>", "E4", "0"], 4)
    # What comes on one key is cut short.
    assert rows_of(notes) == [(0, 64, 4), (2, 62, 4), (2, 65, 4), (2, 71, 4), (4, 64, 4), (6, 60, 4)]


def test_transposed():
    """As the same file, moved."""
    notes = random_notes(5, 50, 70)
    words, higher = (words_of_file(midi_of([notes._replace(pitches=notes.pitches + by)])) for by in (0, 5))
    assert list(transposed(words, 5)) == higher
    assert transposed([NAMES[127]], 1) is None

"""Words that lose nothing, and those of one report, from notes and back."""

import pathlib

import music21
import note_seq
import numpy as np
import pytest

from etude.models.melodies.extraction import Rejection
from etude.models.notes_and_chords import described, musical
from etude.models.notes_and_chords.keyboard import keyboard_notes
from etude.models.representations.notes_and_chords import (
    NotesAndChords,
    NotesAndChordsAsDescribed,
    NotesAndChordsAsPublished,
)
from etude.models.representations.piece import Piece
from etude.models.sequences.domain import END, START
from etude.pipelines.readers.midi.reader import read
from etude.pipelines.reasons import REMEDIES
from tests.keyboard_pieces import midi_of, random_notes, rows_of

CHORALES = sorted((pathlib.Path(music21.__file__).parent / "corpus" / "bach").glob("bwv*.mxl"))


def one(representation, data):
    (sequence,) = representation.extract(Piece(read(data)[0].sequence)).sequences
    return sequence


def test_an_example():
    """Two notes at once of different lengths, a rest, and more than a whole note."""
    notes = keyboard_notes(*(np.array(values) for values in ([2, 2, 9], [67, 60, 60], [4, 6, 26])))
    assert musical.words_of(notes, 4) == ("+2", "60", "=4", "67", "=2", "+7", "60", "=16", "=1")
    assert described.words_of(notes, 4) == ("G4|1/2|1/2", "C4|0|1", "C4|7/4|17/4")


@pytest.mark.parametrize("seed", range(200))
def test_exact_round_trip(seed):
    notes = random_notes(seed)
    words = musical.words_of(notes, 4)
    assert rows_of(musical.notes_of(words)) == rows_of(notes)
    assert musical.words_of(musical.notes_of(words), 4) == words
    assert set(words) <= set(musical.alphabet(4, 0))
    assert rows_of(described.notes_of(described.words_of(notes, 4), 4)) == rows_of(notes)


@pytest.mark.parametrize("bins", [1, 2, 8, 32, 127])
def test_loudness(bins):
    """In the middle of its degree, and exactly where every velocity is one."""
    notes = random_notes(3)
    found = musical.notes_of(musical.words_of(notes, 4, bins), bins)
    assert rows_of(found) == rows_of(notes)
    assert np.abs(found.velocities - notes.velocities).max() <= 64 / bins
    assert (musical.levels_of(found.velocities, bins) == musical.levels_of(notes.velocities, bins)).all()


@pytest.mark.parametrize("path", CHORALES[::30], ids=lambda path: path.stem)
def test_exact_round_trip_of_chorales(path, chorale_notes):
    notes = chorale_notes(path)
    assert len(notes.onsets) > 50
    assert rows_of(musical.notes_of(musical.words_of(notes, 4))) == rows_of(notes)


@pytest.mark.parametrize("seed", range(5))
def test_from_files(seed):
    """Two hands, as they were written; the transposed words are those of the transposed file."""
    right, left = random_notes(seed, 60, 90), random_notes(seed + 1000, 30, 58)
    representation = NotesAndChords()
    sequence = one(representation, midi_of([right, left], metre=(3, 4)))
    assert sequence.attributes == {
        "steps_per_quarter": 4, "steps_per_bar": 12, "num_notes": len(right.onsets) + len(left.onsets), "transposition": 0,
    }  # fmt: skip
    assert (sequence.tokens[0], sequence.tokens[-1]) == (START, END)
    assert rows_of(musical.notes_of(sequence.tokens)) == sorted(rows_of(right) + rows_of(left))
    higher = one(
        representation, midi_of([hand._replace(pitches=hand.pitches + 3) for hand in (right, left)], metre=(3, 4))
    )
    for made in (representation, NotesAndChordsAsDescribed(), NotesAndChordsAsPublished()):
        plain, moved = (
            one(made, midi_of([hand._replace(pitches=hand.pitches + by) for hand in (right, left)])) for by in (0, 3)
        )
        assert made.transposed(plain, 3).tokens == moved.tokens
        assert made.content(plain) == made.content(moved)
        assert made.transposed(plain, 100) is None
    assert representation.transposed(sequence, 3).tokens == higher.tokens


def test_through_changes_of_tempo():
    """The grid is that of the notes, whatever the tempo."""
    notes = random_notes(7)
    sequence = read(midi_of([notes]))[0].sequence
    changed = note_seq.NoteSequence.FromString(sequence.SerializeToString())
    del changed.tempos[:]
    changed.tempos.add(time=0, qpm=120)
    changed.tempos.add(time=2, qpm=30)

    def later(seconds):
        return seconds if seconds <= 2 else 2 + 4 * (seconds - 2)

    for note in changed.notes:
        note.start_time, note.end_time = later(note.start_time), later(note.end_time)
    plain, found = (NotesAndChords().extract(Piece(each)).sequences[0] for each in (sequence, changed))
    assert found.tokens == plain.tokens


@pytest.mark.parametrize("seed", range(10))
def test_pedal_equals_note_seq(seed):
    sequence = read(midi_of([random_notes(seed)]))[0].sequence
    random = np.random.default_rng(seed)
    for time in np.cumsum(random.uniform(0.1, 2, 12)):
        sequence.control_changes.add(time=time, control_number=64, control_value=int(random.integers(0, 128)))
    sustained = note_seq.apply_sustain_control_changes(sequence)
    expected = NotesAndChords().extract(Piece(sustained)).sequences[0]
    assert NotesAndChords(pedal=True).extract(Piece(sequence)).sequences[0].tokens == expected.tokens


def test_into_c():
    """By the key signature: G major a fourth up, E minor too; by the notes where there is none."""
    notes = keyboard_notes(*(np.array(values) for values in ([0, 2, 4, 6, 8], [67, 71, 72, 74, 78], [2, 4, 6, 8, 9])))
    sequence = read(midi_of([notes]))[0].sequence
    moved = NotesAndChords(key="C").extract(Piece(sequence)).sequences[0]
    assert moved.attributes["transposition"] == 5
    sequence.key_signatures.add(key=4, mode=note_seq.NoteSequence.KeySignature.MINOR)
    moved = NotesAndChords(key="C").extract(Piece(sequence)).sequences[0]
    assert moved.attributes["transposition"] == 5
    assert moved.tokens[1] == "72"


def rejection(sequence, **options):
    found = NotesAndChords(**options).extract(Piece(sequence))
    assert not found.sequences
    (rejected,) = found.rejections
    assert isinstance(rejected, Rejection)
    assert rejected.reason in REMEDIES
    return rejected.reason


def test_what_cannot_be_used():
    sequence = note_seq.NoteSequence(ticks_per_quarter=480)
    assert rejection(sequence) == "no-notes"
    for number in range(3000):
        sequence.notes.add(pitch=number % 100, velocity=80, start_time=0, end_time=1 + number / 1000)
    assert rejection(sequence) == "too-many-tokens"
    for note in sequence.notes:
        note.is_drum = True
    assert rejection(sequence) == "drums"
    sequence = note_seq.NoteSequence(ticks_per_quarter=480)
    sequence.notes.add(pitch=60, velocity=80, start_time=0, end_time=1e9)
    assert rejection(sequence) == "too-many-tokens"
    sequence.notes[0].end_time = float("nan")
    assert rejection(sequence) == "bad-time"
    sequence.notes[0].end_time = 0
    (found,) = NotesAndChords().extract(Piece(sequence)).sequences
    assert found.tokens == (START, "60", "=1", END)


def test_long_pieces_are_cut():
    found = NotesAndChords(max_notes=10).extract(Piece(read(midi_of([random_notes(0)]))[0].sequence))
    assert found.num_truncated == 1
    assert found.sequences[0].attributes["num_notes"] == 10
    assert found.sequences[0].tokens[-1] != END


def test_vocabulary():
    """Complete where it can be; else of what is trained on, with an unknown for the rest."""
    whole = NotesAndChords().fit({"60": 5})
    assert {"<unknown>", START, END, "0", "127", "+16", "=1"} <= set(whole.symbols)
    fitted = NotesAndChordsAsPublished(min_count=2).fit({"E4": 5, "0.4.7": 1})
    assert fitted.symbols == ("<unknown>", START, END, "E4")
    assert fitted.encode(["0.4.7", "E4"]).tolist() == [0, 3]

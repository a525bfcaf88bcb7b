import json
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from note_seq import chord_symbols_lib

from etude.models.chords.chord import (
    NONE,
    QUALITIES,
    basses,
    chord_number,
    pitch_classes,
    qualities,
    roots,
    transpose_chords,
    triad_qualities,
)
from etude.models.chords.figure import chord_numbers, figure_of, read_figure

REFERENCE = json.loads((pathlib.Path(__file__).parents[2] / "testdata" / "chords.json").read_text())
KNOWN = [entry for entry in REFERENCE["figures"] if "quality" in entry and isinstance(entry["quality"], str)]
ROOTS = [letter + accidental for letter in "ABCDEFG" for accidental in ("", "#", "b", "##", "bb")]


def test_reference_covers_what_it_should():
    assert len(KNOWN) > 150
    assert {entry["quality"] for entry in KNOWN} == set(QUALITIES)


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry["figure"])
def test_chords_equal_magenta(entry):
    reading = read_figure(entry["figure"])
    chord = np.array(reading.chord)
    assert reading.is_known
    assert (roots(chord), basses(chord)) == (entry["root"], entry["bass"])
    assert np.flatnonzero(pitch_classes(chord)).tolist() == sorted(set(entry["pitches"]))
    assert QUALITIES[int(qualities(chord))] == entry["quality"]


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry["figure"])
def test_transposed_chords_equal_magenta(entry):
    chord = chord_numbers([entry["figure"]])
    moved = [transpose_chords(chord, semitones)[0] for semitones in REFERENCE["transpositions"]]
    assert moved == chord_numbers(entry["transposed"]).tolist()


def test_figures_of_chords_equal_magenta():
    for entry in REFERENCE["figures_of_pitches"]:
        if isinstance(entry["figure"], str):
            assert read_figure(entry["figure"]).is_known


@given(
    st.sampled_from(ROOTS),
    st.sampled_from(sorted(chord_symbols_lib._CHORD_KINDS_BY_ABBREV)),
    st.lists(
        st.sampled_from(["b9", "#9", "(#11)", "(b5)", "no3", "no5", "add2", "add9", "(add4)", "addb6"]), max_size=2
    ),
    st.sampled_from(["", *(f"/{name}" for name in ROOTS)]),
)
def test_figures_are_read_as_note_seq_does(root, kind, changes, bass):
    figure = root + kind + "".join(changes) + bass
    reading = read_figure(figure)
    try:
        pitches = chord_symbols_lib.chord_symbol_pitches(figure)
    except chord_symbols_lib.ChordSymbolError:
        assert reading.chord != NONE
        return
    chord = np.array(reading.chord)
    assert reading.is_known
    assert np.flatnonzero(pitch_classes(chord)).tolist() == sorted(set(pitches))
    assert roots(chord) == chord_symbols_lib.chord_symbol_root(figure)
    assert basses(chord) == chord_symbols_lib.chord_symbol_bass(figure)
    assert qualities(chord) == chord_symbols_lib.chord_symbol_quality(figure)


@pytest.mark.parametrize(
    ("spelled", "usual"),
    [
        ("Cø", "Cm7b5"),
        ("Cø7", "Cm7b5"),
        ("C°", "Cdim"),
        ("C°7", "Cdim7"),
        ("C^", "Cmaj7"),
        ("C^7", "Cmaj7"),
        ("CΔ7", "Cmaj7"),
        ("Cma7", "Cmaj7"),
        ("Cmi7", "Cm7"),
        ("C7sus4", "C7sus"),
        ("C69", "C6/9"),
        ("Bbmaj7/d", "Bbmaj7/D"),
        ("F♯m7♭5", "F#m7b5"),
        ("G(Em)", "G"),
        ("C add9", "Cadd9"),
        ("NC", "N.C."),
        ("N.C", "N.C."),
        ("", "N.C."),
    ],
)
def test_spellings_of_abc_and_jazz(spelled, usual):
    assert read_figure(spelled) == read_figure(usual)
    assert read_figure(spelled).is_known


@pytest.mark.parametrize(
    ("figure", "triad"), [("C7alt", "C"), ("Am7b", "Am"), ("Cmajor", "C"), ("C|D", "C"), ("F#mxyz/A", "F#m/A")]
)
def test_an_unknown_kind_is_the_triad_of_its_root(figure, triad):
    reading = read_figure(figure)
    assert not reading.is_known
    assert reading.chord == read_figure(triad).chord


@pytest.mark.parametrize("figure", ["H7", "%", "IV", "1", "hello"])
def test_what_has_no_root_is_no_chord(figure):
    assert read_figure(figure) == (NONE, False)


@given(st.text(max_size=12))
def test_any_text_is_read(text):
    assert 0 <= read_figure(text).chord < 1 << 23


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry["figure"])
def test_a_chord_is_written_as_it_is_read(entry):
    chord = read_figure(entry["figure"]).chord
    assert read_figure(figure_of(chord)).chord == chord


@pytest.mark.parametrize("figure", ["C", "Am", "F#dim", "Bbaug", "G7", "Cmaj7", "Dm7", "Em7b5", "Dsus", "Fadd9", "C/E"])
def test_usual_names_are_kept(figure):
    assert figure_of(read_figure(figure).chord) == figure


def test_transposition_goes_round():
    chords = chord_numbers(["N.C.", "C", "F#m7/A", "Bsus"])
    assert (transpose_chords(chords, 12) == chords).all()
    assert (transpose_chords(transpose_chords(chords, 5), -5) == chords).all()
    assert transpose_chords(chords, 3)[0] == NONE


@pytest.mark.parametrize(
    ("figure", "triad"), [("Csus4", "C"), ("C5", "C"), ("C7b5", "C"), ("Cm#5", "Cm"), ("Cped", "C"), ("Cdim", "Cdim")]
)
def test_a_chord_without_a_triad_has_that_of_its_third(figure, triad):
    assert triad_qualities(chord_numbers([figure])) == triad_qualities(chord_numbers([triad]))


def test_the_number_of_a_chord_holds_all_of_it():
    chord = np.array(chord_number(9, 4, (0, 3, 7, 10), 1))
    assert figure_of(int(chord)) == "Am7/E"

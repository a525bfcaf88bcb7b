"""One text a tune, which turns back into the same notes."""

import importlib.util
import pathlib
from fractions import Fraction

import pytest
from hypothesis import given, settings

from etude.models.abc.canonical import canonical
from etude.models.abc.notation.key import parse_key
from etude.models.abc.performance.performance import Performance
from etude.models.abc.reading import read_text
from etude.models.abc.unfolded import plain_key, unfold, unfold_sequence
from etude.models.melodies.quantisation import UnusableError
from etude.pipelines.readers.abc import Tune, read_tunebook
from scripts.bench.abc_agreement import agree, run_abc2midi
from tests.models.abc.tune_strategies import tunes

JIG = "X:7\nT:A jig\nR:jig\nM:6/8\nL:1/8\nQ:3/8=100\nK:Ddor\n"
JIG += "|:A|~D E D (FE)D|c2A GFE|{d}c2B- B2^c|d3 d2:|\n|:e|fed c>A^G|G2E D2:|\n"
JIG_BODY = "A|DEDFED|c2AGFE|c2B3^c|d3d2A|DEDFED|c2AGFE|c2B3^c|d3d2e|fedc3/2A/2^G|G2ED2e|fedc3/2A/2^G|G2ED2"


def canonical_of(text):
    return canonical(unfold(read_text(text).performance))


def notes(performance: Performance):
    units = performance.units
    return sorted((Fraction(n.start, units), Fraction(n.end, units), n.pitch) for n in performance.notes)


@pytest.mark.parametrize(
    ("written", "metre", "key", "body"),
    [
        # Repeats played out; the bar that the repeat cuts is joined; the last bar line and what is silent after it go.
        (JIG, "6/8", "Ddor", JIG_BODY),
        # Whatever the unit; ties across bar lines only.
        ("X:1\nM:2/4\nL:1/16\nK:G\nG4-G2F2-|F4 z2z2|]\n", "2/4", "Gmaj", "G3F-|F2"),
        ("X:1\nM:C|\nL:1/4\nK:Am\nA>B z c|[Ac]4|\n", "2/2", "Amin", "A3Bz2c2|[Ac]8"),
        # An accidental is said again after its letter had one, in whatever octave, until the bar line.
        ("X:1\nM:4/4\nL:1/4\nK:F\n^F F B =B|F =B, b f|\n", "4/4", "Fmaj", "^F2^F2B2=B2|F2=B,2=b2f2"),
        # Tuplets as they are usually written, and others with all their numbers.
        ("X:1\nM:3/4\nL:1/8\nK:D\n(3ABc d2 (3A2B|(5:4:5ABcde (2fg\n", "3/4", "Dmaj", "(3ABcd2(3:2:2A2B|(5:4:5ABcdef3/2g3/2"),
        ("X:1\nM:2/4\nL:1/8\nK:C\nA2/3B4/3 c2|d/3e2\n", "2/4", "Cmaj", "(3:2:2AB2c2|(3:2:1d/2e2"),
        # Changes of metre and key stay; enharmonic keys are written with fewer signs.
        ("X:1\nM:C\nL:1/4\nK:C\nCDE2|[M:3/4][K:C#]EFG|[K:HP]F\n", "4/4", "Cmaj", "C2D2E4|[M:3/4][K:Dbmaj]F2G2A2|[K:Dmaj]F2"),
        # Where bar lines are missing, whole bars are parted all the same.
        ("X:1\nM:2/4\nL:1/8\nK:C\nCDEF\nGABc|d4e4\n", "2/4", "Cmaj", "CDEF|GABc|d4|e4"),
        ("X:1\nM:none\nL:1/8\nK:none\nABc d8 | e\n", "none", "Cmaj", "ABcd8|e"),
    ],
)  # fmt: skip
def test_spelling(written, metre, key, body):
    assert canonical_of(written) == f"X:1\nM:{metre}\nL:1/8\nK:{key}\n{body}\n"


def test_one_text_for_one_tune():
    """However a tune is written, its text is the same."""
    other = (
        "X:1\nM:6/8\nL:1/16\nK:C\n%%propagate-accidentals not\nA2|D2E2D2F2E2D2|c4A2G2F2E2|c4 (B2-B4) ^c2|d6d4|"
        "A2|[K:Ddor]D2E2D2F2E2D2|c4A2G2F2E2|c4B2-B4^c2|d6d4|:e2|f2e2d2 c3A1^G2|=G4E2D4:|\n"
    )
    first, second = canonical_of(JIG), canonical_of(other.replace("K:C\n", "K:Ddor\n"))
    assert first == second


def test_overlapping_notes_have_no_text():
    with pytest.raises(UnusableError, match="several-voices"):
        canonical_of("X:1\nM:4/4\nL:1/4\nK:C\nV:1\nCDEF\nV:2\nC2E2\n")


def test_plain_key():
    keys = ["G", "Edor", "HP", "none", "D _b", "C#", "Abmin", "D exp _b _e ^f", "Gmix"]
    names = [
        "G major",
        "E dorian",
        "D major",
        "C major",
        "D major",
        "Db major",
        "G# minor",
        "D phrygian",
        "G mixolydian",
    ]
    found = [plain_key(parse_key(key)).name for key in keys]
    # In "D exp" one flat more than sharps remains: no mode of D has it but the Aeolian.
    names[7] = "D minor"
    assert found == names


@settings(max_examples=200)
@given(tunes())
def test_any_tune_comes_back(tune):
    performance = read_text(canonical(tune)).performance
    expected = sorted((c.start, c.end, pitch) for c in tune.chords for pitch in c.pitches)
    assert notes(performance) == expected
    again = unfold(performance)
    assert again.signatures == tune.signatures
    # What a line parts that makes a whole bar is joined; several whole bars in one are parted.
    assert again.num_uneven_bars <= tune.num_uneven_bars
    assert canonical(unfold(read_text(canonical(again)).performance)) == canonical(again)


@settings(max_examples=25)
@given(tunes())
def test_abc2midi_plays_the_same(tune):
    """What our reader may misunderstand with our writer, an independent reader does not."""
    package = importlib.util.find_spec("symusic")
    assert package is not None
    assert package.submodule_search_locations
    binary = str(pathlib.Path(package.submodule_search_locations[0], "bin", "abc2midi"))
    theirs, log = run_abc2midi(binary, canonical(tune).splitlines()[1:])
    ours = [(float(c.start * 1920), pitch, float((c.end - c.start) * 1920)) for c in tune.chords for pitch in c.pitches]
    assert agree(ours, theirs), log


def test_sequences_without_text():
    """A NoteSequence has no pickup, so bars are counted from its start; notes are the same."""
    (tune,) = read_tunebook(b"X:1\nM:3/4\nL:1/8\nQ:1/4=497\nK:Gmin\nG2(3ABc d>e|f2 z2 ^f2-|f2 g4|[M:4/4]g8|\n")
    assert isinstance(tune, Tune)
    sequence = tune.note_sequence()
    expected = canonical(unfold(tune.performance))
    assert canonical(unfold_sequence(sequence)) == expected
    del sequence.tempos[:]
    with pytest.raises(UnusableError, match="off-grid"):
        unfold_sequence(sequence)

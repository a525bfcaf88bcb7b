from collections.abc import Callable
from fractions import Fraction

import pytest

from etude.models.abc.notation.key import HIGHLAND_PIPES, NO_KEY, Shift, parse_key, parse_shift, signature
from etude.models.abc.notation.metre import default_unit_length, parse_metre, parse_tempo, parse_unit_length
from etude.models.abc.notation.parts import parse_part_order
from etude.models.abc.problems import AbcError
from etude.pipelines.readers.abc import Tune

F = Fraction

# The standard's table of keys, section 3.1.14: sharps (or flats, below 0), and a key in each mode that has them.
MODES = ("", "m", "mix", "dor", "phr", "lyd", "loc")
TABLE = {
    7: "C# A# G# D# E# F# B#",
    6: "F# D# C# G# A# B E#",
    5: "B G# F# C# D# E A#",
    4: "E C# B F# G# A D#",
    3: "A F# E B C# D G#",
    2: "D B A E F# G C#",
    1: "G E D A B C F#",
    0: "C A G D E F B",
    -1: "F D C G A Bb E",
    -2: "Bb G F C D Eb A",
    -3: "Eb C Bb F G Ab D",
    -4: "Ab F Eb Bb C Db G",
    -5: "Db Bb Ab Eb F Gb C",
    -6: "Gb Eb Db Ab Bb Cb F",
    -7: "Cb Ab Gb Db Eb Fb Bb",
}


@pytest.mark.parametrize("sharps", TABLE)
def test_every_key_of_the_standard(sharps: int) -> None:
    for tonic, mode in zip(TABLE[sharps].split(), MODES, strict=True):
        key = parse_key(tonic + mode)
        assert key is not None
        assert sum(key.alterations) == sharps
        assert key.alterations == signature(sharps)


def test_signatures() -> None:
    assert signature(2) == (1, 0, 0, 1, 0, 0, 0)  # F and C
    assert signature(-3) == (0, 0, -1, 0, 0, -1, -1)  # B, E and A
    assert parse_key("G#") == parse_key("G#maj")
    key = parse_key("G#")
    assert key is not None
    assert key.alterations == (1, 1, 1, 2, 1, 1, 1)  # eight sharps


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("D major", "D"),
        ("D MAJ", "D"),
        ("D ionian", "D"),
        ("Dmin", "Dm"),
        ("D minor", "Dm"),
        ("D Aeolian", "Dm"),
        ("DMIXolydian", "Dmix"),
        ("D  Dorian", "Ddor"),
        ("Dmixm", "Dmix"),  # only three letters count
        ("  Eb m", "Ebm"),
        ("B♭", "Bb"),
        ("F♯m", "F#m"),
        ("D treble", "D"),
        ("Dm clef=bass", "Dm"),
        ("G bass", "G"),
        ("C middle=d octave=-1", "C"),
        ("A transpose=-2", "A"),
        ("A t=-2", "A"),
        ("Bb clef=treble-8", "Bb"),
        ("C alto1 stafflines=5", "C"),
    ],
)
def test_other_ways_to_write_a_key(text: str, like: str) -> None:
    assert parse_key(text) == parse_key(like)


def test_explicit_accidentals() -> None:
    def alterations(text: str) -> tuple[int, ...]:
        key = parse_key(text)
        assert key is not None
        return key.alterations

    assert alterations("D exp _b _e ^f") == (0, 0, -1, 1, 0, 0, -1)
    assert alterations("D Phr ^f") == (0, 0, -1, 1, 0, 0, -1)
    assert alterations("D maj =c") == alterations("D =c") == alterations("Dmix") == alterations("Dmix=c")
    assert alterations("^c_b") == (1, 0, 0, 0, 0, 0, -1)
    assert alterations("C __e ^^f") == (0, 0, -2, 2, 0, 0, 0)


def test_no_key_and_pipes() -> None:
    assert parse_key("") == parse_key("none") == NO_KEY
    assert parse_key("HP") == parse_key("Hp") == HIGHLAND_PIPES
    assert HIGHLAND_PIPES.alterations == signature(2)
    assert parse_key("clef=bass") is None
    assert parse_key("bass") is None


@pytest.mark.parametrize("text", ["H", "Bn", "Es", "X", "7", "D foo"])
def test_no_such_key(text: str) -> None:
    with pytest.raises(AbcError, match=r"expected a (key|mode)"):
        parse_key(text)


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("C", Shift()),
        ("C clef=treble-8", Shift(octaves=-1)),
        ("C treble+8", Shift(octaves=1)),
        ("C bass", Shift()),
        ("C octave=2", Shift(octaves=2)),
        ("bass+8 octave=-1", Shift(octaves=0)),
        ("1 clef=bass transpose=-2", Shift(semitones=-2)),
        ("C t=3", Shift(semitones=3)),
        ("C middle=d", Shift()),
        ("C transpose=999", Shift(semitones=127)),
    ],
)
def test_transposition(text: str, shift: Shift) -> None:
    assert parse_shift(text) == shift


@pytest.mark.parametrize(
    ("text", "metre"),
    [
        ("4/4", (4, 4)),
        (" 6/8 ", (6, 8)),
        ("C", (4, 4)),
        ("C|", (2, 2)),
        ("(2+3+2)/8", (7, 8)),
        ("2+3/8", (5, 8)),
        ("none", None),
        ("", None),
    ],
)
def test_metre(text: str, metre: tuple[int, int] | None) -> None:
    assert parse_metre(text) == metre


@pytest.mark.parametrize("text", ["x", "4", "4/0", "0/4", "99999/4", "4/99999", "9999999999999999999/4"])
def test_bad_metre(text: str) -> None:
    with pytest.raises(AbcError, match="expected a metre"):
        parse_metre(text)


def test_unit_length() -> None:
    assert parse_unit_length(" 1/8") == F(1, 8)
    assert parse_unit_length("1") == 1
    assert default_unit_length((2, 4)) == F(1, 16)
    assert default_unit_length((3, 4)) == default_unit_length((2, 2)) == default_unit_length(None) == F(1, 8)
    for text in ("", "x", "1/0", "0/8", "1/99999"):
        with pytest.raises(AbcError, match="expected a"):
            parse_unit_length(text)


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("1/4=120", 120),
        ("3/8 = 40", 60),
        ("1/2=60.5", 121),
        ('"Allegro" 1/4=120', 120),
        ('3/8=50 "Slowly"', 75),
        ("1/4 3/8 1/4 3/8=40", 200),
        ('"Andante"', None),
        ("", None),
        ("120", 60),  # unit lengths a minute, as are the next three
        ("C=120", 60),
        ("C3=40", 60),
        ("=120", 60),
    ],
)
def test_tempo(text: str, tempo: F | None) -> None:
    assert parse_tempo(text, F(1, 8)) == tempo


@pytest.mark.parametrize("text", ["fast", "1/4=", "1/4=0", "1/4=99999999999", "1/0=4"])
def test_bad_tempo(text: str) -> None:
    with pytest.raises(AbcError, match="expected a"):
        parse_tempo(text, F(1, 8))


def test_part_order() -> None:
    assert parse_part_order("A2.(BC)2") == [("A", 2), ("B", 1), ("C", 1), ("B", 1), ("C", 1)]
    assert parse_part_order("AAB") == [("A", 2), ("B", 1)]
    assert parse_part_order("Slow part") == []


@pytest.mark.parametrize(
    ("fields", "unit"),
    [
        ("M:2/4\n", F(1, 16)),
        ("M:6/8\n", F(1, 8)),
        ("", F(1, 8)),
        ("L:1/4\nM:2/4\n", F(1, 4)),
        ("M:2/4\nL:1/2\n", F(1, 2)),
    ],
)
def test_unit_length_of_a_tune(read: Callable[[str], Tune], fields: str, unit: F) -> None:
    tune = read(f"X:1\n{fields}K:C\nC\nM:4/4\nC\n")
    for note in tune.performance.notes:  # a later metre does not change it
        assert F(note.end - note.start, tune.performance.units) == unit

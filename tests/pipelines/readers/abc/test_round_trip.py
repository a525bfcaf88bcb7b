"""Tunes written by an independent writer come back as they were meant."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from etude.pipelines.readers.abc import Tune, read_tunebook

LETTERS = "CDEFGAB"
NATURALS = (0, 2, 4, 5, 7, 9, 11)
SIGNS = {"__": -2, "_": -1, "=": 0, "^": 1, "^^": 2}
LENGTHS = [Fraction(n, d) for n in (1, 2, 3, 5, 7, 8) for d in (1, 2, 3, 4, 8)]

notes = st.tuples(st.integers(0, 6), st.integers(-3, 4), st.sampled_from(list(SIGNS)), st.sampled_from(LENGTHS))
gaps = st.sampled_from(
    ["", " ", "`", "|", "| ", "\n", "(", ")", "!mf!", "~", "{g^f}", '"^text"', "u", "% comment\n", "\\\n"]
)


def write_length(length: Fraction) -> str:
    above = "" if length.numerator == 1 else str(length.numerator)
    return above if length.denominator == 1 else f"{above}/{length.denominator}"


def write_pitch(letter: int, octave: int, sign: str) -> str:
    name = LETTERS[letter]
    return sign + (name.lower() + "'" * (octave - 1) if octave > 0 else name + "," * -octave)


def read(text: str) -> list[tuple[int, Fraction, Fraction]]:
    (tune,) = read_tunebook(text.encode())
    assert isinstance(tune, Tune), tune
    unit = Fraction(1, tune.performance.units)
    return [(note.pitch, note.start * unit, (note.end - note.start) * unit) for note in tune.performance.notes]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(notes, gaps), min_size=1, max_size=40), st.sampled_from(["C", "F#m", "Ebdor", "HP", "none"]))
def test_notes(written: list[tuple[tuple[int, int, str, Fraction], str]], key: str) -> None:
    expected = []
    now = Fraction(0)
    text = f"X:1\nL:1/8\nK:{key}\n"
    for (letter, octave, sign, length), gap in written:
        pitch = 60 + NATURALS[letter] + 12 * octave + SIGNS[sign]
        text += write_pitch(letter, octave, sign) + write_length(length) + gap
        expected.append((pitch, now, length / 8))
        now += length / 8
    assert read(text + "\n") == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 6), min_size=1, max_size=4),  # the body
            st.integers(1, 4),  # how often
            st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3), max_size=4),  # endings
            st.booleans(),  # whether the start is written
        ),
        min_size=1,
        max_size=5,
    )
)
def test_repeats(sections: list[tuple[list[int], int, list[list[int]], bool]]) -> None:
    text = ""
    expected: list[int] = []
    for body, times, endings, is_marked in sections:
        text += "|:" if is_marked and (times > 1 or len(endings) > 1) else ""
        text += "".join(LETTERS[letter] for letter in body)
        if len(endings) > 1:
            for number, ending in enumerate(endings, start=1):
                text += f"{'|' if number == 1 else ':|'}[{number} " + "".join(LETTERS[letter] for letter in ending)
                expected += body + ending
            text += "||\n"
        else:
            text += ":" * (times - 1) + "|" + ("|" if times == 1 else "") + "\n"
            expected += body * times
    played = [pitch for pitch, _, _ in read("X:1\nL:1/4\nK:C\n" + text)]
    assert played == [60 + NATURALS[letter] for letter in expected]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 9), st.integers(1, 9), st.integers(1, 6)), min_size=1, max_size=6))
def test_tuplets(tuplets: list[tuple[int, int, int]]) -> None:
    text, lengths = "", []
    for notes_of, time_of, count in tuplets:
        text += f"({notes_of}:{time_of}:{count}" + "C" * count + "D "
        lengths += [Fraction(time_of, 4 * notes_of)] * count + [Fraction(1, 4)]
    played = read("X:1\nL:1/4\nK:C\n" + text + "\n")
    assert [length for _, _, length in played] == lengths
    assert [onset for _, onset, _ in played] == [
        sum(lengths[:position], Fraction(0)) for position in range(len(lengths))
    ]

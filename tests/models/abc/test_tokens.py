"""folk-rnn's tokens: as they are written there, and playing the same notes."""

import collections
import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.models.abc.canonical import canonical
from etude.models.abc.reading import read_text
from etude.models.abc.tokens import text_of, tokenise
from etude.models.melodies.quantisation import UnusableError
from tests.models.abc.tune_strategies import tunes


def written(tokens):
    return " ".join(tokens)


def test_a_tune_in_its_key():
    text = (
        'X:3\nT:A title\nM:6/8\nL:1/16\nQ:1/4=90\nK:Ador % a comment\n|:"Am"~A2{g}B2(c2 "G"d4)=f2-|f4 z2 !trill![A2c2]6|\n'
        "w: some words\n(3efg a3>b|1 g^F,:|2 [M:9/8] [K:D] c''4 x8 |]\n"
    )
    assert written(tokenise(text)) == (
        "M:6/8 K:Ador |: A B c d 2 =f - | f 2 z [ A c ] 6 | (3 e /2 f /2 g /2 a 3/2> b /2 |1 g /2 ^F, /2 :| |2 "
        "M:9/8 K:Dmaj c'' 2 x 4 |"
    )


def test_a_tune_written_into_c():
    # A Dorian with an F natural and a C sharp: in C Dorian A flat and E natural; A goes up to C.
    assert (
        written(tokenise("X:1\nM:4/4\nL:1/8\nK:Ador\nAGE=F A,^ceg|\n", into_c=True))
        == "M:4/4 K:Cdor c B G _A C =e g b |"
    )
    assert written(tokenise("X:1\nM:4/4\nL:1/8\nK:D\nDFA=c d'|\n", into_c=True)) == "M:4/4 K:Cmaj C E G _B c' |"


def test_a_double_bar_that_a_repeat_goes_back_to():
    assert (
        written(tokenise("X:1\nM:2/4\nL:1/8\nK:C\nC4||D4|E4:|\nF4||G4||A4|]\n"))
        == "M:2/4 K:Cmaj C 4 |: D 4 | E 4 :| F 4 | G 4 | A 4 |"
    )
    assert written(tokenise("X:1\nM:2/4\nL:1/8\nK:C\nC4::D4:|\n")) == "M:2/4 K:Cmaj C 4 :| |: D 4 :|"


def test_bar_lines_at_both_ends_of_a_line():
    assert written(tokenise("X:1\nM:2/4\nL:1/8\nK:C\nC4|\n|D4|\n|:E4|\n[1F4:|\n|[2G4||\n|A4|\n")) == (
        "M:2/4 K:Cmaj C 4 | D 4 |: E 4 |1 F 4 :| |2 G 4 | A 4 |"
    )


def test_a_sign_that_is_cut_by_the_end_of_a_line():
    assert written(tokenise("X:1\nM:2/4\nL:1/8\nK:C\nC\n2D2|E4|\\\n:F4:|\n")) == "M:2/4 K:Cmaj C 2 D 2 | E 4 |: F 4 :|"


@pytest.mark.parametrize(
    ("music", "reason"),
    [
        ("K:D _b\nA4|", "unusual-key"),
        ("K:C\nCDEF&G4|", "not-in-tokens"),
        ("K:C\nZ|C4|", "not-in-tokens"),
        ("K:C\n|::C4::|", "not-in-tokens"),
        ("K:C\nV:1\nC4|\nV:2\nE4|", "several-voices"),
        ("P:AB\nK:C\nP:A\nC4|\nP:B\nE4|", "not-in-tokens"),
        ("K:C transpose=2\nC4|", "not-in-tokens"),
    ],
)
def test_what_has_no_token(music, reason):
    with pytest.raises(UnusableError) as raised:
        tokenise(f"X:1\nM:4/4\nL:1/8\n{music}\n")
    assert raised.value.reason == reason


@settings(max_examples=100)
@given(tunes())
def test_canonical_text_comes_back_letter_for_letter(tune):
    text = canonical(tune)
    assert text_of(tokenise(text)) == text


@settings(max_examples=100)
@given(tunes())
def test_into_c_moves_every_note_alike(tune):
    """By an interval that brings the first tonic to C, the nearest way."""
    tune = dataclasses.replace(tune, chords=tuple(chord._replace(pitches=chord.pitches[:1]) for chord in tune.chords))
    own, moved = tokenise(canonical(tune)), tokenise(canonical(tune), into_c=True)
    assert [token for token in own if token[:2] == "M:"] == [token for token in moved if token[:2] == "M:"]
    before, after = (sorted(read_text(text_of(tokens)).performance.notes) for tokens in (own, moved))
    intervals = collections.Counter(new.pitch - old.pitch for old, new in zip(before, after, strict=True))
    (interval,) = intervals
    assert -6 <= interval <= 6
    assert (tune.signatures[0][1].key.tonic + interval) % 12 == 0
    assert [(note.start, note.end) for note in before] == [(note.start, note.end) for note in after]


TOKENS = [
    "M:4/4",
    "K:Cmaj",
    "|",
    "|:",
    ":|",
    "|1",
    "|2",
    "[",
    "]",
    "(3",
    "(3:2:2",
    "A",
    "b'",
    "^c,",
    "=F",
    "_B",
    "z",
    "x",
    "2",
    "/2",
    "3/2",
    "16",
    ">",
    "<",
    "2>",
    "/2<",
    "-",
    "<<",
    "M:6/8",
    "K:Amin",
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(TOKENS), max_size=30))
def test_any_tokens_have_a_text(tokens):
    """Whatever a model writes down; a length that belongs to nothing is no part of what is before it."""
    text = text_of(tokens)
    assert text.endswith("\n")
    assert text.count("|") == "".join(tokens).count("|")


def test_a_file_of_tokens_keeps_its_tokens():
    """Tokens that a text was made of are those that it has."""
    line = "M:4/4 K:Cmix |: d c | B G G 2 (3 A B c d > e | ^f 2 z 2 B, /2> A, /2 G - G |1 C 8 :| |2 [ C E ] 2 x 3 |"
    assert written(tokenise(text_of(line.split()))) == line
    assert written(tokenise(text_of(line.split()), into_c=True)) == line

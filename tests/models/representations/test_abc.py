"""Tunes as characters and as tokens, there and back."""

import re

import pytest

from etude.models.abc.reading import read_text
from etude.models.errors import EtudeError, UsageError
from etude.models.representations.abc_characters import AbcCharacters
from etude.models.representations.piece import Piece
from etude.models.representations.registry import make_representation
from etude.models.representations.vocabulary import UNKNOWN
from etude.models.sequences.domain import END, START
from etude.models.storage.texts import Text
from etude.pipelines.readers.abc import Tune, read_tunebook
from etude.pipelines.reasons import REMEDIES

TEXT = "X:7\nT:Häher\nM:6/8\nL:1/8\nK:Ador % key\n|:A|BcB {d}c2d|\nA3- Az:|\n"
CANONICAL = "X:1\nM:6/8\nL:1/8\nK:Adorian\nA|BcBc2d|A4zA|BcBc2d|A4\n".replace("Adorian", "Ador")


@pytest.fixture
def piece():
    (tune,) = read_tunebook(TEXT.encode())
    assert isinstance(tune, Tune)
    sequence = tune.note_sequence()
    sequence.id = "a"
    return Piece(sequence, Text("a", tune.text))


def stored(representation, sequence):
    """A sequence as it comes back from a dataset, with its vocabulary."""
    vocabulary = representation.fit(dict.fromkeys(sequence.tokens, 1))
    numbered = type(sequence)(vocabulary.encode(sequence.tokens), sequence.id, sequence.source, sequence.attributes)
    return representation.decode(representation.encode(numbered)), vocabulary


@pytest.mark.parametrize(("text", "expected"), [("own", TEXT), ("canonical", CANONICAL)])
@pytest.mark.parametrize("marks", ["token", "text"])
def test_characters(piece, text, marks, expected):
    representation = make_representation("abc_characters", {"text": text, "marks": f'"{marks}"'})
    assert representation.options() == {"text": f'"{text}"', "marks": f'"{marks}"', "min_count": "1"}
    (sequence,) = representation.extract(piece).sequences
    whole = "".join(sequence.tokens)
    assert whole == (START + expected + END if marks == "token" else f"{START}\n{expected}{END}\n")
    header = "".join(sequence.tokens[: sequence.attributes["num_header_tokens"]])
    assert re.search(r"\nK:Ador.*\n\Z", header)
    num_letters = len(re.findall("[A-Ga-g]", expected.partition("\nK:")[2].partition("\n")[2]))
    assert sequence.attributes["num_notes"] == num_letters - (text == "own")  # the grace note, which is not played
    record, vocabulary = stored(representation, sequence)
    assert representation.render(record.tokens, vocabulary) == expected
    assert record.attributes == sequence.attributes
    assert vocabulary.symbols[: 3 if marks == "token" else 1] == (
        (UNKNOWN, START, END) if marks == "token" else (UNKNOWN,)
    )


def test_tokens(piece):
    own = make_representation("abc_tokens", {})
    (sequence,) = own.extract(piece).sequences
    assert " ".join(sequence.tokens) == f"{START} M:6/8 K:Cdor |: c | d e d e 2 f | c 3 - c z :| {END}"
    assert sequence.attributes == {"num_notes": 8, "num_header_tokens": 3}
    left = make_representation("abc_tokens", {"text": "canonical", "key": "own"})
    (sequence,) = left.extract(piece).sequences
    assert left.render(*stored_tokens(left, sequence)) == CANONICAL


def stored_tokens(representation, sequence):
    record, vocabulary = stored(representation, sequence)
    return record.tokens, vocabulary


def test_a_text_that_depends_on_its_file():
    """What a file says of all its tunes is no part of a tune's own text, but of its canonical text."""
    (tune,) = read_tunebook(b"L:1/4\nM:3/4\n\nX:1\nK:G\nGAB|c3|\n")
    assert isinstance(tune, Tune)
    piece = Piece(tune.note_sequence(), Text("", tune.text))
    (sequence,) = AbcCharacters(text="canonical").extract(piece).sequences
    assert "".join(sequence.tokens[1:-1]) == "X:1\nM:3/4\nL:1/8\nK:Gmaj\nG2A2B2|c6\n"


def test_unknown_and_rare_characters(piece):
    representation = AbcCharacters(min_count=2)
    vocabulary = representation.fit({"A": 5, "B": 1})
    assert vocabulary.symbols == (UNKNOWN, START, END, "A")
    assert representation.render(vocabulary.encode([START, "A", "B", END]), vocabulary) == "A?"
    assert read_text("X:1\nK:C\nA?B|\n").performance.notes.pitches == [69, 71]


def test_music_that_is_no_abc(piece):
    """It has a canonical text and its tokens, but none of its own."""
    bare = Piece(piece.sequence)
    for name in ("abc_characters", "abc_tokens"):
        (rejection,) = make_representation(name, {}).extract(bare).rejections
        assert rejection.reason == "no-text"
        assert rejection.reason in REMEDIES
        (sequence,) = make_representation(name, {"text": "canonical"}).extract(bare).sequences
        assert sequence.attributes["num_notes"] > 12


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("abc_characters", {"text": "other"}),
        ("abc_characters", {"marks": "1"}),
        ("abc_characters", {"min_count": "0"}),
        ("abc_tokens", {"key": "D"}),
        ("abc_tokens", {"marks": "text"}),
    ],
)
def test_bad_options(name, options):
    with pytest.raises((UsageError, EtudeError), match=next(iter(options))):
        make_representation(name, options)

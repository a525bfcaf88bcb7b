"""Tunes as models know them."""

import numpy as np
import pytest

from etude.models.abc_characters.domain import CharacterDomain
from etude.models.abc_tokens.domain import TokenDomain
from etude.models.configuration import Configuration
from etude.models.registry import make_domain
from etude.models.representations.abc_characters import AbcCharacters
from etude.models.representations.vocabulary import UNKNOWN
from etude.models.sequences.batch import Batch
from etude.models.sequences.sequence_set import SequenceSet

TEXT = "X:1\nM:4/4\nL:1/8\nK:Gmaj\nGABc|d8\n"


def characters(marks):
    representation = AbcCharacters(text="canonical", marks=marks)
    symbols = representation.symbols(TEXT)
    vocabulary = representation.fit(dict.fromkeys(symbols, 1))
    domain = make_domain(
        Configuration(
            "abc-characters", representation="abc_characters", vocabulary=vocabulary.symbols, unit="character"
        )
    )
    assert isinstance(domain, CharacterDomain)
    return domain, vocabulary.encode(symbols)


@pytest.mark.parametrize("marks", ["token", "text"])
def test_characters(marks):
    domain, whole = characters(marks)
    np.testing.assert_array_equal(domain.parse_whole(TEXT), whole)
    assert domain.render(whole) == TEXT
    primer = domain.default_primer
    np.testing.assert_array_equal(whole[: len(primer)], primer)
    np.testing.assert_array_equal(domain.parse(TEXT[:9]), whole[: len(primer) + 9])
    assert domain.render(domain.parse_whole("X:é")) == "X:?"
    with pytest.raises(ValueError, match="'é' is not in the vocabulary"):
        domain.parse("é")


def test_tokens():
    symbols = (UNKNOWN, "<start>", "<end>", "M:4/4", "K:Cmaj", "c", "d", "e", "f", "g", "8", "|")
    options = {"key": '"C"'}
    domain = make_domain(
        Configuration("abc-tokens", representation="abc_tokens", vocabulary=symbols, representation_options=options)
    )
    assert isinstance(domain, TokenDomain)
    expected = [1, 3, 4, 5, 6, 7, 8, 11, 9, 10, 2]
    assert domain.parse_whole(TEXT).tolist() == expected
    assert domain.parse("M:4/4 K:Cmaj c d e f | g 8").tolist() == expected[:-1]
    assert domain.render(np.array([*expected[:-1], 0])) == "X:1\nM:4/4\nL:1/8\nK:Cmaj\ncdef|g8?\n"
    with pytest.raises(ValueError, match="neither ABC"):
        domain.parse("X:1\nL:1/8\nK:C\n[\n")


def test_header_and_body_are_told_apart():
    domain, whole = characters("token")
    header = 1 + TEXT.index("GABc")
    sequences = SequenceSet.pack([whole])
    assert domain.breakdowns(sequences) == ()
    batch = Batch(whole[None], np.array([len(whole)]), {"num_header_tokens": np.array([header])})
    (parts,) = domain.breakdowns(_With({"num_header_tokens": np.array([header])}))
    # The first token is never predicted, so that of the body's first note is one step earlier.
    assert parts.index(batch).tolist() == [[0] * (header - 1) + [1] * (len(whole) - header)]
    assert parts.categories == ("header", "body")


class _With:
    def __init__(self, attributes):
        self.attributes = attributes

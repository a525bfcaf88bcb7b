import pytest

from etude.models.representations.vocabulary import UNKNOWN, Vocabulary


def test_a_fitted_vocabulary_has_an_explicit_unknown():
    vocabulary = Vocabulary.fitted({"b": 3, "a": 1, "c": 1}, marks=["<end>"], min_count=1)
    assert vocabulary.symbols == (UNKNOWN, "<end>", "a", "b", "c")
    assert vocabulary.encode("abx").tolist() == [2, 3, 0]
    assert vocabulary.decode([2, 3, 0]) == ("a", "b", UNKNOWN)
    assert Vocabulary.fitted({"b": 3, "a": 1}, min_count=2).symbols == (UNKNOWN, "b")
    with pytest.raises(ValueError, match="no unknown"):
        Vocabulary(("a",)).encode("b")

import numpy as np
import pytest

from etude.models.representations.sequence import Sequence, SequenceSet
from etude.models.representations.vocabulary import UNKNOWN, Vocabulary


@pytest.mark.parametrize(("lowest", "highest"), [(-2, 127), (0, 127), (0, 128), (0, 255), (0, 300), (-2, 70000)])
def test_tokens_come_back_in_the_smallest_type_that_holds_them(lowest, highest):
    sequences = [
        Sequence(np.array([lowest, highest, 1]), "a"),
        Sequence(np.array([], np.int64), "b"),
        Sequence(np.array([3]), "c"),
    ]
    packed = SequenceSet.of(sequences, lowest, highest)
    assert [packed.tokens(index).tolist() for index in range(3)] == [[lowest, highest, 1], [], [3]]
    assert packed.lengths.tolist() == [3, 0, 1]
    assert packed.flat.dtype.itemsize <= (1 if highest < 128 else 2 if highest < 1 << 15 else 4)


@pytest.mark.parametrize("token", [200, -3, 1 << 40])
def test_a_token_that_does_not_fit_is_an_error(token):
    with pytest.raises(ValueError, match=f"^tune holds token {token}, not -2 to 127$"):
        SequenceSet.of([Sequence(np.array([60, token]), "tune")], -2, 127)


def test_attributes_are_those_of_all():
    tokens = np.array([1])
    packed = SequenceSet.of([Sequence(tokens, attributes={"bar": bar}) for bar in (16, 12)], 0, 1)
    assert packed.attributes["bar"].tolist() == [16, 12]
    with pytest.raises(ValueError, match="only some"):
        SequenceSet.of([Sequence(tokens, attributes={"bar": 16}), Sequence(tokens)], 0, 1)


def test_a_fitted_vocabulary_has_an_explicit_unknown():
    vocabulary = Vocabulary.fitted({"b": 3, "a": 1, "c": 1}, marks=["<end>"], min_count=1)
    assert vocabulary.symbols == (UNKNOWN, "<end>", "a", "b", "c")
    assert vocabulary.encode("abx").tolist() == [2, 3, 0]
    assert vocabulary.decode([2, 3, 0]) == ("a", "b", UNKNOWN)
    assert Vocabulary.fitted({"b": 3, "a": 1}, min_count=2).symbols == (UNKNOWN, "b")
    with pytest.raises(ValueError, match="no unknown"):
        Vocabulary(("a",)).encode("b")

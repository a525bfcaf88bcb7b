"""Ratings recomputed symbol by symbol, and by SciPy."""

import collections
import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from etude.models.ngram.rating import Rater, Scale

NUM_TOKENS = 5
pieces = st.lists(st.integers(0, NUM_TOKENS - 1), min_size=2, max_size=20)


@given(st.lists(pieces, min_size=1, max_size=8), pieces)
def test_ratings_by_hand(train, piece):
    pairs = collections.Counter(pair for other in train for pair in itertools.pairwise(other))
    firsts = collections.Counter(first for other in train for first in other[:-1])
    likelihood = sum(
        math.log((pairs[before, after] + 1) / (firsts[before] + NUM_TOKENS))
        for before, after in itertools.pairwise(piece)
    )
    uniform = [list(range(NUM_TOKENS))]
    average = np.mean([np.bincount(other, minlength=NUM_TOKENS) / len(other) for other in train + uniform], axis=0)
    rating = Rater([np.array(other) for other in train], NUM_TOKENS).rate(np.array(piece))
    assert rating.num_symbols == len(piece) - 1
    assert rating.log_likelihood == pytest.approx(likelihood, rel=1e-5)
    assert rating.log_likelihood_per_symbol == pytest.approx(likelihood / (len(piece) - 1), rel=1e-5)
    assert rating.divergence == pytest.approx(
        scipy.stats.entropy(np.bincount(piece, minlength=NUM_TOKENS), average), abs=1e-12
    )
    assert rating.divergence > -1e-12


@given(st.lists(pieces, min_size=1, max_size=12), pieces)
def test_percentiles_as_scipy_has_them(held_out, piece):
    rater = Rater([np.arange(NUM_TOKENS)], NUM_TOKENS)
    ratings = [rater.rate(np.array(other)) for other in held_out]
    rating = rater.rate(np.array(piece))
    found = Scale.of(ratings).percentiles(rating)
    assert found == {
        name: pytest.approx(scipy.stats.percentileofscore([other.values()[name] for other in ratings], value, "mean"))
        for name, value in rating.values().items()
    }


def test_what_cannot_be_rated():
    with pytest.raises(ValueError, match="no training piece"):
        Rater([np.array([1])], NUM_TOKENS)
    with pytest.raises(ValueError, match="takes two"):
        Rater([np.array([1, 2])], NUM_TOKENS).rate(np.array([1]))

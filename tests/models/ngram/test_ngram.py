"""Counted models beside a dictionary of counts, by hand, and on sources whose entropy is known."""

import collections
import math

import numpy as np
import pytest

from etude.models.encodings.tokens import TokenEncoding
from etude.models.errors import UsageError
from etude.models.evaluation.evaluation import evaluate
from etude.models.ngram import count_ngrams, make_network
from etude.models.ngram.counts import array_shapes, from_arrays
from etude.models.ngram.hyperparameters import NgramHyperparameters
from etude.models.ngram.network import SMOOTHINGS
from etude.models.sequences.batch import Batch


class Lists:
    """Sequences in lists."""

    def __init__(self, lists):
        self._lists = [np.array(tokens, np.int64) for tokens in lists]
        self.lengths = np.array([len(tokens) for tokens in self._lists])

    def __len__(self):
        return len(self._lists)

    def batch(self, indices, padding):
        chosen = [self._lists[index] for index in indices]
        tokens = np.full((len(chosen), max(map(len, chosen))), padding)
        for row, one in enumerate(chosen):
            tokens[row, : len(one)] = one
        return Batch(tokens, self.lengths[indices], {})


class Counters:
    """The definitions, with a dictionary for each length of context."""

    def __init__(self, lists, num_tokens, order, smoothing):
        self.num_tokens, self.order, self.smoothing = num_tokens, order, smoothing
        self.counts = [collections.Counter() for _ in range(order)]
        for tokens in lists:
            for step in range(1, len(tokens)):
                for length in range(order):
                    self.counts[length][self.context(tokens[:step], length), tokens[step]] += 1
        if smoothing == "kneser-ney":
            for length in range(order - 1):
                before = collections.Counter((context[1:], token) for context, token in self.counts[length + 1])
                for context, token in self.counts[length]:
                    if context[:1] != ("start",):
                        self.counts[length][context, token] = before[context, token]

    def context(self, tokens, length):
        padded = ["start"] * self.order + list(tokens)
        return tuple(padded[len(padded) - length :])

    def probability(self, tokens, token, length=None):
        length = self.order - 1 if length is None else length
        if length < 0:
            return 1 / self.num_tokens
        context = self.context(tokens, length)
        followed = {w: count for (c, w), count in self.counts[length].items() if c == context}
        total, types, count = sum(followed.values()), len(followed), followed.get(token, 0)
        if self.smoothing == "laplace":
            return (count + 1) / (total + self.num_tokens)
        shorter = self.probability(tokens, token, length - 1)
        if not total:
            return shorter
        if self.smoothing == "witten-bell":
            return (count + types * shorter) / (total + types)
        once, twice = (sum(found == times for found in self.counts[length].values()) for times in (1, 2))
        discount = once / (once + 2 * twice) if once else 0.5
        return (max(count - discount, 0) + discount * types * shorter) / total


def fitted(lists, num_tokens, order, smoothing):
    hyperparameters = NgramHyperparameters(order, smoothing)
    encoding = TokenEncoding(num_tokens)
    arrays = count_ngrams(encoding, Lists(lists), hyperparameters)
    return make_network(encoding, arrays, hyperparameters)


def random_lists(seed, num_tokens, count):
    random = np.random.default_rng(seed)
    return [random.integers(0, num_tokens, random.integers(1, 15)).tolist() for _ in range(count)]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("num_tokens", [3, 9])
def test_probabilities_are_those_of_a_dictionary_of_counts(num_tokens, order, smoothing):
    lists = random_lists(0, num_tokens, 12)
    network, expected = fitted(lists, num_tokens, order, smoothing), Counters(lists, num_tokens, order, smoothing)
    for tokens in random_lists(1, num_tokens, 5):
        probabilities = np.exp(network.logits(np.array([tokens]))[0])
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
        for step in range(len(tokens)):
            of_step = [expected.probability(tokens[: step + 1], token) for token in range(num_tokens)]
            np.testing.assert_allclose(probabilities[step], of_step, rtol=1e-5)


def test_by_hand():
    """Of the pairs aa ab ba ab, in the sequence aabab; a is 0, b is 1."""
    lists = [[0, 0, 1, 0, 1]]

    def after_a(smoothing, order=2):
        return np.exp(fitted(lists, 3, order, smoothing).logits(np.array([[0]]))[0, 0]).tolist()

    # After a: a once, b twice, of 3 tokens.
    assert after_a("laplace") == pytest.approx([2 / 6, 3 / 6, 1 / 6])
    # Unigrams of what comes second or later: a twice, b twice.
    assert after_a("laplace", order=1) == pytest.approx([3 / 7, 3 / 7, 1 / 7])
    unigrams = [(2 + 2 / 3) / 6, (2 + 2 / 3) / 6, (2 / 3) / 6]
    expected = [(1 + 2 * unigrams[0]) / 5, (2 + 2 * unigrams[1]) / 5, 2 * unigrams[2] / 5]
    assert after_a("witten-bell") == pytest.approx(expected)
    # a comes after two different tokens, b after one; of these counts one is 1, one is 2: D = 1/3.
    lower = [(2 - 1 / 3 + 2 / 9) / 3, (1 - 1 / 3 + 2 / 9) / 3, (2 / 9) / 3]
    # Of the pairs aa and ba come once, ab twice: D = 2/4.
    expected = [(1 - 0.5 + lower[0]) / 3, (2 - 0.5 + lower[1]) / 3, lower[2] / 3]
    assert after_a("kneser-ney") == pytest.approx(expected)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_step_by_step_is_the_whole(smoothing):
    network = fitted(random_lists(0, 6, 20), 6, 4, smoothing)
    tokens = np.array([random_lists(2, 6, 1)[0] * 2, random_lists(3, 6, 1)[0] * 9][1:])
    whole = network.logits(tokens)
    state = network.initial_state(1).take(np.array([0, 0]))
    for step in range(tokens.shape[1]):
        found, state = network.step(np.repeat(tokens[:, step], 2), state)
        np.testing.assert_array_equal(found[1], whole[0, step])
        state = state.take(np.array([1, 1]))


def markov_source(seed, num_tokens, order, concentration=0.3):
    """Probabilities of the next token after each context: [num_tokens] * order + [num_tokens]."""
    random = np.random.default_rng(seed)
    return random.dirichlet(np.full(num_tokens, concentration), size=(num_tokens,) * order)


def drawn(source, count, length, seed):
    """Sequences of a source, [count, length], and the log-likelihood of each after its first token."""
    random = np.random.default_rng(seed)
    order, num_tokens = source.ndim - 1, source.shape[-1]
    tokens = random.integers(0, num_tokens, (count, length))
    likelihood = np.zeros(count)
    for step in range(order, length):
        shares = source[tuple(tokens[:, step - back] for back in range(order, 0, -1))]
        tokens[:, step] = (shares.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
        likelihood += np.log(shares[np.arange(count), tokens[:, step]])
    # What comes before the context is whole is uniform.
    return tokens, likelihood - (order - 1) * math.log(num_tokens)


def test_a_source_of_known_entropy():
    """The model of the source's order comes close to the source, and none is better beyond what chance explains."""
    source = markov_source(0, num_tokens=5, order=2)
    train, _ = drawn(source, 2000, 60, seed=1)
    test, of_source = drawn(source, 400, 60, seed=2)
    encoding, steps = TokenEncoding(5), 400 * 59
    entropy_rate = -of_source.sum() / steps
    losses = {}
    for smoothing in ("witten-bell", "kneser-ney"):
        for order in (1, 2, 3, 4, 5):
            network = fitted(train.tolist(), 5, order, smoothing)
            sums = evaluate(encoding, Lists(test), lambda batch, model=network: model.logits(batch.tokens[:, :-1]))
            excess = of_source - sums["token_log_likelihood"]
            standard_error = excess.std(ddof=1) * math.sqrt(len(excess)) / steps
            losses[smoothing, order] = -sums["token_log_likelihood"].sum() / steps
            assert losses[smoothing, order] > entropy_rate - 3 * standard_error
        assert losses[smoothing, 3] == min(losses[smoothing, order] for order in range(1, 6))
        # 25 contexts of 5 tokens: 100 free numbers cost about 50 nats on as many steps as they were counted on.
        assert losses[smoothing, 3] - entropy_rate < 10 * 50 / (2000 * 59)
        assert losses[smoothing, 2] - entropy_rate > 0.05


@pytest.mark.parametrize("order", [1, 4])
def test_stored_counts_are_bounded_and_checked(order):
    arrays = count_ngrams(TokenEncoding(5), Lists(random_lists(0, 5, 10)), NgramHyperparameters(order))
    assert {name: array.shape for name, array in arrays.items() if name != "sizes"} == array_shapes(arrays["sizes"])
    assert len(from_arrays(arrays, order, 5)) == order
    for name, array in arrays.items():
        if name == "sizes":
            continue
        for damaged in (array * 0 - 1, array[:0], array.astype(np.float64)):
            with pytest.raises(ValueError, match="damaged"):
                from_arrays({**arrays, name: damaged}, order, 5)
    for name in (f"contexts/{order - 1}", f"successors/{order - 1}"):
        with pytest.raises(ValueError, match="damaged"):
            from_arrays({**arrays, name: np.append(arrays[name][:-1], 10**12)}, order, 5)
    with pytest.raises(ValueError, match="negative"):
        array_shapes(np.array([[1, -1]]))


@pytest.mark.parametrize(("name", "value"), [("order", 0), ("order", 21), ("smoothing", "good-turing")])
def test_hyperparameters_out_of_range(name, value):
    with pytest.raises(UsageError, match=f"hyperparameter {name} must be"):
        NgramHyperparameters(**{name: value})

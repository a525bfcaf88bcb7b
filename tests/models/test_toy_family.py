"""A family that the core knows nothing of: a vocabulary of 300, an alias, an end, text for output."""

import itertools
import math
import pathlib

import numpy as np
import pytest

from etude.models import registry
from etude.models.configuration import Configuration
from etude.models.errors import UsageError
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.figures import report
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters
from etude.models.model import Model
from etude.models.networks.weights import initialise
from etude.models.search.beam import beam_search
from etude.models.search.continuation import Continuation
from etude.models.search.stochastic import stochastic_search
from etude.models.sequences.domain import END, START, VocabularyDomain
from etude.models.sequences.sequence_set import SequenceSet
from tests.toy_family import ToyEncoding, make_encoding


def symbols(num_tokens):
    """A start, letters of several alphabets, an end."""
    return (START, *(chr(0x100 + number) for number in range(num_tokens - 2)), END)


def make_domain(configuration):
    marks = (0, len(configuration.vocabulary) - 1)
    return VocabularyDomain(configuration.representation, configuration.vocabulary, marks=marks)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    family = Family("toy", "Toy", "A toy.", Configuration("toy"), make_encoding, make_domain)
    monkeypatch.setitem(registry.FAMILIES, "toy", family)


def make_model(num_tokens, seed=0, scale=1.5):
    configuration = Configuration(
        "toy",
        hyperparameters=Hyperparameters(rnn_layer_sizes=(7, 6)),
        representation="letters",
        vocabulary=symbols(num_tokens),
    )
    random = np.random.default_rng(seed)
    start = initialise(configuration.hyperparameters, make_encoding(configuration), seed)
    weights = {name: (w + random.normal(size=w.shape) * scale).astype(np.float32) for name, w in start.items()}
    return Model(configuration, weights, pathlib.Path("toy"))


def sums_of(model, sequences):
    return evaluate(model.encoding, SequenceSet.pack(sequences), model.predict)


def all_continuations(primer, num_tokens, num_steps):
    """Every sequence that ends within so many steps, and every one that has not ended after them."""
    end = num_tokens - 1
    for length in range(1, num_steps + 1):
        for added in itertools.product(range(num_tokens), repeat=length):
            if end in added[:-1]:
                continue
            if added[-1] == end or length == num_steps:
                yield (*primer, *added)


def test_streams_equal_whole_encodings():
    encoding = ToyEncoding(300, 299)
    tokens = np.random.default_rng(0).integers(0, 4, (3, 12))
    inputs, aliases = encoding.inputs(tokens, {}), encoding.aliases(tokens, {})
    stream, rows = encoding.stream(3, {}), np.arange(3)
    for step in range(12):
        if step == 5:
            rows = np.array([2, 0, 0])
            stream = stream.take(rows)
        np.testing.assert_array_equal(stream.aliases(), aliases[rows, step])
        np.testing.assert_array_equal(stream.append(tokens[rows, step]), inputs[rows, step])


@pytest.mark.parametrize("seed", [0, 1])
def test_a_beam_as_wide_as_the_tree_finds_every_sequence_in_order(seed):
    model, primer, num_steps = make_model(4, seed), [0, 1], 4
    expected = list(all_continuations(primer, 4, num_steps))
    paths = beam_search(
        model.encoding, Continuation(model.encoding, model.network, np.array(primer), {}), num_steps, 4**num_steps
    )
    found = [tuple(tokens[:length].tolist()) for tokens, length in zip(paths.tokens, paths.lengths, strict=True)]
    assert sorted(found) == sorted(expected)
    assert len({len(sequence) for sequence in found}) > 2
    likelihoods = sums_of(model, found)["token_log_likelihood"]
    assert (np.diff(likelihoods) < 1e-4).all()
    share = sums_of(model, [primer])["token_log_likelihood"][0]
    assert np.exp(likelihoods - share).sum() == pytest.approx(1, abs=1e-4)


def test_beams_of_generation_are_its_likeliest():
    model = make_model(4)
    expected = list(all_continuations([0], 4, 4))
    likelihoods = sums_of(model, expected)["token_log_likelihood"]
    found = model.generate([0], num_steps=5, search="beam", beam_size=200, num_outputs=20)
    best = [expected[index] for index in np.argsort(-likelihoods)[:20]]
    assert [tuple(match.tokens.tolist()) for match in found] == best
    for one, likelihood in zip(found, np.sort(likelihoods)[::-1][:20], strict=True):
        assert one.token_log_likelihood == pytest.approx(likelihood, abs=1e-4)
        assert one.log_likelihood <= one.token_log_likelihood + 1e-5
        assert one.text == "".join(symbols(4)[token] for token in one.tokens if token not in (0, 3))


def test_greedy_takes_the_likeliest_token_until_the_end():
    ended = 0
    for seed in range(8):
        model = make_model(5, seed)
        (found,) = model.generate([0], num_steps=12, search="greedy", num_outputs=1)
        sequence = [0]
        while len(sequence) < 12 and sequence[-1] != 4:
            extensions = [[*sequence, token] for token in range(5)]
            sequence = extensions[int(np.argmax(sums_of(model, extensions)["token_log_likelihood"]))]
        assert found.tokens.tolist() == sequence
        ended += sequence[-1] == 4
    assert 0 < ended < 8


OPTIONS = [{}, {"beam_size": 3, "branch_factor": 2}, {"beam_size": 2, "branch_factor": 3, "steps_per_iteration": 4}]


@pytest.mark.parametrize("options", OPTIONS)
def test_samples_end_and_do_not_depend_on_their_batch(options):
    """Nor on how long the others are: those that have ended wait."""
    model = make_model(5, seed=3, scale=0.5)

    def samples(first, number, num_steps=14):
        continuation = Continuation(model.encoding, model.network, np.array([0]), {})
        found = stochastic_search(continuation, number, num_steps, seed=5, first_output=first, **options)
        lengths = found.paths.lengths
        return [
            (tuple(tokens[:length].tolist()), pytest.approx(score, abs=1e-4))
            for tokens, length, score in zip(found.paths.tokens, lengths, found.scores, strict=True)
        ]

    together = samples(0, 30)
    assert together == [sample for first in range(30) for sample in samples(first, 1)]
    lengths = {len(sequence) for sequence, _ in together}
    assert len(lengths) > 2
    for sequence, _ in together:
        assert 4 not in sequence[:-1]
        assert sequence[-1] == 4 or len(sequence) == 15


def test_samples_come_as_often_as_the_model_says():
    model, count = make_model(4, seed=1, scale=0.7), 20_000
    continuation = Continuation(model.encoding, model.network, np.array([0]), {})
    found = stochastic_search(continuation, count, 3, seed=1)
    drawn = [tuple(tokens[:n].tolist()) for tokens, n in zip(found.paths.tokens, found.paths.lengths, strict=True)]
    expected = list(all_continuations([0], 4, 3))
    probabilities = np.exp(sums_of(model, expected)["token_log_likelihood"])
    for sequence, probability in zip(expected, probabilities, strict=True):
        error = math.sqrt(probability * (1 - probability) / count)
        assert abs(drawn.count(sequence) / count - probability) < 5 * error + 1e-4


def test_generation_with_a_vocabulary_of_300():
    model = make_model(300, scale=0.3)
    found = model.generate("āĂ", num_outputs=5, num_steps=40, seed=2, temperature=1.1, top_k=50)
    again = model.generate(np.array([0, 2, 3]), num_outputs=3, num_steps=40, seed=2, temperature=1.1, top_k=50)
    assert [one.tokens.tolist() for one in again] == [match.tokens.tolist() for match in found[:3]]
    sums = sums_of(model, [match.tokens for match in found])
    for index, one in enumerate(found):
        assert one.text.startswith("āĂ")
        assert one.tokens.max() > 127
        assert one.log_likelihood == pytest.approx(sums["log_likelihood"][index], abs=1e-3)
        assert one.token_log_likelihood == pytest.approx(sums["token_log_likelihood"][index], abs=1e-3)
    figures = report(sums.totals(), model.encoding.unit)
    assert figures["num_sequences"] == 5
    assert figures["token"]["loss"] <= figures["label"]["loss"]
    assert 0 < sums.totals()["odd:num"] < figures["num_steps"]


@pytest.mark.parametrize(("primer", "message"), [([0, 299], "holds an end"), ([300], "300 is not in"), ("xyz", "'x'")])
def test_primers_that_cannot_be_continued(primer, message):
    with pytest.raises(UsageError, match=message):
        make_model(300).generate(primer)


def test_only_melodies_have_scales():
    from etude.models.search.constraints import Constraints

    with pytest.raises(UsageError, match="for melodies"):
        make_model(300).generate([0], constraints=Constraints(min_pitch=60))

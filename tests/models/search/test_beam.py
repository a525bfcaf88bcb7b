import itertools

import numpy as np
import pytest

from etude.models.melodies.melody import Melody, metres
from etude.models.melodies.melody_set import MelodySet
from etude.models.registry import families_of
from etude.models.search.beam import beam_search
from etude.models.search.choice import Choice
from etude.models.search.continuation import Continuation
from etude.models.sequences.domain import MELODY

STEPS = 3
PRIMER = np.array([60, -2, 64, -1])


@pytest.fixture(params=families_of(MELODY))
def model(request, tiny_model):
    return tiny_model(request.param)


def search(model, num_steps, beam_size, primer=PRIMER, choice=None):
    """The melodies, and the log-likelihood of the events after the primer."""
    continuation = Continuation(model.encoding, model.network, primer, metres(16))
    melodies = beam_search(model.encoding, continuation, num_steps, beam_size, choice).tokens
    return melodies, log_likelihoods(model, melodies, primer)


def log_likelihoods(model, melodies, primer=PRIMER):
    """Of the events after the primer."""
    whole, share = (
        model.evaluate(MelodySet.of(Melody(events) for events in part), squash=False)["token_log_likelihood"]
        for part in (melodies, melodies[:, : len(primer)])
    )
    return whole - share


def all_continuations(model, num_steps, primer=PRIMER):
    choices = itertools.product(model.encoding.label_tokens().tolist(), repeat=num_steps)
    return np.array([[*primer, *choice] for choice in choices])


def test_a_beam_as_wide_as_the_tree_finds_every_melody_in_order(model):
    everything = all_continuations(model, STEPS)
    expected = log_likelihoods(model, everything)
    melodies, scores = search(model, STEPS, 14**STEPS)
    assert len(np.unique(melodies, axis=0)) == len(melodies) == len(everything) == 14**STEPS
    np.testing.assert_allclose(scores, np.sort(expected)[::-1], atol=1e-4)
    by_events = {tuple(events): score for events, score in zip(everything.tolist(), expected, strict=True)}
    np.testing.assert_allclose(scores, [by_events[tuple(events)] for events in melodies.tolist()], atol=1e-4)
    # Everything that can follow the primer has the probability 1.
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-4)


def test_labels_of_one_event_are_merged(tiny_model):
    """No event, twice repeated, is the most likely event where each of its three labels is less likely than another."""
    model = tiny_model("lookback")
    encoding = model.encoding
    model.weights["output/kernel"][:] = 0
    bias = np.full(encoding.num_labels, -20.0)
    bias[[0, encoding.num_tokens, encoding.num_tokens + 1]] = np.log(0.2)
    bias[encoding.token_labels(np.array([70]))] = np.log(0.4)
    model.weights["output/bias"][:] = bias
    melodies, scores = search(model, 1, 2, primer=np.array([60, -2, -2, -2]))
    assert melodies[:, -1].tolist() == [-2, 70]
    np.testing.assert_allclose(scores, np.log([0.6, 0.4]), atol=1e-4)


@pytest.mark.parametrize("beam_size", [2, 5, 30])
def test_a_beam_keeps_the_best_extensions_of_each_step(model, beam_size):
    """Against a beam search in plain Python that scores every extension from scratch."""
    beam = [tuple(PRIMER.tolist())]
    for _ in range(4):
        extensions = [(*events, event) for events in beam for event in model.encoding.label_tokens().tolist()]
        scores = log_likelihoods(model, np.array(extensions))
        beam = [extensions[index] for index in np.argsort(-scores, kind="stable")[:beam_size]]
    melodies, found = search(model, 4, beam_size)
    assert [tuple(events) for events in melodies.tolist()] == beam
    np.testing.assert_allclose(found, log_likelihoods(model, np.array(beam)), atol=1e-4)
    assert len(set(beam)) == len(beam)


def test_a_beam_of_one_is_greedy(model):
    events = PRIMER.tolist()
    for _ in range(6):
        extensions = np.array([[*events, event] for event in model.encoding.label_tokens().tolist()])
        events = extensions[log_likelihoods(model, extensions).argmax()].tolist()
    melodies, _ = search(model, 6, 1)
    assert melodies.tolist() == [events]


def test_a_wider_beam_finds_nothing_worse(model):
    best = [search(model, 8, beam_size)[1][0] for beam_size in (1, 200)]
    assert best[1] >= best[0] - 1e-5


def test_constrained_beam_is_the_best_of_what_is_allowed(model):
    """Against all melodies that keep the rules; the last note, from the second step on, is one of two."""
    label_tokens = model.encoding.label_tokens()
    allowed = np.isin(label_tokens, [-2, 60, 62, 64, 67])
    final = np.isin(label_tokens, [60, 67])
    melodies, scores = search(model, STEPS, 14**STEPS, choice=Choice(model.encoding, allowed, final, 1))
    everything = all_continuations(model, STEPS)
    added = everything[:, len(PRIMER) :]
    keeps = np.isin(added, [-2, 60, 62, 64, 67]).all(axis=1)
    # From the second step on: a melody whose last note is not final goes on with one that is.
    for step in range(1, STEPS):
        last = np.full(len(added), PRIMER[PRIMER >= 0][-1])
        for column in added[:, :step].T:
            last = np.where(column >= 0, column, last)
        is_final = np.isin(added[:, step], [60, 67])
        keeps &= is_final | (np.isin(last, [60, 67]) & (added[:, step] < 0))
    expected = log_likelihoods(model, everything[keeps])
    assert 10 < len(expected) < 100
    assert {tuple(events) for events in melodies.tolist()} == {tuple(events) for events in everything[keeps].tolist()}
    np.testing.assert_allclose(scores, np.sort(expected)[::-1], atol=1e-4)
    for events in melodies:
        assert events[events >= 0][-1] in (60, 67)


def test_rules_hold_however_unlikely(tiny_model):
    """Where the model all but excludes the allowed notes, in float32 altogether."""
    model = tiny_model("lookback")
    model.weights["output/bias"][model.encoding.token_labels(np.array([65]))] += 2000
    allowed = np.isin(model.encoding.label_tokens(), [-2, 60, 62])
    melodies, _ = search(model, 5, 4, choice=Choice(model.encoding, allowed))
    assert len(melodies) == 4
    assert np.isin(melodies[:, len(PRIMER) :], [-2, 60, 62]).all()

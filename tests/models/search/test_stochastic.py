import dataclasses
import heapq
from typing import Any

import numpy as np
import pytest

from etude.models.evaluation.likelihood import token_probabilities
from etude.models.melodies.melody import metres
from etude.models.networks.network import log_softmax
from etude.models.registry import families_of
from etude.models.search.continuation import Continuation
from etude.models.search.randomness import keyed_uniform
from etude.models.search.stochastic import different, sample, stochastic_search
from etude.models.sequences.domain import MELODY

PRIMER = np.array([60, -2, 64, -1])


@pytest.fixture(params=families_of(MELODY))
def model(request, tiny_model):
    return tiny_model(request.param)


def search(model, num_outputs, num_steps, seed=1, **options):
    continuation = Continuation(model.encoding, model.network, PRIMER, metres(16))
    samples = stochastic_search(continuation, num_outputs, num_steps, seed=seed, **options)
    return samples.paths.tokens, samples.scores


@dataclasses.dataclass
class Entry:
    """A melody of a beam, one by itself: its events, and the score of its labels."""

    events: list[int]
    score: float = 0.0


def log_probabilities_of(model, events, temperature):
    inputs = model.encoding.inputs(np.array([events]), metres(16))
    return log_softmax(model.network.logits(inputs)[0, -1] / np.float32(temperature)).astype(np.float64)


def magentas_beam_search(model, output, num_steps, seed, temperature, beam_size, branch_factor, steps_per_iteration):
    """Magenta's search for one melody, as its beam_search.py describes it, fed with our random numbers."""
    beam = [Entry(PRIMER.tolist()) for _ in range(beam_size)]

    def branch(beam, steps):
        branches = [dataclasses.replace(entry, events=list(entry.events)) for entry in beam * branch_factor]
        for _ in range(steps):
            for number, entry in enumerate(branches):
                log_probabilities = log_probabilities_of(model, entry.events, temperature)
                draw = float(keyed_uniform(seed, output, len(entry.events), number))
                label = int(np.searchsorted(np.cumsum(np.exp(log_probabilities)), draw, side="right"))
                aliases = model.encoding.aliases(np.array([[*entry.events, -2]]), metres(16))[0, -1]
                entry.score += log_probabilities[label]
                entry.events.append([*model.encoding.label_tokens().tolist(), *aliases.tolist()][label])
        return branches

    def prune(beam, kept):
        best: Any = heapq.nlargest(kept, range(len(beam)), key=lambda index: beam[index].score)
        return [beam[index] for index in best]

    first = (num_steps - 1) % steps_per_iteration + 1
    beam = branch(beam, first)
    for _ in range((num_steps - first) // steps_per_iteration):
        beam = branch(prune(beam, beam_size), steps_per_iteration)
    (best,) = prune(beam, 1)
    return best.events, best.score


@pytest.mark.parametrize(
    ("beam_size", "branch_factor", "steps_per_iteration", "num_steps", "temperature"),
    [
        (1, 1, 1, 12, 1.0),
        (1, 1, 5, 12, 1.7),
        (1, 4, 1, 7, 1.0),
        (3, 1, 2, 7, 1.0),
        (3, 2, 1, 6, 0.7),
        (2, 3, 4, 10, 1.2),
    ],
)
def test_equals_magentas_beam_search(model, beam_size, branch_factor, steps_per_iteration, num_steps, temperature):
    options = dict(
        seed=5,
        temperature=temperature,
        beam_size=beam_size,
        branch_factor=branch_factor,
        steps_per_iteration=steps_per_iteration,
    )
    melodies, scores = search(model, 3, num_steps, **options)
    assert melodies.shape == (3, len(PRIMER) + num_steps)
    for output in range(3):
        events, score = magentas_beam_search(model, output, num_steps, **options)
        assert melodies[output].tolist() == events
        assert scores[output] == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"beam_size": 3, "branch_factor": 2, "steps_per_iteration": 2}])
def test_a_melody_depends_on_seed_and_number_alone(model, options):
    many, scores = search(model, 7, 20, **options)
    few, few_scores = search(model, 2, 20, **options)
    np.testing.assert_array_equal(few, many[:2])
    np.testing.assert_allclose(few_scores, scores[:2], atol=1e-5)
    rest, _ = search(model, 3, 20, first_output=4, **options)
    np.testing.assert_array_equal(rest, many[4:])
    assert len(np.unique(many, axis=0)) > 1
    other, _ = search(model, 7, 20, seed=2, **options)
    assert not np.array_equal(other, many)


@pytest.mark.parametrize("name", ["basic", "lookback"])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_samples_follow_the_probabilities(name, temperature, tiny_model):
    """The second step after the primer, given each first one that is common."""
    model = tiny_model(name)
    num_outputs = 20_000
    melodies, _ = search(model, num_outputs, 2, temperature=temperature)
    known = Continuation(model.encoding, model.network, PRIMER, metres(16))
    total = num_outputs
    tested = 0
    for _ in range(2):
        log_probabilities = known.log_probabilities(temperature)
        expected = token_probabilities(model.encoding, log_probabilities, known.aliases())[0] * total
        chosen = melodies[:, known.num_steps]
        counts = np.array([(chosen == event).sum() for event in model.encoding.label_tokens()])
        common = expected > 5
        chi_square = ((counts - expected)[common] ** 2 / expected[common]).sum()
        freedom = common.sum() - 1
        assert freedom >= 3
        assert chi_square < freedom + 5 * np.sqrt(2 * freedom)
        tested += counts.sum()
        most_common = model.encoding.label_tokens()[counts.argmax()]
        melodies = melodies[chosen == most_common]
        total = len(melodies)
        known.extend(np.array([most_common]))
    assert tested > num_outputs * 1.1


def test_sampling_walks_the_cumulative_probabilities():
    log_probabilities = np.log(np.array([[0.25, 0.5, 0.25]], np.float32)).repeat(6, axis=0)
    draws = np.array([0.0, 0.2499, 0.2501, 0.7499, 0.7501, 1 - 2**-53])
    assert sample(log_probabilities, np.arange(6), draws).tolist() == [0, 0, 1, 1, 2, 2]


def test_what_is_impossible_is_never_sampled():
    with np.errstate(divide="ignore"):
        log_probabilities = np.log(np.array([[0, 1, 0, 0]], np.float32)).repeat(2, axis=0)
    assert sample(log_probabilities, np.array([0, 1]), np.array([0.0, 1 - 2**-53])).tolist() == [1, 1]


@pytest.mark.parametrize("num_labels", [40, 300, 70_000])
def test_melodies_are_told_apart_in_any_vocabulary(num_labels):
    random = np.random.default_rng(num_labels)
    rows = random.integers(6, size=400)
    # Few different events, all that share their last eight bits among them.
    events = random.choice(np.arange(-2, num_labels - 2)[3 :: 256 if num_labels > 256 else 9], size=400)
    first, inverse = different(rows, events)
    pairs = list(zip(rows.tolist(), events.tolist(), strict=True))
    assert len(first) == len(set(pairs))
    assert [pairs[place] for place in first[inverse]] == pairs
    assert all(pairs.index(pairs[place]) == place for place in first)

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.evaluation.likelihood import token_probabilities
from etude.models.melodies.melody import metres
from etude.models.registry import families_of
from etude.models.search.choice import Choice, token_log_probabilities
from etude.models.search.constraints import Constraints
from etude.models.search.continuation import Continuation
from etude.models.search.stochastic import stochastic_search
from etude.models.sequences.domain import MELODY

PRIMER = np.array([60, -2, 64, -1])


@pytest.fixture(params=families_of(MELODY))
def model(request, tiny_model):
    return tiny_model(request.param)


@pytest.fixture
def continuation(model):
    return Continuation(model.encoding, model.network, PRIMER, metres(16))


def everything(model):
    return np.ones(model.encoding.num_tokens, bool)


def left(model, continuation, choice):
    """The events that a choice leaves, and their probabilities in all."""
    log_probabilities = continuation.log_probabilities()
    narrowed = choice.narrow(continuation, log_probabilities, 0)
    labels = np.flatnonzero(np.isfinite(narrowed[0]))
    np.testing.assert_allclose(
        np.diff(narrowed[0, labels]), np.diff(log_probabilities[0, labels]), atol=1e-5, err_msg="only minus infinity"
    )
    events = continuation.decode(labels, np.zeros_like(labels))
    of_events = token_probabilities(model.encoding, log_probabilities, continuation.aliases())[0]
    return dict(zip(model.encoding.label_tokens().tolist(), of_events, strict=True)), set(events.tolist())


def test_log_probabilities_of_events_add_up(model, continuation):
    found = token_log_probabilities(model.encoding, continuation.log_probabilities(), continuation.aliases())
    expected = token_probabilities(model.encoding, continuation.log_probabilities(), continuation.aliases())
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("k", [1, 3, 14, 100])
def test_top_k_leaves_the_likeliest_events(model, continuation, k):
    probabilities, events = left(model, continuation, Choice(model.encoding, everything(model), top_k=k))
    assert events == set(sorted(probabilities, key=probabilities.__getitem__)[-k:])


@pytest.mark.parametrize("p", [1e-9, 0.3, 0.7, 0.95])
def test_top_p_leaves_the_fewest_events_of_that_probability(model, continuation, p):
    probabilities, events = left(model, continuation, Choice(model.encoding, everything(model), top_p=p))
    total = sum(probabilities[event] for event in events)
    assert total >= p
    assert total - min(probabilities[event] for event in events) < p
    assert len(events) == 1 or len(events) < 14


def test_top_p_counts_what_constraints_leave(model, continuation):
    allowed = np.isin(model.encoding.label_tokens(), [60, 62, 64, 65])
    probabilities, events = left(model, continuation, Choice(model.encoding, allowed, top_p=0.6))
    possible = {event: probabilities[event] for event in (60, 62, 64, 65)}
    assert events <= possible.keys()
    assert sum(possible[event] for event in events) >= 0.6 * sum(possible.values())


def test_a_label_that_repeats_what_is_not_allowed_is_not_drawn(tiny_model):
    model = tiny_model("lookback")
    model.weights["output/bias"][-2:] += 20
    allowed = np.isin(model.encoding.label_tokens(), [-2, 62])
    samples = stochastic_search(
        Continuation(model.encoding, model.network, np.array([60, 61, 65]), metres(16)),
        50,
        6,
        seed=1,
        choice=Choice(model.encoding, allowed),
    )
    assert np.isin(samples.paths.tokens[:, 3:], [-2, 62]).all()


@pytest.mark.parametrize("options", [{}, {"beam_size": 3, "branch_factor": 2, "steps_per_iteration": 2}])
def test_every_sample_keeps_the_rules_and_scores_without_them(model, options):
    labels = model.encoding.label_tokens()
    choice = Choice(model.encoding, np.isin(labels, [-2, 60, 62, 67]), np.isin(labels, [60]), 12, top_k=3)
    start = Continuation(model.encoding, model.network, PRIMER, metres(16))
    samples = stochastic_search(start, 20, 16, seed=3, choice=choice, temperature=1.3, **options)
    added = samples.paths.tokens[:, len(PRIMER) :]
    assert np.isin(added, [-2, 60, 62, 67]).all()
    for events in samples.paths.tokens:
        assert events[events >= 0][-1] == 60
    assert len(np.unique(added, axis=0)) > 1
    # The path's likelihood is that of its labels among all labels.
    if not model.encoding.num_aliases:
        log_probabilities = samples.paths.logits[:, len(PRIMER) - 1 :] / 1.3
        log_probabilities = log_probabilities - np.log(np.exp(log_probabilities).sum(-1, keepdims=True))
        chosen = np.take_along_axis(log_probabilities, model.encoding.token_labels(added)[..., None], -1)[..., 0]
        np.testing.assert_allclose(samples.scores, chosen.sum(1), rtol=1e-4)


def test_constraints_are_in_sounding_pitches(tiny_model):
    encoding = tiny_model("basic").encoding
    constraints = Constraints(min_pitch=73, max_pitch=79, pitch_classes=(2, 4, 7), note_offs=False, final_pitch_class=2)
    # The model's pitches 60 to 71 sound ten semitones higher.
    allowed = constraints.allowed_events(encoding, -10)
    assert encoding.label_tokens()[allowed].tolist() == [-2, 64, 66, 69]
    assert encoding.label_tokens()[constraints.final_notes(encoding, -10)].tolist() == [64]
    assert constraints.restrict
    assert not Constraints().restrict
    assert Constraints().allowed_events(encoding, 5).all()
    assert Constraints().final_notes(encoding, 5) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_pitch": 80, "max_pitch": 90}, "80 to 90, all pitch classes; .* knows the pitches 60 to 71"),
        ({"min_pitch": 61, "max_pitch": 61, "pitch_classes": (0, 4)}, "61 to 61, C E"),
        ({"max_pitch": 65, "final_pitch_class": 7}, "an ending on G"),
        ({"min_pitch": 70, "max_pitch": 60}, "from 70 to 60"),
        ({"max_pitch": 128}, "to 128"),
    ],
)
def test_impossible_constraints(tiny_model, options, message):
    with pytest.raises(UsageError, match=message):
        Constraints(**options).final_notes(tiny_model("basic").encoding, 0) or Constraints(**options).allowed_events(
            tiny_model("basic").encoding, 0
        )

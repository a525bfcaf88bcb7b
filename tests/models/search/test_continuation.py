import numpy as np
import pytest

from etude.models.melodies.melody import metres
from etude.models.networks.network import log_softmax
from etude.models.registry import families_of
from etude.models.search.continuation import Continuation
from etude.models.sequences.domain import MELODY


@pytest.fixture(params=families_of(MELODY))
def model(request, tiny_model):
    return tiny_model(request.param)


def expected_logits(model, events):
    return model.network.logits(model.encoding.inputs(events, metres(np.full(len(events), 16))))


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
def test_a_primer_is_read_whole(model, temperature, random_events):
    primer = random_events(2, 9)
    continuation = Continuation(model.encoding, model.network, primer, metres(16))
    assert continuation.paths().tokens.tolist() == [primer.tolist()]
    assert (continuation.num_steps, continuation.num_sequences) == (9, 1)
    expected = log_softmax(expected_logits(model, primer[None])[:, -1] / np.float32(temperature))
    np.testing.assert_allclose(continuation.log_probabilities(temperature), expected, atol=1e-5)


def test_melodies_grow_apart(model):
    continuation = Continuation(model.encoding, model.network, np.array([60, -2]), metres(16))
    continuation.extend(np.array([62, -1]), np.array([0, 0]))
    continuation.extend(np.array([64, 65, -2]), np.array([1, 0, 1]))
    continuation.extend(np.array([71, -2, 60]))
    expected_events = [[60, -2, -1, 64, 71], [60, -2, 62, 65, -2], [60, -2, -1, -2, 60]]
    paths = continuation.paths()
    assert paths.tokens.tolist() == expected_events
    expected = expected_logits(model, paths.tokens)
    np.testing.assert_allclose(paths.logits, expected[:, :-1], atol=1e-5)
    np.testing.assert_allclose(continuation.log_probabilities(), log_softmax(expected[:, -1]), atol=1e-5)
    some = continuation.paths(np.array([2, 2, 0]))
    assert some.tokens.tolist() == [expected_events[2], expected_events[2], expected_events[0]]
    np.testing.assert_allclose(some.logits, expected[[2, 2, 0], :-1], atol=1e-5)


def test_labels_decode_at_the_next_step(model, random_events):
    encoding = model.encoding
    primer = random_events(4, 6)
    labels = np.arange(encoding.num_labels)
    continuation = Continuation(encoding, model.network, primer, metres(16))
    expected = encoding.label_tokens().tolist()
    # Distances 2 and 3 before the next step.
    expected += [primer[-2], primer[-3]][: encoding.num_aliases]
    assert continuation.decode(labels, np.zeros_like(labels)).tolist() == expected


def test_repeats_in_bars_follow_the_metre(tiny_model):
    model = tiny_model("lookback", lookback_distances=[1, 2], lookback_unit="bars")
    continuation = Continuation(model.encoding, model.network, np.array([60, 61, 62, 63, 64, 65, 66]), metres(3))
    assert continuation.aliases().tolist() == [[64, 61]]


def test_the_last_note_of_every_melody(tiny_model):
    model = tiny_model("basic")
    continuation = Continuation(model.encoding, model.network, np.array([-2]), metres(16))
    assert continuation.last_notes().tolist() == [-1]
    continuation.extend(np.array([62, -2, -1]), np.array([0, 0, 0]))
    continuation.extend(np.array([-1, -2, -2, 65]), np.array([0, 0, 1, 0]))
    assert continuation.last_notes().tolist() == [62, 62, -1, 65]

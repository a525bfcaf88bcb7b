import numpy as np
import pytest

from models.networks.network import log_softmax
from models.registry import FAMILIES
from models.search.continuation import Continuation


@pytest.fixture(params=FAMILIES)
def model(request, tiny_model):
    return tiny_model(request.param)


def expected_log_probabilities(model, events, temperature=1.0):
    inputs = model.encoding.inputs(events, np.full(len(events), 16))
    return log_softmax(model.network.logits(inputs)[:, -1] / np.float32(temperature))


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
def test_a_primer_is_read_whole(model, temperature, random_events):
    primer = random_events(2, 9)
    continuation = Continuation(model.encoding, model.network, primer, 3, 16)
    assert continuation.events.tolist() == [primer.tolist()] * 3
    expected = expected_log_probabilities(model, np.stack([primer] * 3), temperature)
    np.testing.assert_allclose(continuation.log_probabilities(temperature), expected, atol=1e-5)


def test_melodies_grow_apart(model):
    continuation = Continuation(model.encoding, model.network, np.array([60, -2]), 2, 16)
    before = continuation.take(np.array([0]))
    continuation.append(np.array([62, -1]))
    continuation = continuation.take(np.array([1, 0, 1]))
    continuation.append(np.array([64, 65, -2]))
    assert continuation.events.tolist() == [[60, -2, -1, 64], [60, -2, 62, 65], [60, -2, -1, -2]]
    expected = expected_log_probabilities(model, continuation.events)
    np.testing.assert_allclose(continuation.log_probabilities(), expected, atol=1e-5)
    assert before.events.tolist() == [[60, -2]]
    before.append(np.array([71]))
    expected = expected_log_probabilities(model, before.events)
    np.testing.assert_allclose(before.log_probabilities(), expected, atol=1e-5)


def test_labels_decode_at_the_next_step(model, random_events):
    encoding = model.encoding
    primer = random_events(4, 6)
    labels = np.arange(encoding.num_labels)
    continuation = Continuation(encoding, model.network, primer, len(labels), 16)
    expected = encoding.label_events().tolist()
    # Distances 2 and 3 before the next step.
    expected += [primer[-2], primer[-3]][: encoding.num_repeats]
    assert continuation.decode(labels).tolist() == expected


def test_repeats_in_bars_follow_the_metre(tiny_model):
    model = tiny_model("lookback", lookback_distances=[1, 2], lookback_unit="bars")
    continuation = Continuation(model.encoding, model.network, np.array([60, 61, 62, 63, 64, 65, 66]), 1, 3)
    assert continuation.repeats.tolist() == [[64, 61]]

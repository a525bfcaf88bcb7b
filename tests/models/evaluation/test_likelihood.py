import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from note_seq import LookbackEventSequenceEncoderDecoder
from note_seq.melody_encoder_decoder import KeyMelodyEncoderDecoder, MelodyOneHotEncoding

from etude.models.encodings.attention import AttentionEncoding
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.evaluation.likelihood import label_log_likelihoods, token_log_likelihoods, token_probabilities
from etude.models.lookback.encoding import LookbackEncoding
from etude.models.melodies.melody import metres
from etude.models.networks.network import log_softmax

LOW, HIGH = 60, 64
DISTANCES = (1, 2, 3)

events_lists = st.lists(st.sampled_from([-2, -1, 60, 61, 62, 63]), min_size=1, max_size=12)
ENCODINGS = {
    "lookback": (
        LookbackEncoding(LOW, HIGH, DISTANCES),
        LookbackEventSequenceEncoderDecoder(MelodyOneHotEncoding(LOW, HIGH), list(DISTANCES)),
    ),
    "attention": (AttentionEncoding(LOW, HIGH, DISTANCES), KeyMelodyEncoderDecoder(LOW, HIGH, list(DISTANCES))),
}


def random_log_probabilities(encoding, events, seed):
    random = np.random.default_rng(seed)
    return log_softmax(random.normal(size=(1, len(events), encoding.num_labels)).astype(np.float32) * 2)


@pytest.mark.parametrize("name", ENCODINGS)
@given(events_lists, st.integers(0, 1000))
def test_event_probabilities_sum_over_every_label_that_means_the_event(name, events, seed):
    encoding, theirs = ENCODINGS[name]
    batch = np.array([events])
    log_probabilities = random_log_probabilities(encoding, events, seed)
    aliases = encoding.aliases(batch, metres(16))
    of_events = token_probabilities(encoding, log_probabilities, aliases)[0]
    of_truth = token_log_likelihoods(encoding, log_probabilities, batch, aliases)[0]
    several = 0
    for step in range(len(events)):
        expected = dict.fromkeys([-2, -1, 60, 61, 62, 63], 0.0)
        labels_of_truth = 0
        for label in range(encoding.num_labels):
            event = theirs.class_index_to_event(label, events[:step])
            expected[event] += np.exp(np.float64(log_probabilities[0, step, label]))
            labels_of_truth += event == events[step]
        several += labels_of_truth > 1
        found = dict(zip(encoding.label_tokens().tolist(), of_events[step], strict=True))
        assert found == pytest.approx(expected, abs=1e-6)
        assert of_truth[step] == pytest.approx(np.log(expected[events[step]]), abs=1e-5)
    np.testing.assert_allclose(of_events.sum(axis=-1), 1, atol=1e-5)
    if len(set(events[-3:])) == 1 and len(events) > 2:
        assert several


@given(events_lists, st.integers(0, 1000))
def test_label_log_likelihoods_are_those_of_the_canonical_labels(events, seed):
    encoding, theirs = ENCODINGS["lookback"]
    log_probabilities = random_log_probabilities(encoding, events, seed)
    labels = encoding.labels(np.array([events]), metres(16))
    found = label_log_likelihoods(log_probabilities, labels)[0]
    for step in range(len(events)):
        assert found[step] == log_probabilities[0, step, theirs.events_to_label(events, step)]


@given(events_lists, st.integers(0, 1000))
def test_without_repeat_labels_events_are_labels(events, seed):
    encoding = OneHotEncoding(LOW, HIGH)
    batch = np.array([events])
    log_probabilities = random_log_probabilities(encoding, events, seed)
    aliases = encoding.aliases(batch, metres(16))
    labels = encoding.labels(batch, metres(16))
    np.testing.assert_array_equal(
        token_log_likelihoods(encoding, log_probabilities, batch, aliases),
        label_log_likelihoods(log_probabilities, labels),
    )
    np.testing.assert_array_equal(token_probabilities(encoding, log_probabilities, aliases), np.exp(log_probabilities))

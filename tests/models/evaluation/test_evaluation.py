import dataclasses
import math

import numpy as np
import pytest

from etude.models.evaluation import evaluation
from etude.models.evaluation.evaluation import (
    MelodySums,
    batch_sums,
    batches_by_length,
    evaluate,
    event_figures,
    label_figures,
    report,
)
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.networks.network import log_softmax

LENGTHS = [20, 1, 7, 20, 2, 33, 0]


@pytest.fixture(params=["basic", "lookback", "attention"])
def model(request, tiny_model):
    return tiny_model(request.param)


@pytest.fixture
def melodies(random_events):
    return MelodySet.of(
        Melody(random_events(seed, length) if length else np.zeros(0, np.int64), steps_per_bar=16)
        for seed, length in enumerate(LENGTHS)
    )


def as_rows(sums):
    return np.stack([getattr(sums, field.name) for field in dataclasses.fields(sums)], axis=1)


def plain_sums(encoding, events, log_probabilities):
    """The sums of one melody, step by step, in plain Python."""
    totals = dict.fromkeys((field.name for field in dataclasses.fields(MelodySums)), 0.0)
    labels = encoding.labels(np.array([events], np.int64), np.array([16]))[0]
    repeats = encoding.repeats(np.array([events], np.int64), np.array([16]))[0]
    for step in range(1, len(events)):
        probabilities = np.exp(log_probabilities[step - 1].astype(np.float64))
        meanings = [*encoding.label_events().tolist(), *repeats[step].tolist()]
        of_events = {}
        for probability, meaning in zip(probabilities, meanings, strict=True):
            of_events[meaning] = of_events.get(meaning, 0.0) + probability
        label, event = labels[step], events[step]
        correct = probabilities.argmax() == label
        totals["num_steps"] += 1
        totals["num_notes"] += event >= 0
        totals["log_likelihood"] += math.log(probabilities[label])
        totals["inverse_probability"] += 1 / probabilities[label]
        totals["correct"] += correct
        totals["event_steps"] += label != encoding.no_event_label
        totals["event_correct"] += correct and label != encoding.no_event_label
        totals["event_log_likelihood"] += math.log(of_events[event])
        totals["most_probable_event_correct"] += max(of_events, key=of_events.get) == event
    return list(totals.values())


def test_sums_equal_a_plain_computation(model, melodies):
    """With random probabilities that favour the true label at about half of the steps."""
    random = np.random.default_rng(1)
    encoding, batch = model.encoding, melodies.batch(np.arange(len(melodies)))
    labels = encoding.labels(batch.events, batch.steps_per_bar)[:, 1:]
    logits = random.normal(size=(*labels.shape, encoding.num_labels)).astype(np.float32)
    logits += 4 * random.integers(0, 2, labels.shape)[..., None] * np.eye(encoding.num_labels, dtype=np.float32)[labels]
    log_probabilities = log_softmax(logits)
    sums = batch_sums(encoding, batch, log_probabilities)
    expected = [
        plain_sums(encoding, melodies.events(row).tolist(), log_probabilities[row]) for row in range(len(melodies))
    ]
    np.testing.assert_allclose(as_rows(sums), expected, rtol=1e-4, atol=1e-5)
    assert sums.num_steps.tolist() == [max(length - 1, 0) for length in LENGTHS]
    assert 0 < sums.event_correct.sum() < sums.correct.sum() < sums.num_steps.sum()
    if encoding.num_repeats:
        assert sums.most_probable_event_correct.sum() != sums.correct.sum()


def test_every_melody_has_its_own_sums_in_order(model, melodies):
    sums = evaluate(model.encoding, melodies, model.log_probabilities)
    for row in range(len(melodies)):
        batch = melodies.batch(np.array([row]))
        inputs = model.encoding.inputs(batch.events[:, :-1], batch.steps_per_bar)
        alone = batch_sums(model.encoding, batch, model.log_probabilities(inputs, batch.num_predicted))
        np.testing.assert_allclose(as_rows(alone)[0], as_rows(sums)[row], rtol=1e-5, atol=1e-6)


def test_event_figures_of_basic_are_its_label_figures(tiny_model, melodies):
    model = tiny_model("basic")
    sums = evaluate(model.encoding, melodies, model.log_probabilities)
    np.testing.assert_array_equal(sums.event_log_likelihood, sums.log_likelihood)
    np.testing.assert_array_equal(sums.most_probable_event_correct, sums.correct)
    figures = report(sums)
    assert figures.event.loss == figures.label.loss
    assert figures.event.perplexity == figures.label.perplexity
    assert figures.event.accuracy == figures.label.accuracy
    assert figures.event.log_likelihood == figures.log_likelihood


def test_events_are_at_least_as_likely_as_their_labels(tiny_model, melodies):
    model = tiny_model("lookback")
    sums = evaluate(model.encoding, melodies, model.log_probabilities)
    assert (sums.event_log_likelihood >= sums.log_likelihood).all()
    assert (sums.event_log_likelihood > sums.log_likelihood + 0.1).any()


def test_batching_does_not_matter(model, melodies, monkeypatch):
    whole = evaluate(model.encoding, melodies, model.log_probabilities)
    for limit in (1, 45, 100):
        monkeypatch.setattr(evaluation, "PADDED_STEPS_PER_BATCH", limit)
        found = evaluate(model.encoding, melodies, model.log_probabilities)
        np.testing.assert_allclose(as_rows(found), as_rows(whole), rtol=1e-5, atol=1e-6)


def test_batches_hold_every_melody_once_and_few_steps(monkeypatch):
    random = np.random.default_rng(0)
    lengths = random.integers(1, 60, 200)
    melodies = MelodySet.of(Melody(np.full(length, -2)) for length in lengths)
    monkeypatch.setattr(evaluation, "PADDED_STEPS_PER_BATCH", 150)
    batches = list(batches_by_length(melodies))
    assert sorted(np.concatenate(batches)) == list(range(200))
    assert all(lengths[batch].max() * len(batch) <= 150 for batch in batches)
    assert len(batches) < 60


def test_progress_counts_the_melodies(model, melodies, monkeypatch):
    monkeypatch.setattr(evaluation, "PADDED_STEPS_PER_BATCH", 45)
    reported = []
    evaluate(
        model.encoding, melodies, model.log_probabilities, lambda done, total, note="": reported.append((done, total))
    )
    assert [done for done, _ in reported] == sorted({done for done, _ in reported})
    assert reported[-1] == (len(LENGTHS), len(LENGTHS))
    assert len(reported) > 1


def test_sums_can_be_joined_and_selected(model, melodies):
    whole = evaluate(model.encoding, melodies, model.log_probabilities)
    first, rest = (
        evaluate(model.encoding, melodies.select(indices), model.log_probabilities)
        for indices in ([0, 1, 2], [3, 4, 5, 6])
    )
    np.testing.assert_allclose(as_rows(first + rest), as_rows(whole), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(as_rows(whole.take(np.array([3, 3, 0]))), as_rows(whole)[[3, 3, 0]])


SUMS = MelodySums(
    num_steps=np.array([4.0, 6.0]),
    num_notes=np.array([1.0, 3.0]),
    log_likelihood=np.array([-4.0, -11.0]),
    inverse_probability=np.array([10.0, 40.0]),
    correct=np.array([1.0, 4.0]),
    event_steps=np.array([2.0, 3.0]),
    event_correct=np.array([0.0, 2.0]),
    event_log_likelihood=np.array([-2.0, -6.0]),
    most_probable_event_correct=np.array([2.0, 5.0]),
)


def test_label_figures():
    figures = label_figures(SUMS)
    assert figures.loss == pytest.approx(1.5)
    assert figures.perplexity == pytest.approx(math.exp(1.5))
    assert figures.accuracy == pytest.approx(0.5)
    assert figures.event_accuracy == pytest.approx(2 / 5)
    assert figures.no_event_accuracy == pytest.approx(3 / 5)
    assert figures.mean_inverse_probability == pytest.approx(5.0)


def test_event_figures():
    figures = event_figures(SUMS)
    assert figures.loss == pytest.approx(0.8)
    assert figures.perplexity == pytest.approx(math.exp(0.8))
    assert figures.accuracy == pytest.approx(0.7)
    assert figures.log_likelihood == pytest.approx(-4.0)
    assert figures.bits_per_note == pytest.approx(8 / math.log(2) / 4)


def test_report_counts():
    figures = report(SUMS)
    assert (figures.num_melodies, figures.num_steps, figures.num_notes) == (2, 10, 4)
    assert figures.log_likelihood == pytest.approx(-7.5)


def test_accuracies_over_no_steps_are_zero():
    nothing = dataclasses.replace(SUMS, event_steps=np.zeros(2), event_correct=np.zeros(2), num_notes=np.zeros(2))
    assert label_figures(nothing).event_accuracy == 0
    assert event_figures(nothing).bits_per_note == 0

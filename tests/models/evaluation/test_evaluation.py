import numpy as np

from etude.models.evaluation import evaluation
from etude.models.evaluation.evaluation import batches_by_length, evaluate
from etude.models.evaluation.figures import report
from etude.models.evaluation.statistics import Prediction, batch_sums


def as_rows(sums):
    return np.stack(list(sums.values.values()), axis=1)


def test_every_sequence_has_its_own_sums_in_order(model, melodies):
    sums = evaluate(model.encoding, melodies, model.predict)
    for row in range(len(melodies)):
        batch = melodies.batch(np.array([row]))
        alone = batch_sums(Prediction(model.encoding, batch, model.predict(batch)))
        np.testing.assert_allclose(as_rows(alone)[0], as_rows(sums)[row], rtol=1e-5, atol=1e-6)


def test_event_figures_of_basic_are_its_label_figures(tiny_model, melodies):
    model = tiny_model("basic")
    sums = evaluate(model.encoding, melodies, model.predict)
    np.testing.assert_array_equal(sums["token_log_likelihood"], sums["log_likelihood"])
    np.testing.assert_array_equal(sums["token_correct"], sums["correct"])
    figures = report(sums.totals(), "event")
    for name in ("loss", "perplexity", "accuracy"):
        assert figures["event"][name] == figures["label"][name]
    assert figures["event"]["log_likelihood"] == figures["log_likelihood"]


def test_events_are_at_least_as_likely_as_their_labels(tiny_model, melodies):
    model = tiny_model("lookback")
    sums = evaluate(model.encoding, melodies, model.predict)
    assert (sums["token_log_likelihood"] >= sums["log_likelihood"]).all()
    assert (sums["token_log_likelihood"] > sums["log_likelihood"] + 0.1).any()


def test_batching_does_not_matter(model, melodies, monkeypatch):
    whole = evaluate(model.encoding, melodies, model.predict)
    for limit in (1, 45, 100):
        monkeypatch.setattr(evaluation, "PADDED_STEPS_PER_BATCH", limit)
        found = evaluate(model.encoding, melodies, model.predict)
        np.testing.assert_allclose(as_rows(found), as_rows(whole), rtol=1e-5, atol=1e-6)


def test_sums_of_parts_are_those_of_the_whole(model, melodies):
    whole = evaluate(model.encoding, melodies, model.predict)
    first, rest = (
        evaluate(model.encoding, melodies.select(indices), model.predict) for indices in ([0, 1, 2], [3, 4, 5, 6])
    )
    np.testing.assert_allclose(as_rows(first + rest), as_rows(whole), rtol=1e-5, atol=1e-6)


def test_batches_hold_every_sequence_once_and_few_steps(monkeypatch):
    lengths = np.random.default_rng(0).integers(1, 60, 200)
    monkeypatch.setattr(evaluation, "PADDED_STEPS_PER_BATCH", 150)
    batches = list(batches_by_length(lengths))
    assert sorted(np.concatenate(batches)) == list(range(200))
    assert all(lengths[batch].max() * len(batch) <= 150 for batch in batches)
    assert len(batches) < 60


def test_progress_counts_the_sequences(model, melodies, monkeypatch):
    monkeypatch.setattr(evaluation, "PADDED_STEPS_PER_BATCH", 45)
    reported = []
    evaluate(
        model.encoding,
        melodies,
        model.predict,
        progress=lambda done, total, note="": reported.append((done, total)),
    )
    assert [done for done, _ in reported] == sorted({done for done, _ in reported})
    assert reported[-1] == (len(melodies), len(melodies))
    assert len(reported) > 1

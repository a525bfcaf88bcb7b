import math

import numpy as np
import pytest

from etude.models.evaluation.statistics import Prediction, Sums, batch_sums, join
from etude.models.networks.network import log_softmax
from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown


@pytest.fixture
def prediction(encoding_and_batch):
    """Random probabilities that favour the true label at about half of the steps."""
    encoding, batch = encoding_and_batch
    random = np.random.default_rng(1)
    labels = encoding.labels(batch.tokens, batch.attributes)[:, 1:]
    logits = random.normal(size=(*labels.shape, encoding.num_labels)).astype(np.float32)
    logits += 6 * random.integers(0, 2, labels.shape)[..., None] * np.eye(encoding.num_labels, dtype=np.float32)[labels]
    return Prediction(encoding, batch, log_softmax(logits))


def plain_sums(prediction, row, keep=lambda step: True):
    """The sums of one sequence, step by step, in plain Python."""
    encoding, batch = prediction.encoding, prediction.batch
    tokens = batch.tokens[row, : batch.lengths[row]].tolist()
    attributes = {name: values[row : row + 1] for name, values in batch.attributes.items()}
    labels = encoding.labels(np.array([tokens], np.int64), attributes)[0]
    aliases = encoding.aliases(np.array([tokens], np.int64), attributes)[0]
    totals = dict.fromkeys(
        ["num_steps", "log_likelihood", "inverse_probability", "correct", "token_log_likelihood", "token_correct"], 0.0
    )
    for kind in encoding.label_masks():
        totals |= {f"{kind}:num": 0.0, f"{kind}:correct": 0.0}
    totals |= {"note:num": 0.0, "note:log_likelihood": 0.0, "note:correct": 0.0}
    for step in range(1, len(tokens)):
        if not keep(step):
            continue
        probabilities = np.exp(prediction.log_probabilities[row, step - 1].astype(np.float64))
        meanings = [*encoding.label_tokens().tolist(), *aliases[step].tolist()]
        of_tokens = {}
        for probability, meaning in zip(probabilities, meanings, strict=True):
            of_tokens[meaning] = of_tokens.get(meaning, 0.0) + probability
        label, token = labels[step], tokens[step]
        correct, token_correct = probabilities.argmax() == label, max(of_tokens, key=of_tokens.get) == token
        totals["num_steps"] += 1
        totals["log_likelihood"] += math.log(probabilities[label])
        totals["inverse_probability"] += 1 / probabilities[label]
        totals["correct"] += correct
        totals["token_log_likelihood"] += math.log(of_tokens[token])
        totals["token_correct"] += token_correct
        for kind, mask in encoding.label_masks().items():
            totals[f"{kind}:num"] += mask[label]
            totals[f"{kind}:correct"] += mask[label] and correct
        if token >= 0 if encoding.unit == "event" else token % 3 == 0:
            totals["note:num"] += 1
            totals["note:log_likelihood"] += math.log(of_tokens[token])
            totals["note:correct"] += token_correct
    return totals


def test_sums_equal_a_plain_computation(prediction):
    sums = batch_sums(prediction)
    expected = [plain_sums(prediction, row) for row in range(len(sums))]
    for name in expected[0]:
        found = [one[name] for one in expected]
        np.testing.assert_allclose(sums[name], found, rtol=1e-4, atol=1e-5, err_msg=name)
    assert sums.values.keys() == expected[0].keys()
    totals = sums.totals()
    assert totals["num_sequences"] == len(prediction.batch.lengths)
    assert 0 < totals["note:num"] < totals["num_steps"] == np.maximum(prediction.batch.lengths - 1, 0).sum()
    assert 0 < totals["note:correct"] < totals["correct"] < totals["num_steps"]
    if prediction.encoding.num_aliases:
        assert totals["token_correct"] != totals["correct"]


def test_sums_by_category_equal_a_plain_computation(prediction):
    """Steps in four categories by their number; every fourth is in none."""

    def index(batch: Batch):
        steps = np.arange(1, batch.tokens.shape[1]) % 4 - 1
        return np.broadcast_to(steps, (len(batch.lengths), len(steps)))

    sums = batch_sums(prediction, [Breakdown("number", "Number of the step", ("a", "b", "c"), index)]).of("number")
    for row in range(len(prediction.batch.lengths)):
        for category in range(3):
            expected = plain_sums(prediction, row, lambda step, number=category + 1: step % 4 == number)
            for name, values in sums.items():
                assert values[row, category] == pytest.approx(expected[name], rel=1e-4, abs=1e-5), name


def test_sums_add_up_over_any_partition(prediction):
    whole = batch_sums(prediction)
    random = np.random.default_rng(2)
    for parts in (1, 2, 5):
        share = random.integers(parts, size=len(whole))
        pieces = [whole.take(np.flatnonzero(share == part)) for part in range(parts)]
        for name, total in whole.totals().items():
            assert sum(piece.totals()[name] for piece in pieces) == pytest.approx(total), name


def test_joined_sums_keep_their_order():
    first, second = Sums({"num_steps": np.array([1.0, 2.0])}), Sums({"num_steps": np.array([3.0])})
    assert (first + second)["num_steps"].tolist() == [1, 2, 3]
    assert join([second, first]).take(np.array([2, 0, 0]))["num_steps"].tolist() == [2, 3, 3]

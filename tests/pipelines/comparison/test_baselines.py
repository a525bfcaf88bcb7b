import collections
import math

import numpy as np
import pytest

from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.figures import figures
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.pipelines.comparison.baselines import fit_baselines
from etude.pipelines.comparison.breakdowns import breakdowns

ENCODING = OneHotEncoding(60, 72)
NUM_EVENTS = 14


def random_melodies(seed, count):
    random = np.random.default_rng(seed)
    return [
        Melody(random.choice([-2, -2, -1, 60, 62, 64, 71], size=random.integers(2, 40)), steps_per_bar=bar)
        for bar in random.choice([6, 8], size=count)
    ]


TRAIN = random_melodies(0, 30)
EVAL = random_melodies(1, 12)
BASELINES = {baseline.name: baseline for baseline in fit_baselines(ENCODING, MelodySet.of(TRAIN))}


def pairs(melodies):
    return [
        (melody, step, int(melody.events[step - 1]), int(melody.events[step]))
        for melody in melodies
        for step in range(1, len(melody.events))
    ]


def bar_ago(melody, step):
    return int(melody.events[step - melody.steps_per_bar]) if step >= melody.steps_per_bar else -2


def figures_of(name):
    return figures(evaluate(ENCODING, MelodySet.of(EVAL), BASELINES[name].predict).totals(), "event")


def expected_probability(name, melody, step, before, event):
    """By counting, one step after the other."""
    if name == "unigram":
        counts = collections.Counter(event for *_, event in pairs(TRAIN))
        return (counts[event] + 1) / (counts.total() + NUM_EVENTS)
    if name == "bigram":
        follows = collections.Counter(event for _, _, other, event in pairs(TRAIN) if other == before)
        return (follows[event] + 1) / (follows.total() + NUM_EVENTS)
    hits = [bar_ago(melody, step) == event for melody, step, _, event in pairs(TRAIN)]
    rate = (sum(hits) + 1) / (len(hits) + 2)
    return rate if bar_ago(melody, step) == event else (1 - rate) / (NUM_EVENTS - 1)


@pytest.mark.parametrize("name", ["unigram", "bigram", "repeat_bar"])
def test_likelihood_by_counting(name):
    nats = -sum(math.log(expected_probability(name, *pair)) for pair in pairs(EVAL))
    found = figures_of(name)
    assert found["event.loss"] == pytest.approx(nats / len(pairs(EVAL)), rel=1e-6)
    assert found["event.loss"] == found["label.loss"]


@pytest.mark.parametrize("name", BASELINES)
def test_probabilities_sum_to_one(name):
    batch = MelodySet.of(EVAL).batch(np.arange(len(EVAL)))
    assert np.exp(BASELINES[name].predict(batch)).sum(axis=-1) == pytest.approx(1.0, abs=1e-5)


def test_accuracy_of_no_event():
    found = figures_of("no_event")
    assert found["event.accuracy"] == np.mean([event == -2 for *_, event in pairs(EVAL)])
    assert found["label.no_event_accuracy"] == 1.0
    assert found["label.event_accuracy"] == 0.0
    assert not BASELINES["no_event"].has_likelihood


def test_accuracy_of_repeating_the_last_bar():
    found = figures_of("repeat_bar")
    assert found["event.accuracy"] == np.mean(
        [bar_ago(melody, step) == event for melody, step, _, event in pairs(EVAL)]
    )


def test_categories_add_up_to_the_whole():
    melodies = MelodySet.of(EVAL)
    divisions = breakdowns(melodies, 4)
    sums = evaluate(ENCODING, melodies, BASELINES["bigram"].predict, divisions)
    positions = [division.name for division in divisions if division.name.startswith("position")]
    others = [[division.name] for division in divisions if division.name not in positions]
    assert len(positions) == 2
    for names in (*others, positions):
        for statistic in ("num_steps", "token_log_likelihood", "token_correct"):
            found = sum(sums.of(name)[statistic].sum(axis=1) for name in names)
            assert found == pytest.approx(sums[statistic], rel=1e-5)

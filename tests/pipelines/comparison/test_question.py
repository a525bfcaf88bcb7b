"""Answers from figures that are made up."""

import math
from dataclasses import replace

import pytest

from etude.pipelines.comparison.learning_curves import LearningCurve
from etude.pipelines.comparison.music.samples import MEASURES, REAL
from etude.pipelines.comparison.presentation import Presentation, Sweep
from etude.pipelines.comparison.question import Answers
from etude.pipelines.comparison.results.results import ConfigurationResult, PairResult, SamplesResult, Verdict
from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.comparison.words import MELODIES, Words

WORDS = Words("token", "character", "character", "tune", "tunes")
GENERAL = Verdict("Something comes first.", "It is sure.", ["All are better than chance."])
BIT = math.log(2)
LOSSES = {"lstm": 1.0, "gru": 1.0 + BIT / 100, "rnn": 1.0 + BIT / 2, "ngram": 1.0 + BIT}
EQUAL = ({"lstm", "gru"},)
LEVEL, FALLING = (2.0, 1.5, 1.5, 1.5, 1.5, 1.5), (2.5, 2.4, 2.3, 2.2, 2.1, 2.0)


def curve(losses):
    steps = tuple(range(10, 10 * len(losses) + 1, 10))
    minutes = tuple(float(step) for step in steps)
    return LearningCurve(steps, minutes, losses, train=((10, 3.0),), steps_per_epoch=5.0)


def answers(losses=LOSSES, curves=None, samples=()):
    configurations = {
        name: ConfigurationResult(
            name=name, title=name.upper(), config=name, domain="tunes", hyperparameters={}, changed=[],
            num_training_steps=None, figures={"token.loss": Estimate(loss, (loss - 0.1, loss + 0.1))}, spread={},
            best_baseline="bigram", nats_over_baseline=Estimate(0.1, (0.05, 0.15)), runs=[None] * 3, words=WORDS,
        )
        for name, loss in losses.items()
    }  # fmt: skip
    names = sorted(losses, key=losses.get)
    pairs = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            nats = losses[second] - losses[first]
            is_told_apart = {first, second} not in EQUAL
            interval = (0.5 * nats, 2 * nats) if is_told_apart else (-nats, nats)
            estimate = Estimate(nats, interval)
            p_value = 0.0001 if is_told_apart else 0.4
            pairs.append(
                PairResult(first, second, "tunes", estimate, Estimate(None), p_value, p_value, False, is_told_apart)
            )
    return Answers(configurations, pairs, {} if curves is None else curves, samples)


def test_nothing_in_particular_was_asked():
    assert answers().answer(GENERAL, Presentation()) == GENERAL


def test_pairs_in_bits_with_their_intervals():
    contrasts = [("rnn", "lstm"), ("lstm", "gru"), ("lstm", "ngram")]
    found = answers().answer(GENERAL, Presentation(contrasts=contrasts))
    assert found.headline == "LSTM beats RNN by 0.500 (0.250 to 1.000) bits a character."
    assert found.sentences == [
        "LSTM and GRU cannot be told apart: the difference is 0.010 (\u22120.010 to 0.010) bits a character; p = 0.400.",
        "LSTM beats NGRAM by 1.000 (0.500 to 2.000) bits a character.",
        *GENERAL.sentences,
    ]
    assert "over the seeds (3 of each configuration)" in found.sureness


def test_pairs_of_melodies_in_bits_a_note():
    known = answers()
    configurations = {name: replace(one, words=MELODIES) for name, one in known.configurations.items()}
    pairs = [replace(pair, bits_per_note=Estimate(2.5, (1.5, 3.5))) for pair in known.pairs]
    asked = Presentation(contrasts=[("rnn", "lstm"), ("lstm", "gru")])
    found = replace(known, configurations=configurations, pairs=pairs).answer(GENERAL, asked)
    assert found.headline == "LSTM beats RNN by 2.500 (1.500 to 3.500) bits a note."
    assert found.sentences[0] == (
        "LSTM and GRU cannot be told apart: the difference is 2.500 (1.500 to 3.500) bits a note; p = 0.400."
    )
    of_text = replace(known, pairs=pairs).answer(GENERAL, asked)
    assert of_text.headline == "LSTM beats RNN by 0.500 (0.250 to 1.000) bits a character."


def test_settings_one_at_a_time():
    sweeps = [
        Sweep("Cell", (("lstm", "lstm"), ("gru", "gru"), ("rnn", "rnn"))),
        Sweep("Kind", (("network", "rnn"), ("counts", "ngram"))),
    ]
    found = answers().answer(GENERAL, Presentation(sweeps=sweeps))
    assert found.headline == "The change that gains most: LSTM beats RNN by 0.500 (0.250 to 1.000) bits a character."
    assert found.sentences[:2] == [
        "Cell: lstm is best, at 1.000 nats a character; gru cannot be told apart from it; rnn is worst, by 0.500 (0.250 to "
        "1.000) bits a character.",
        "Kind: network is best, at 1.347 nats a character; counts is worst, by 0.500 (0.250 to 1.000) bits a character.",
    ]
    base = [Sweep("Cell", (("lstm", "lstm"), ("gru", "gru"))), Sweep("Kind", (("lstm", "lstm"), ("counts", "ngram")))]
    headline = answers().answer(GENERAL, Presentation(sweeps=base)).headline
    assert headline == "No single change is better than LSTM beyond doubt."


def test_the_published_order():
    published = {"lstm": {"loss": 1.6}, "rnn": {"loss": 2.1}, "gru": {"accuracy": 0.5}}
    asked = Presentation(contrasts=[("lstm", "rnn")], published=published)
    beside = (
        "Nats a character, on other music: LSTM 1.000 (0.900 to 1.100), published 1.600; RNN 1.347 (1.247 to 1.447), "
    )
    assert f"{beside}published 2.100." in answers().answer(GENERAL, asked).sentences
    assert "The published order holds: LSTM before RNN." in answers().answer(GENERAL, asked).sentences
    turned = answers({**LOSSES, "rnn": 0.5}).answer(GENERAL, asked)
    order = "The published order, LSTM before RNN, does not hold: here it is RNN before LSTM."
    assert order in turned.sentences


def test_what_counts():
    asked = Presentation(contrasts=[("lstm", "rnn")], floor="ngram")
    counted = LearningCurve((1,), (0.1,), (1.7,))
    level = {"lstm": [curve(LEVEL)], "rnn": [curve(LEVEL)], "ngram": [counted]}
    found = answers(curves=level).answer(GENERAL, asked)
    assert found.headline.startswith("LSTM beats RNN")
    assert found.sentences[0].startswith("This counts: the loss of every run has levelled off")
    assert "LSTM beats NGRAM by 1.000" in found.sentences[0]


def test_a_comparison_without_a_floor_may_have_to_level_off():
    asked = Presentation(is_to_level=True)
    found = answers(curves={"lstm": [curve(LEVEL)]}).answer(GENERAL, asked)
    assert found.headline == GENERAL.headline
    assert found.sentences == ["This counts: the loss of every run has levelled off.", *GENERAL.sentences]
    falling = answers(curves={"rnn": [curve(FALLING)]}).answer(GENERAL, asked)
    assert falling.headline == f"Unfinished: {GENERAL.headline}"
    assert answers(curves={"rnn": [curve(FALLING)]}).answer(GENERAL, Presentation()) == GENERAL


@pytest.mark.parametrize(
    ("losses", "curves", "lack"),
    [
        (
            LOSSES,
            {"rnn": [curve(LEVEL), curve(FALLING)]},
            "still fell by 0.400 nats over the last 5 evaluations). It lacks 80 epochs",
        ),
        (LOSSES, {"rnn": [curve((2.0, 1.9))]}, "RNN has too few evaluations to tell"),
        ({**LOSSES, "ngram": 0.9}, {}, "LSTM (1.000 nats a character) does not beat NGRAM (0.900)"),
    ],
)
def test_what_does_not(losses, curves, lack):
    asked = Presentation(contrasts=[("lstm", "rnn")], floor="ngram")
    found = answers(losses, curves).answer(GENERAL, asked)
    assert found.headline.startswith("Unfinished: LSTM beats RNN")
    assert found.sentences[0].startswith("This is unfinished, and does not count yet: ")
    assert lack in found.sentences[0]


def sampled(label, configuration="lstm", **shares):
    figures = {name: Estimate(shares.get(name, 0.0), (0.0, 1.0)) for name in MEASURES}
    return SamplesResult(label, configuration, 10, figures)


def test_ways_of_sampling():
    samples = [
        sampled("Temperature 1", whole=0.4),
        sampled("Arg-max", whole=0.1, loops=0.8),
        sampled(REAL, whole=0.9),
        sampled("Temperature 1", "ngram", whole=1.0),
    ]
    found = answers(samples=samples).answer(GENERAL, Presentation())
    assert found.headline == (
        "Temperature 1 writes most whole tunes: 40% (0% to 100%) end, with every bar and repeat right; of real tunes 90% (0% "
        "to 100%); arg-max ends in a loop most often, in 80% (0% to 100%)."
    )
    assert [sentence.partition(":")[0] for sentence in found.sentences[:3]] == ["Temperature 1", "Arg-max", REAL]

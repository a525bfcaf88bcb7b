from etude.pipelines.comparison.results.results import BaselineResult, ConfigurationResult, PairResult
from etude.pipelines.comparison.results.verdict import verdict
from etude.pipelines.comparison.statistics.figures import Estimate

SPACE = "pitches 48 to 83, key 0"


def configuration(name, loss, over_baseline=(0.1, 0.2), domain=SPACE):
    return ConfigurationResult(
        name=name,
        title=name.title(),
        config=name,
        domain=domain,
        hyperparameters={},
        changed=[],
        num_training_steps=10,
        figures={"event.loss": Estimate(loss, (loss - 0.1, loss + 0.1))},
        spread={},
        best_baseline="bigram",
        nats_over_baseline=Estimate(sum(over_baseline) / 2, over_baseline),
        runs=[],
    )


def pair(first, second, is_told_apart):
    return PairResult(
        first=first,
        second=second,
        domain=SPACE,
        nats_per_step=Estimate(0.2, (0.1, 0.3) if is_told_apart else (-0.1, 0.5)),
        bits_per_note=Estimate(0.5, (0.2, 0.8)),
        p_value=0.001,
        p_value_corrected=0.002 if is_told_apart else 0.4,
        is_exact=False,
        is_told_apart=is_told_apart,
    )


BASELINES = [
    BaselineResult("no_event", "Always", "", SPACE, {"event.loss": Estimate(None), "event.accuracy": Estimate(0.643)}),
    BaselineResult("bigram", "Bigram", "", SPACE, {"event.loss": Estimate(1.9), "event.accuracy": Estimate(0.65)}),
]
A, B, C = configuration("a", 1.0), configuration("b", 1.2), configuration("c", 1.4)


def test_a_clear_winner():
    found = verdict(
        [C, B, A], BASELINES, [pair("a", "b", True), pair("a", "c", True), pair("b", "c", False)], {"melody": "f"}
    )
    assert found.headline == "A predicts melodies best: by 0.200 nats a step (0.500 bits a note) over B."
    assert "between 0.100 and 0.300 nats a step (95% interval); p = 0.002 after correction for 3" in found.sureness
    # The table of pairs has each pair, so that no sentence says it once more.
    assert not [sentence for sentence in found.sentences if "told apart" in sentence or "B " in sentence]
    assert "All are better than the best simple rule, “bigram” at 1.900 nats a step." in found.sentences
    assert "Always answering “no event” is right at 64.3% of the steps: read accuracies beside that." in found.sentences


def test_two_equals_before_the_rest():
    found = verdict(
        [A, B, C], BASELINES, [pair("a", "b", False), pair("a", "c", True), pair("b", "c", True)], {"melody": "f"}
    )
    assert found.headline == "A comes first but cannot be told apart from B; it predicts better than C."


def test_all_equal():
    pairs = [pair("a", "b", False), pair("a", "c", False), pair("b", "c", False)]
    assert (
        verdict([A, B, C], BASELINES, pairs, {"melody": "f"}).headline
        == "A comes first but cannot be told apart from B and C."
    )


def test_one_alone_that_is_no_better_than_a_baseline():
    found = verdict([configuration("a", 1.0, (-0.1, 0.3))], BASELINES, [], {"melody": "f"})
    assert found.headline == "A predicts melodies at 1.000 nats a step."
    assert found.sentences[0].startswith("A is not clearly better than the best simple rule")


def test_many_are_counted():
    d = configuration("d", 1.6)
    pairs = [pair(*names, False) for names in ("ab", "ac", "ad", "bc", "bd", "cd")]
    found = verdict([A, B, C, d], BASELINES, pairs, {"melody": "f"})
    assert found.headline == "A comes first but cannot be told apart from 3 others."


def test_without_the_no_event_baseline():
    found = verdict([A], BASELINES[1:], [], {"melody": "f"})
    assert "It is better than the best simple rule, “bigram” at 1.900 nats a step." in found.sentences
    assert not any("no event" in sentence for sentence in found.sentences)

import json

import numpy as np
import pytest
from scipy import stats

from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.comparison.learning_curves import LearningCurve, learning_curve, not_converged, working_minutes


def curve(losses, every=25):
    return LearningCurve(tuple(every * (n + 1) for n in range(len(losses))), (0.0,) * len(losses), tuple(losses))


def test_learning_curve_of_a_run(trained):
    curve = learning_curve(trained.runs["basic-0"])
    lines = [json.loads(line) for line in (trained.runs["basic-0"] / "metrics.jsonl").read_text().splitlines()]
    evaluations = [line for line in lines if line["split"] == "eval"]
    assert curve.steps == (20, 40)
    assert curve.losses == tuple(line["event"]["loss"] for line in evaluations)
    assert curve.eval_label == tuple((line["step"], line["label"]["loss"]) for line in evaluations)
    trained_on = [line for line in lines if line["split"] == "train"]
    assert curve.train == tuple((line["step"], line["label"]["loss"]) for line in trained_on)
    assert curve.minutes[1] - curve.minutes[0] == pytest.approx(
        (evaluations[1]["wall_time"] - evaluations[0]["wall_time"]) / 60
    )


def test_pauses_are_no_work():
    times = np.array([0.0, 6.0, 12.0, 18.0, 5000.0, 5006.0])
    assert working_minutes(times) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert working_minutes(np.zeros(0)).size == 0


def test_a_loss_that_falls_is_not_converged():
    falling = curve([2.2, 2.0, 1.9, 1.8, 1.72, 1.66])
    line = stats.linregress(falling.steps[1:], falling.losses[1:])
    assert falling.fall() == pytest.approx(-line.slope * 100)
    sentence = not_converged({"Basic RNN": [falling], "Lookback RNN": [curve([2.0, 1.5, 1.5, 1.5, 1.5, 1.5])]})
    assert "Basic RNN by 0.344 nats" in sentence
    assert "Lookback" not in sentence


@pytest.mark.parametrize(
    "losses",
    [
        [1.5] * 6,
        [2.0, 1.8, 1.9],  # too few to tell
        [2.0, 1.5, 1.6, 1.7, 1.8, 1.9],  # rises
        [2.0, 1.5, 1.52, 1.49, 1.51, 1.5],  # wavers
        [1.5, 1.4999, 1.4998, 1.4997, 1.4996],  # falls by less than is shown
    ],
)
def test_others_are(losses):
    assert curve(losses).fall() == 0
    assert not_converged({"Basic RNN": [curve(losses)]}) == ""


def test_of_several_runs_the_one_that_falls_most_counts():
    sentence = not_converged({"Basic RNN": [curve([1.5] * 5), curve([1.9, 1.8, 1.7, 1.6, 1.5])]})
    assert "Basic RNN by 0.400 nats" in sentence


def test_chance_alone_is_seldom_taken_for_a_fall():
    random = np.random.default_rng(0)
    falls = [curve(1.5 + 0.05 * random.normal(size=8)).fall() > 0 for _ in range(1000)]
    assert np.mean(falls) == pytest.approx(0.05, abs=0.02)


def test_what_a_run_lacks():
    """The fall of 0.4 nats over five evaluations halves eight times until it is below 0.002."""
    falling = curve([1.9, 1.8, 1.7, 1.6, 1.5])
    assert 0.4 / 2**8 < 0.002 < 0.4 / 2**7
    assert falling.lacking_steps() == 8 * 5 * 25
    assert curve([1.5] * 5).lacking_steps() == 0
    assert curve([1.9, 1.5]).lacking_steps() == 2 * 25


def test_a_loss_that_is_a_huge_whole_number_is_a_number(tmp_path):
    line = {"split": "eval", "step": 1, "label": {"loss": 10**30}, "event": {"loss": 10**30}, "wall_time": 1.0}
    RunDirectory(tmp_path).metrics.write_text(json.dumps(line) + "\n")
    curve = learning_curve(tmp_path)
    assert np.isfinite(curve.losses).all()
    assert np.isfinite(curve.eval_label).all()

"""How the loss of a run fell while it trained, and whether it was still falling in the end."""

import dataclasses
import math
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.evaluation.figures import token_figures
from etude.models.storage.metrics import EVAL, TRAIN, read_metrics
from etude.models.storage.run_directory import RunDirectory

WINDOW = 5
"""Evaluations that the slope test looks at: the last ones."""

ALPHA = 0.05
SMALLEST_FALL = 0.002
"""In nats over the window; less would change no figure that is shown."""

_FEWEST = 4
"""Fewer evaluations say nothing about a slope."""

_PAUSE = 60.0
"""A gap between two lines that is longer than this many seconds, and than ten usual gaps, is a pause of the run."""

Points = tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class LearningCurve:
    """The evaluations of a run, in order.

    Attributes:
      steps: training steps.
      minutes: of work until then, pauses left out.
      losses: event loss on the eval split.
      eval_label: step and label loss on the eval split.
      train: step and label loss on the batches of training, with dropout.
      steps_per_epoch: training steps in which all of the train split is seen; 0 where that is unknown.
    """

    steps: tuple[int, ...]
    minutes: tuple[float, ...]
    losses: tuple[float, ...]
    eval_label: Points = ()
    train: Points = ()
    steps_per_epoch: float = 0.0

    def fall(self) -> float:
        """By how many nats the loss still fell over the last evaluations; 0 where it did not, or too few tell.

        A slope test: the line of least squares through them falls, more than chance would explain.
        """
        from scipy import stats

        steps, losses = self.steps[-WINDOW:], self.losses[-WINDOW:]
        if len(steps) < _FEWEST or len(set(losses)) == 1:
            return 0.0
        line = stats.linregress(steps, losses, alternative="less")
        fall = -float(line.slope) * (steps[-1] - steps[0])
        return fall if line.pvalue < ALPHA and fall >= SMALLEST_FALL else 0.0

    def lacking_steps(self) -> int:
        """Training steps until the loss has levelled off, if its fall halves every `WINDOW` evaluations; 0 where it has.

        Where too few evaluations tell, those that are lacking.
        """
        every = self.steps[0] if len(self.steps) == 1 else (self.steps[-1] - self.steps[0]) // (len(self.steps) - 1)
        if len(self.steps) < _FEWEST:
            return (_FEWEST - len(self.steps)) * every
        fall = self.fall()
        return 0 if not fall else max(1, math.ceil(math.log2(fall / SMALLEST_FALL))) * WINDOW * every


def learning_curve(run: pathlib.Path) -> LearningCurve | None:
    """The curve of a run directory; None where there are no metrics, as with a bundle."""
    lines = read_metrics(RunDirectory(run).metrics) if run.is_dir() else []
    times = working_minutes(np.array([line["wall_time"] for line in lines]))
    evaluations = [(line, minutes) for line, minutes in zip(lines, times, strict=True) if line["split"] == EVAL]
    if not evaluations:
        return None
    points = {
        split: tuple((line["step"], float(line["label"]["loss"])) for line in lines if line["split"] == split)
        for split in (TRAIN, EVAL)
    }
    return LearningCurve(
        steps=tuple(line["step"] for line, _ in evaluations),
        minutes=tuple(float(minutes) for _, minutes in evaluations),
        losses=tuple(float(token_figures(line)["loss"]) for line, _ in evaluations),
        eval_label=points[EVAL],
        train=points[TRAIN],
        steps_per_epoch=next((line["step"] / line["epoch"] for line in lines if line.get("epoch")), 0.0),
    )


def not_converged(curves: Mapping[str, Sequence[LearningCurve]]) -> str:
    """A sentence about the configurations whose loss was still falling when training ended; empty if there are none.

    Args:
      curves: of the runs of each configuration, by its title.
    """
    falls = {title: max(curve.fall() for curve in found) for title, found in curves.items()}
    falling = {title: fall for title, fall in falls.items() if fall > 0}
    if not falling:
        return ""
    named = ", ".join(f"{title} by {fall:.3f} nats" for title, fall in falling.items())
    return (
        f"Not converged: over the last {WINDOW} evaluations the loss was still falling ({named}). Longer training would "
        "change these figures, and may change who comes first."
    )


def working_minutes(wall_times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Minutes since the first line; a pause, as of a run that was killed and resumed, counts as a usual gap."""
    gaps = np.diff(wall_times)
    if not gaps.size:
        return np.zeros(len(wall_times))
    usual = float(np.median(gaps))
    is_pause = gaps > max(_PAUSE, 10 * usual)
    return np.concatenate([[0.0], np.cumsum(np.where(is_pause, usual, gaps))]) / 60

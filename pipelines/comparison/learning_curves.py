"""How the event loss of a run fell while it trained."""

import dataclasses
import pathlib

import numpy as np
import numpy.typing as npt

from etude.models.evaluation.figures import token_figures
from etude.models.storage.metrics import EVAL, read_metrics
from etude.models.storage.run_directory import RunDirectory

_PAUSE = 60.0
"""A gap between two lines that is longer than this many seconds, and than ten usual gaps, is a pause of the run."""


@dataclasses.dataclass(frozen=True)
class LearningCurve:
    """The evaluations of a run, in order.

    Attributes:
      steps: training steps.
      minutes: of work until then, pauses left out.
      losses: event loss on the eval split.
    """

    steps: tuple[int, ...]
    minutes: tuple[float, ...]
    losses: tuple[float, ...]


def learning_curve(run: pathlib.Path) -> LearningCurve | None:
    """The curve of a run directory; None where there are no metrics, as with a bundle."""
    lines = read_metrics(RunDirectory(run).metrics) if run.is_dir() else []
    times = working_minutes(np.array([line["wall_time"] for line in lines]))
    evaluations = [(line, minutes) for line, minutes in zip(lines, times, strict=True) if line["split"] == EVAL]
    if not evaluations:
        return None
    return LearningCurve(
        steps=tuple(line["step"] for line, _ in evaluations),
        minutes=tuple(float(minutes) for _, minutes in evaluations),
        losses=tuple(token_figures(line)["loss"] for line, _ in evaluations),
    )


def working_minutes(wall_times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Minutes since the first line; a pause, as of a run that was killed and resumed, counts as a usual gap."""
    gaps = np.diff(wall_times)
    if not gaps.size:
        return np.zeros(len(wall_times))
    usual = float(np.median(gaps))
    is_pause = gaps > max(_PAUSE, 10 * usual)
    return np.concatenate([[0.0], np.cumsum(np.where(is_pause, usual, gaps))]) / 60

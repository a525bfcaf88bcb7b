"""A budget in minutes as a number of steps, settled once so that a run that resumes ends at the same step."""

import itertools
import re
import statistics
from collections.abc import Callable
from typing import Any

from etude.models.errors import EtudeError
from etude.models.storage.files import write_text
from etude.models.storage.metrics import EVAL, TRAIN, read_metrics
from etude.models.storage.run_directory import RunDirectory

FILE = "budget.txt"

FIRST_TRIAL_STEPS = 20
"""Steps that say roughly how fast a run is; no run is shorter."""

SECOND_TRIAL_STEPS, SECOND_TRIAL_SHARE = 80, 0.1
"""Steps, and the share of the budget, after which the speed is known well enough."""


def steps_within(minutes: float, run: RunDirectory, eval_every: int, train_until: Callable[[int], None]) -> int:
    """How many steps can be trained in so many minutes on this machine, evaluations included.

    The number is kept in the run directory the first time. Starting up does not count.

    Args:
      minutes: the budget.
      run: the run.
      eval_every: steps between evaluations.
      train_until: trains the run until a step, whose last one it evaluates.
    """
    file = run.path / FILE
    if file.is_file():
        text = file.read_text(errors="replace").strip()
        if not re.fullmatch("[0-9]{1,8}", text):
            raise EtudeError(f"{file} is damaged; remove it, and the number of steps is settled again")
        return int(text)
    train_until(FIRST_TRIAL_STEPS)
    num_steps = _steps(minutes, run, eval_every, FIRST_TRIAL_STEPS)
    trial = max(int(SECOND_TRIAL_SHARE * num_steps), SECOND_TRIAL_STEPS)
    if trial < num_steps:
        train_until(trial)
        num_steps = _steps(minutes, run, eval_every, trial)
    write_text(file, f"{num_steps}\n")
    return num_steps


def _steps(minutes: float, run: RunDirectory, eval_every: int, least: int) -> int:
    seconds = _seconds_per_step(read_metrics(run.metrics), eval_every)
    return max(least, int(60 * minutes / max(seconds, 1e-6)))


def _seconds_per_step(lines: list[dict[str, Any]], eval_every: int) -> float:
    """How long a step usually takes, with its share of an evaluation."""
    step_seconds, eval_seconds = [], []
    step = 0
    for before, line in itertools.pairwise(lines):
        seconds = line["wall_time"] - before["wall_time"]
        if before["split"] == TRAIN:
            step = before["step"]
        if line["split"] == EVAL:
            eval_seconds.append(seconds)
        elif line["step"] > step:
            step_seconds.append(seconds / (line["step"] - step))
    # Passes over the moments in which the computation was prepared or the machine was busy.
    return statistics.median(step_seconds) + min(eval_seconds) / eval_every

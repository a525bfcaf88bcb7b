"""A budget in minutes as a number of steps, settled once so that a run that resumes ends at the same step."""

from collections.abc import Callable

from models.errors import EtudeError
from models.files import write_text
from models.run_directory import RunDirectory
from models.training.metrics import TRAIN, read_metrics

FILE = "budget.txt"

TRIAL_STEPS = 40
"""Steps that are timed; the first half of them prepares the computation and does not count."""


def steps_within(minutes: float, run: RunDirectory, train_until: Callable[[int, int], None]) -> int:
    """How many steps can be trained in so many minutes on this machine.

    The number is kept in the run directory the first time.

    Args:
      minutes: the budget.
      run: the run.
      train_until: trains the run until a step, and evaluates so often.
    """
    file = run.path / FILE
    if file.is_file():
        text = file.read_text().strip()
        if not text.isdigit():
            raise EtudeError(f"{file} is damaged; remove it, and the number of steps is settled again")
        return int(text)
    train_until(TRIAL_STEPS, TRIAL_STEPS)
    lines = [line for line in read_metrics(run.metrics) if line["split"] == TRAIN and line["step"] <= TRIAL_STEPS]
    timed = [line for line in lines if line["step"] >= TRIAL_STEPS // 2]
    seconds = (timed[-1]["wall_time"] - timed[0]["wall_time"]) / (timed[-1]["step"] - timed[0]["step"])
    num_steps = max(TRIAL_STEPS, int(60 * minutes / max(seconds, 1e-6)))
    write_text(file, f"{num_steps}\n")
    return num_steps

"""The training runs of a study: one after another, or several at once in processes of their own.

The results are the same either way. The order in which a run adds up depends on the cores that it may use (a batch is cut
into as many parts), so every process keeps all of them, and the system divides them.
"""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

from etude.models.configuration import Configuration
from etude.models.errors import EtudeError
from etude.models.progress import Progress
from etude.models.registry import use_families
from etude.models.storage.run_directory import RunDirectory
from etude.models.training.schedule import Schedule
from etude.pipelines.studies.budget import steps_within
from etude.pipelines.studies.processes import run_tasks


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """One training run.

    Attributes:
      name: of the run.
      configuration: the model.
      dataset: the dataset folder.
      run_dir: where the run is kept.
      seed: of the run.
      num_steps: training steps; 0 where something else decides.
      minutes: of training; 0 where something else decides.
      eval_every: steps between evaluations; 0 for one an epoch.
      early_stopping: stop after so many evaluations without a lower loss over tokens; 0 never stops early.
      num_epochs: times that the train split is seen; 0 where something else decides.
      families: those of other packages that are in use, as MODULE:NAME.
    """

    name: str
    configuration: Configuration
    dataset: pathlib.Path
    run_dir: pathlib.Path
    seed: int
    num_steps: int
    minutes: float
    eval_every: int
    early_stopping: int
    num_epochs: int = 0
    families: tuple[str, ...] = ()


def train_run(run: TrainingRun, progress: Progress) -> None:
    """Trains one run, or goes on training it."""
    use_families(run.families)
    # On a graphics card, TensorFlow would take all memory for the first of several runs.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    from etude.models.training.train import train

    def train_until(num_steps: int, report: Progress = progress, num_epochs: int = 0) -> None:
        schedule = Schedule(num_steps, run.seed, run.eval_every, run.early_stopping, num_epochs)
        train(run.configuration, run.dataset, run.run_dir, schedule, progress=report)

    def try_until(num_steps: int) -> None:
        # How much of the whole this is is what it finds out.
        train_until(num_steps, lambda done, total, note="": progress(0, 1, f"measuring the speed, {note}"))

    if run.num_epochs:
        train_until(1, num_epochs=run.num_epochs)
    else:
        train_until(run.num_steps or steps_within(run.minutes, RunDirectory(run.run_dir), run.eval_every, try_until))


def train_runs(
    runs: Sequence[TrainingRun],
    parallel: int,
    progress: Mapping[str, Progress],
    ended: Callable[[str], None],
) -> None:
    """Trains all runs. One that fails does not keep the others from ending.

    Args:
      runs: in the order in which they are begun.
      parallel: how many at once; 1 for one after another in this process.
      progress: of each run, by its name.
      ended: called with the name of a run that has ended well.

    Raises:
      EtudeError: if runs failed; the message names them.
    """
    board = _Board(runs, progress, ended)
    if parallel == 1:
        for index, run in enumerate(runs):
            try:
                train_run(run, progress[run.name])
            except EtudeError as error:
                board.ended(index, str(error))
            else:
                board.ended(index, "")
    else:
        run_tasks(train_run, runs, parallel, board)
    if board.failures:
        raise EtudeError(_explain(board.failures, len(runs)))


class _Board:
    """Knows how far all runs are."""

    def __init__(
        self, runs: Sequence[TrainingRun], progress: Mapping[str, Progress], ended: Callable[[str], None]
    ) -> None:
        self._names = [run.name for run in runs]
        self._progress = progress
        self._ended = ended
        self._shares: dict[str, float] = {}
        self.failures: dict[str, str] = {}

    def moved(self, index: int, done: int, total: int, note: str) -> None:
        """A run is so far."""
        name = self._names[index]
        self._shares[name] = done / total if total else 0.0
        others = [f"{other} {share:.0%}" for other, share in self._shares.items() if other != name]
        self._progress[name](done, total, f"{note}; at the same time {', '.join(others)}" if others else note)

    def ended(self, index: int, error: str) -> None:
        """A run has ended, with or without an error."""
        name = self._names[index]
        self._shares.pop(name, None)
        if error:
            self.failures[name] = error
        else:
            self._ended(name)
        self._progress[name](1, 1, "failed" if error else "")


def _explain(failures: Mapping[str, str], num_runs: int) -> str:
    """What failed; runs that failed for the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, error in failures.items():
        by_reason.setdefault(error, []).append(name)
    reasons = "".join(f"\n  {', '.join(names)}: {error}" for error, names in by_reason.items())
    rest = "; the others are finished, and the same command goes on with these" if len(failures) < num_runs else ""
    return f"{len(failures)} of {num_runs} training runs failed{rest}:{reasons}"

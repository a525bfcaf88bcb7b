"""How long a run trains, and how often it is evaluated."""

import dataclasses

from etude.models.errors import check_ranges

MAX_STEPS = 99_999_999
"""Checkpoints are named by eight digits."""

RANGES = {
    "num_steps": (1, MAX_STEPS),
    "num_epochs": (0, MAX_STEPS),
    "seed": (0, (1 << 63) - 1),
    "eval_every": (0, MAX_STEPS),
    "early_stopping": (0, MAX_STEPS),
}
"""What options may be, both ends included."""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long and how often.

    Attributes:
      num_steps: training steps in all.
      num_epochs: times that all of the training split is seen, in place of the steps; 0 counts steps.
      seed: of initial weights, batch order and dropout.
      eval_every: steps between evaluations; 0 evaluates once an epoch.
      early_stopping: stop after so many evaluations without a lower event loss; 0 never stops early.
    """

    num_steps: int = 1000
    seed: int = 0
    eval_every: int = 100
    early_stopping: int = 0
    num_epochs: int = 0

    def in_steps(self, steps_per_epoch: int) -> "Schedule":
        """The same in steps, once it is known how many an epoch has."""
        num_steps = self.num_epochs * steps_per_epoch or self.num_steps
        return dataclasses.replace(
            self, num_steps=num_steps, num_epochs=0, eval_every=self.eval_every or steps_per_epoch
        )

    def __post_init__(self) -> None:
        """Checks every number.

        Raises:
          UsageError: naming the option, its value and what it may be.
        """
        check_ranges(self, RANGES)

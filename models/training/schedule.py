"""How long a run trains, and how often it is evaluated."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long and how often.

    Attributes:
      num_steps: training steps in all.
      seed: of initial weights, batch order and dropout.
      eval_every: steps between evaluations.
      early_stopping: stop after so many evaluations without a lower event loss; 0 never stops early.
    """

    num_steps: int = 1000
    seed: int = 0
    eval_every: int = 100
    early_stopping: int = 0

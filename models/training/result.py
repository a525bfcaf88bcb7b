"""How a run ended."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
      step: the last step.
      best: the figures of the evaluation with the lowest event loss.
      stopped_early: whether it ended before `num_steps`.
    """

    step: int
    best: dict[str, Any]
    stopped_early: bool

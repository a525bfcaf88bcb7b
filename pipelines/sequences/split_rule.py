"""How pieces are split: the shares of the sides, and a salt."""

import dataclasses

from etude.models.errors import UsageError, check_ranges

TRAIN = "train"
EVAL = "eval"
TEST = "test"


@dataclasses.dataclass(frozen=True)
class SplitRule:
    """How pieces are split.

    Attributes:
      eval_ratio: the share of pieces that evaluate, in [0, 1).
      test_ratio: the share of pieces that are kept for a last test, in [0, 1).
      salt: another salt gives another split.
    """

    eval_ratio: float = 0.1
    test_ratio: float = 0.0
    salt: str = ""

    def __post_init__(self) -> None:
        check_ranges(self, {"eval_ratio": (0.0, 1.0), "test_ratio": (0.0, 1.0)})
        if self.eval_ratio + self.test_ratio >= 1:
            raise UsageError(
                f"--eval-ratio {self.eval_ratio} and --test-ratio {self.test_ratio} leave nothing to train on"
            )

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, train first."""
        held_out = ((EVAL, self.eval_ratio), (TEST, self.test_ratio))
        return (TRAIN, *(name for name, ratio in held_out if ratio > 0))

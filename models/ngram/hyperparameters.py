"""The numbers that define a counted model."""

import dataclasses

from etude.models.hyperparameters import Values, value
from etude.models.ngram.network import KNESER_NEY, SMOOTHINGS

MAX_ORDER = 20


@dataclasses.dataclass(frozen=True)
class NgramHyperparameters(Values):
    """Hyperparameters of counted models."""

    order: int = value(5, "tokens that are counted together: 1 is a unigram, 2 a bigram")
    smoothing: str = value(
        KNESER_NEY, "laplace adds one to every count; witten-bell and kneser-ney mix with shorter contexts"
    )

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
          UsageError: naming the hyperparameter, its value and what it may be.
        """
        self.require("order", 1 <= self.order <= MAX_ORDER, f"from 1 to {MAX_ORDER}")
        self.require("smoothing", self.smoothing in SMOOTHINGS, " or ".join(SMOOTHINGS))

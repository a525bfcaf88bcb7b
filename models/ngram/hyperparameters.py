"""The numbers that define a counted model."""

import dataclasses

from etude.models.errors import UsageError
from etude.models.ngram.network import KNESER_NEY, SMOOTHINGS

MAX_ORDER = 20


@dataclasses.dataclass(frozen=True)
class NgramHyperparameters:
    """Hyperparameters of counted models.

    Attributes:
      order: tokens that are counted together: 1 is a unigram, 2 a bigram.
      smoothing: "laplace" adds one to every count; "witten-bell" and "kneser-ney" mix with shorter contexts.
    """

    order: int = 5
    smoothing: str = KNESER_NEY

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
          UsageError: naming the hyperparameter, its value and what it may be.
        """
        if not 1 <= self.order <= MAX_ORDER:
            raise UsageError(f"hyperparameter order must be from 1 to {MAX_ORDER}, not {self.order}")
        if self.smoothing not in SMOOTHINGS:
            raise UsageError(f"hyperparameter smoothing must be {', '.join(SMOOTHINGS)}, not {self.smoothing}")

    def __str__(self) -> str:
        """In the form that `--hparams` takes."""
        return f"order={self.order},smoothing={self.smoothing}"

"""Hyperparameters of families that look back for repeats."""

import dataclasses

from etude.models.encodings.melody import LOOKBACK_UNITS
from etude.models.hyperparameters import MAX_DISTANCE, MAX_LAYERS, Hyperparameters, value


@dataclasses.dataclass(frozen=True)
class LookbackHyperparameters(Hyperparameters):
    """Those of a network, and how far its encoding looks back."""

    lookback_distances: tuple[int, ...] = value((16, 32), "how far back each repeat label looks, ascending")
    lookback_unit: str = value("steps", "what those distances count: steps, or bars of the melody's own metre")

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
          UsageError: naming the hyperparameter, its value and what it may be.
        """
        super().__post_init__()
        distances = self.lookback_distances
        ascending = list(distances) == sorted(set(distances)) and min(distances, default=1) >= 1
        self.require(
            "lookback_distances",
            ascending and max(distances, default=1) <= MAX_DISTANCE and len(distances) <= MAX_LAYERS,
            f"a list of at most {MAX_LAYERS} positive, ascending distances up to {MAX_DISTANCE}",
        )
        self.require("lookback_unit", self.lookback_unit in LOOKBACK_UNITS, " or ".join(LOOKBACK_UNITS))

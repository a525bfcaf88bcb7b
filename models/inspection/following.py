"""Which units follow what in the music: correlations, held against the same music shifted.

A unit is held against a feature by Pearson's correlation, over all tokens of all pieces that have the feature. As both a
network's units and music change slowly and go round, tokens cannot be shuffled one by one: almost any unit would then
follow almost anything. Instead the features of every piece are turned by a random number of tokens, so that what leaves at
its end comes back at its start: they keep their own course, and lose that of the units. The best of all units is held
against the best of all units under each shuffle, as a network of many units has some that follow anything by chance (after
Nichols and Holmes, "Nonparametric permutation tests for functional neuroimaging", 2002). Of few pieces, a turn
changes little where it is of whole bars, so that chance does well: more pieces tell more.
"""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.inspection.activations import Part

Numbers = npt.NDArray[np.float64]

SHUFFLES = 100
LEAST_DEVIATION = 1e-6
"""A unit that changes less than this follows nothing."""

QUANTILE = 95


class Follower(NamedTuple):
    """A unit that follows a feature.

    Attributes:
      part: what of the network it belongs to.
      unit: its number there, from 0.
      correlation: from -1 to 1.
      p_value: how often the best of all units does at least as well by chance.
    """

    part: Part
    unit: int
    correlation: float
    p_value: float


class Following(NamedTuple):
    """The units that follow a feature.

    Attributes:
      feature: what they follow.
      chance: the 95th percentile of the strongest correlation that any unit has with the shuffled feature.
      followers: the units with the strongest correlations, best first, each unit of a layer once.
    """

    feature: str
    chance: float
    followers: tuple[Follower, ...]

    @property
    def margin(self) -> float:
        """By how much the best unit does better than by chance."""
        return abs(self.followers[0].correlation) - self.chance

    @property
    def is_clear(self) -> bool:
        """Whether it does."""
        return self.margin > 0


@dataclasses.dataclass(frozen=True)
class Sums:
    """What correlations are made of, added up over tokens; with the features as they are, and under every shuffle.

    Attributes:
      count: tokens that have the feature, [features, 1 + shuffles].
      x: units, [units, features, 1 + shuffles].
      xx: their squares.
      y: the feature, [features, 1 + shuffles].
      yy: its squares.
      xy: products, [units, features, 1 + shuffles].
    """

    count: Numbers
    x: Numbers
    xx: Numbers
    y: Numbers
    yy: Numbers
    xy: Numbers

    def __add__(self, other: "Sums") -> "Sums":
        """The sums over the tokens of both."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in dataclasses.fields(self))
        return Sums(*(one + another for one, another in pairs))

    def correlations(self) -> Numbers:
        """Of every unit with every feature, under every shuffle: [units, features, 1 + shuffles]; 0 where nothing varies."""
        count = np.maximum(self.count, 1)
        variance_x = np.maximum(self.xx / count - (self.x / count) ** 2, 0)
        variance_y = np.maximum(self.yy / count - (self.y / count) ** 2, 0)
        covariance = self.xy / count - self.x / count * (self.y / count)
        varies = (variance_x > LEAST_DEVIATION**2) & (variance_y > LEAST_DEVIATION**2)
        return np.where(varies, covariance / np.sqrt(np.where(varies, variance_x * variance_y, 1)), 0)


def piece_sums(units: npt.NDArray[np.floating], features: Numbers, shifts: npt.NDArray[np.int64]) -> Sums:
    """The sums over one piece.

    Args:
      units: [tokens, units].
      features: [features, tokens]; NaN where the piece has no such thing.
      shifts: by how many tokens the features are turned, [1 + shuffles]; the first is 0.
    """
    num_tokens = len(units)
    x = units.astype(np.float64)
    turned = features[:, (np.arange(num_tokens) - shifts[:, None]) % num_tokens]  # [features, shifts, tokens]
    has = ~np.isnan(turned)
    y = np.where(has, turned, 0)
    mask = has.astype(np.float64)

    def with_units(values: Numbers, others: Numbers) -> Numbers:
        return np.moveaxis(np.tensordot(values, others, axes=(2, 0)), 2, 0)

    return Sums(
        mask.sum(axis=2),
        with_units(mask, x),
        with_units(mask, x**2),
        y.sum(axis=2),
        (y**2).sum(axis=2),
        with_units(y, x),
    )


class Ranking:
    """Adds pieces up, and ranks the units."""

    def __init__(self, shuffles: int = SHUFFLES, seed: int = 0) -> None:
        """Starts with no pieces.

        Args:
          shuffles: how often the features are shuffled; at least 19, as 95 of 100 is asked for.
          seed: of the shuffles.
        """
        self._shuffles = shuffles
        self._random = np.random.default_rng(seed)
        self._sums: Sums | None = None
        self._names: tuple[str, ...] = ()
        self._sizes: dict[Part, int] = {}

    def add(self, values: Mapping[Part, npt.NDArray[np.floating]], features: Mapping[str, Numbers]) -> None:
        """Adds a piece.

        Args:
          values: of every part, [tokens, units]; the same parts of every piece.
          features: by name, [tokens] each; the same names of every piece.
        """
        if not features:
            return
        self._names = tuple(features)
        self._sizes = {part: one.shape[1] for part, one in values.items()}
        units = np.concatenate(list(values.values()), axis=1)
        shifts = np.append(0, self._random.integers(0, len(units), self._shuffles))
        sums = piece_sums(units, np.stack([features[name] for name in self._names]), shifts)
        self._sums = sums if self._sums is None else self._sums + sums

    def rank(self, most: int = 5) -> list[Following]:
        """The best units of every feature that varies, with at most so many units each."""
        if self._sums is None:
            return []
        correlations = self._sums.correlations()
        strongest = np.abs(correlations[:, :, 1:]).max(axis=0)  # [features, shuffles]
        places = [(part, unit) for part, size in self._sizes.items() for unit in range(size)]
        found = []
        for number, name in enumerate(self._names):
            strengths = correlations[:, number, 0]
            if not strengths.any():
                continue
            chance = strongest[number]
            followers: list[Follower] = []
            for index in np.argsort(-np.abs(strengths), kind="stable").tolist():
                part, unit = places[index]
                if len(followers) == most:
                    break
                if all((one.part.layer, one.unit) != (part.layer, unit) for one in followers):
                    above = int((chance >= abs(strengths[index])).sum())
                    p_value = (1 + above) / (1 + self._shuffles)
                    followers.append(Follower(part, unit, float(strengths[index]), p_value))
            found.append(Following(name, float(np.percentile(chance, QUANTILE)), tuple(followers)))
        return found

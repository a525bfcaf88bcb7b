"""Figures and how sure they are: of a run, of a configuration over its seeds, and by category."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from etude.models.evaluation.figures import figures
from etude.models.evaluation.statistics import Sums
from etude.pipelines.comparison.statistics.bootstrap import Values, interval, resampled_sums, resampled_weights


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure and how sure it is.

    Attributes:
      value: None where it is not defined.
      interval: 95%, over melodies and, where there are several, seeds; None where there is none.
    """

    value: float | None
    interval: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Resampled:
    """A figure of one configuration: as it is, and in every resample.

    Attributes:
      value: the mean over seeds, [...].
      resampled: [resamples, ...].
    """

    value: Values
    resampled: Values

    def estimate(self) -> Estimate:
        """The figure with its interval; for figures of one number."""
        value = float(self.value)
        return Estimate(value, interval(self.resampled)) if np.isfinite(value) else Estimate(None)


def over_seeds(by_seed: Sequence[Mapping[str, Resampled]], stream: int) -> dict[str, Resampled]:
    """Figures of a configuration from those of its seeds.

    Args:
      by_seed: the figures of each seed's run, all resampled from the same melodies.
      stream: the number of the configuration; its seeds are drawn with replacement.
    """
    weights = resampled_weights(len(by_seed), stream)
    result = {}
    for name in by_seed[0]:
        values = np.stack([figures[name].value for figures in by_seed])
        resampled = np.stack([figures[name].resampled for figures in by_seed], axis=1)
        result[name] = Resampled(values.mean(axis=0), np.einsum("rs,rs...->r...", weights, resampled))
    return result


def resample_figures(sums: Sums, unit: str) -> dict[str, Resampled]:
    """All figures of one run or baseline."""
    return resample(sums.whole(), unit)


def resample_category_figures(sums: Sums, breakdown: str, unit: str) -> dict[str, Resampled]:
    """Figures by category of one run or baseline."""
    return resample(sums.of(breakdown), unit)


def resample(sums: Mapping[str, Values], unit: str) -> dict[str, Resampled]:
    """All figures that follow from sums, [sequences, ...] each, and what they are in every resample."""
    shape = next(iter(sums.values())).shape
    columns = np.stack([values.reshape(shape[0], -1) for values in sums.values()], axis=1)
    resampled = resampled_sums(columns.reshape(shape[0], -1)).reshape(-1, *columns.shape[1:])
    totals = {name: values.sum(axis=0) for name, values in sums.items()}
    drawn = {name: resampled[:, column].reshape(-1, *shape[1:]) for column, name in enumerate(sums)}
    values, others = figures(totals, unit), figures(drawn, unit)
    return {name: Resampled(values[name], others[name]) for name in values}

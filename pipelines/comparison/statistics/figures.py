"""Figures as functions of sums, so that they can be computed for a split, a resample or a seed in the same way."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.evaluation.evaluation import MelodySums
from etude.pipelines.comparison.statistics.bootstrap import Values, interval, resampled_sums, resampled_weights

LIKELIHOOD_FIGURES = (
    "log_likelihood",
    "label.loss",
    "label.perplexity",
    "label.mean_inverse_probability",
    "event.loss",
    "event.perplexity",
    "event.log_likelihood",
    "event.bits_per_step",
    "event.bits_per_note",
)
"""Figures that mean nothing for a rule that gives some events no probability."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure and how sure it is.

    Attributes:
      value: None where it is not defined.
      interval: 95%, over melodies and, where there are several, seeds; None where there is none.
    """

    value: float | None
    interval: tuple[float, float] | None = None


def sum_columns(sums: MelodySums) -> Values:
    """What figures are computed from, one row a melody: its sums, and 1 for the melody itself. [melodies, columns]."""
    fields = [getattr(sums, field.name) for field in dataclasses.fields(sums)]
    return np.stack([*fields, np.ones(len(sums.num_steps))], axis=-1)


def figures(totals: Values) -> dict[str, npt.NDArray[np.float64]]:
    """All figures, [...] each, from sums over melodies, [..., columns].

    Source: Magenta's definitions for the label figures; `etude.models.evaluation.evaluation` has the same for one set of
    melodies.
    """
    names = [field.name for field in dataclasses.fields(MelodySums)]
    total = {name: totals[..., column] for column, name in enumerate([*names, "num_melodies"])}
    steps, events, notes = total["num_steps"], total["event_steps"], total["num_notes"]
    label_loss = -total["log_likelihood"] / steps
    event_nats = -total["event_log_likelihood"]
    return {
        "log_likelihood": total["log_likelihood"] / total["num_melodies"],
        "label.loss": label_loss,
        "label.perplexity": np.exp(label_loss),
        "label.accuracy": total["correct"] / steps,
        "label.event_accuracy": _ratio(total["event_correct"], events),
        "label.no_event_accuracy": _ratio(total["correct"] - total["event_correct"], steps - events),
        "label.mean_inverse_probability": total["inverse_probability"] / steps,
        "event.loss": event_nats / steps,
        "event.perplexity": np.exp(event_nats / steps),
        "event.accuracy": total["most_probable_event_correct"] / steps,
        "event.log_likelihood": -event_nats / total["num_melodies"],
        "event.bits_per_step": event_nats / steps / np.log(2),
        "event.bits_per_note": _ratio(event_nats / np.log(2), notes),
    }


def category_figures(totals: Values) -> dict[str, npt.NDArray[np.float64]]:
    """Loss and accuracy over events, [..., categories] each, from sums [..., categories, NUM_COLUMNS].

    Not a number where a category has no steps.
    """
    steps = np.where(totals[..., 0] > 0, totals[..., 0], np.nan)
    return {"loss": -totals[..., 1] / steps, "accuracy": totals[..., 2] / steps}


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


def resample_figures(sums: MelodySums) -> dict[str, Resampled]:
    """All figures of one run or baseline."""
    columns = sum_columns(sums)
    values, resampled = figures(columns.sum(axis=0)), figures(resampled_sums(columns))
    return {name: Resampled(values[name], resampled[name]) for name in values}


def resample_category_figures(sums: Values) -> dict[str, Resampled]:
    """Loss and accuracy by category of one run or baseline, from its sums [melodies, categories, NUM_COLUMNS]."""
    resampled_totals = resampled_sums(sums.reshape(len(sums), -1)).reshape(-1, *sums.shape[1:])
    values, resampled = category_figures(sums.sum(axis=0)), category_figures(resampled_totals)
    return {name: Resampled(values[name], resampled[name]) for name in values}


def _ratio(part: Values, whole: Values) -> Values:
    """Part / whole, and 0 where there is nothing, as in Magenta."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)

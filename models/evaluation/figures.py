"""Figures as functions of sums, so that they are computed for a split, a resample, a seed or a category in the same way.

A figure is one line here: the sums that it is made of, and a function of them. It is there wherever its sums are.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.evaluation.statistics import Values

Totals = Mapping[str, npt.NDArray[np.float64]]
"""Sums over sequences by name, [...] each."""

EVENT, NOTE = "event", "note"


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
      sums: the names of the sums that it is made of.
      function: from these sums, [...] each, to the figure, [...].
      is_likelihood: whether it means nothing for a rule that gives some tokens no probability.
    """

    sums: tuple[str, ...]
    function: Callable[..., Values]
    is_likelihood: bool = False


def _mean(part: Values, whole: Values) -> Values:
    """Part / whole, and not a number where there is nothing."""
    return part / np.where(whole > 0, whole, np.nan)


def _ratio(part: Values, whole: Values) -> Values:
    """Part / whole, and 0 where there is nothing, as in Magenta."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)


def _perplexity(log_likelihood: Values, whole: Values) -> Values:
    """exp(loss), infinite where that is too large for a number."""
    with np.errstate(over="ignore"):
        perplexity: Values = np.exp(-_mean(log_likelihood, whole))
    return perplexity


def _figures_of(nats: str, num: str, correct: str) -> dict[str, Figure]:
    """Loss, perplexity and accuracy of some steps, from the names of the sums over them."""
    return {
        "loss": Figure((nats, num), lambda nats, num: -_mean(nats, num), is_likelihood=True),
        "perplexity": Figure((nats, num), _perplexity, is_likelihood=True),
        "accuracy": Figure((correct, num), _mean),
    }


BITS_PER_NOTE = Figure(
    ("token_log_likelihood", "note:num"), lambda nats, notes: _ratio(-nats / np.log(2), notes), is_likelihood=True
)

LABEL_FIGURES: Mapping[str, Figure] = {
    **_figures_of("log_likelihood", "num_steps", "correct"),
    "event_accuracy": Figure(
        ("correct", "no_event:correct", "num_steps", "no_event:num"),
        lambda correct, no_event, steps, no_events: _ratio(correct - no_event, steps - no_events),
    ),
    "no_event_accuracy": Figure(("no_event:correct", "no_event:num"), _ratio),
    "mean_inverse_probability": Figure(("inverse_probability", "num_steps"), _mean, is_likelihood=True),
}
"""Over labels, as Magenta defines them; not comparable between encodings."""

TOKEN_FIGURES: Mapping[str, Figure] = {
    **_figures_of("token_log_likelihood", "num_steps", "token_correct"),
    "log_likelihood": Figure(("token_log_likelihood", "num_sequences"), _mean, is_likelihood=True),
    "bits_per_step": Figure(
        ("token_log_likelihood", "num_steps"), lambda nats, num: -_mean(nats, num) / np.log(2), is_likelihood=True
    ),
    "bits_per_note": BITS_PER_NOTE,
}
"""Over tokens, summed over all labels that stand for them; comparable between encodings."""

NOTE_FIGURES: Mapping[str, Figure] = {
    **_figures_of("note:log_likelihood", "note:num", "note:correct"),
    "bits_per_note": BITS_PER_NOTE,
}
"""Over the tokens that begin a note; bits per note are those of all tokens."""


def table(unit: str) -> dict[str, Figure]:
    """Every figure by its name, such as `event.loss`.

    Args:
      unit: the encoding's: "event" for melodies, whose figures are Magenta's; "token" otherwise.
    """
    groups = {"label": LABEL_FIGURES, unit: TOKEN_FIGURES, **({} if unit == EVENT else {NOTE: NOTE_FIGURES})}
    log_likelihood = Figure(("log_likelihood", "num_sequences"), _mean, is_likelihood=True)
    grouped = {f"{group}.{name}": one for group, figures in groups.items() for name, one in figures.items()}
    return {"log_likelihood": log_likelihood, **grouped}


def figures(totals: Totals, unit: str) -> dict[str, Values]:
    """All figures whose sums are among `totals`, [...] each, from sums over sequences, [...]."""
    return {
        name: one.function(*(totals[sum_name] for sum_name in one.sums))
        for name, one in table(unit).items()
        if totals.keys() >= set(one.sums)
    }


def report(totals: Totals, unit: str) -> dict[str, Any]:
    """The figures of a set of sequences in the form of the JSON of `etude evaluate`.

    Args:
      totals: over all sequences, a number each.
      unit: the encoding's.
    """
    of_melodies = {"num_sequences": "num_melodies"} if unit == EVENT else {}
    names = {"num_sequences": "num_sequences", "num_steps": "num_steps", "note:num": "num_notes"} | of_melodies
    counts = {names[name]: int(totals[name]) for name in names if name in totals}
    return counts | nested({name: float(value) for name, value in figures(totals, unit).items()})


def report_by_category(totals: Mapping[str, float]) -> dict[str, dict[str, dict[str, float]]]:
    """The figures over tokens of each category of each breakdown, for the JSON of `etude evaluate`.

    Args:
      totals: by names such as `part/num_steps/header`; others are left out. Categories without tokens are, too.
    """
    sums: dict[tuple[str, str], dict[str, npt.NDArray[np.float64]]] = {}
    for key, total in totals.items():
        breakdown, _, rest = key.partition("/")
        name, _, category = rest.partition("/")
        if category:
            sums.setdefault((breakdown, category), {})[name] = np.asarray(total)
    result: dict[str, dict[str, dict[str, float]]] = {}
    for (breakdown, category), found in sums.items():
        if found["num_steps"]:
            values = {
                name: float(one.function(*(found[part] for part in one.sums)))
                for name, one in TOKEN_FIGURES.items()
                if found.keys() >= set(one.sums)
            }
            counts = {"num_steps": int(found["num_steps"])}
            result.setdefault(breakdown, {})[category] = {**counts, **values}
    return result


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"event.loss": x}` as `{"event": {"loss": x}}`."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, rest = name.rpartition(".")
        if dot:
            result.setdefault(group, {})[rest] = value
        else:
            result[name] = value
    return result


def token_figures(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures of a report, or of a line of metrics, by which models are ranked: those over tokens."""
    found: Mapping[str, Any] = report[EVENT] if EVENT in report else report["token"]
    return found

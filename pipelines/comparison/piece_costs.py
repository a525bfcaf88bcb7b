"""What whole pieces cost a model, and the figures that follow."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.pipelines.comparison.statistics.figures import Resampled, resample

NATS, BITS, BITS_WITHOUT_END = "nats_per_piece", "bits_per_note", "bits_per_note_without_end"

Values = npt.NDArray[np.float64]


class Costs(NamedTuple):
    """Log-likelihoods of pieces, in nats, [pieces] each.

    Attributes:
      whole: of all that is paid.
      without_end: of all but the last note's length and the end; None where these are not told apart.
    """

    whole: Values
    without_end: Values | None = None


def figures_of(costs: Costs, notes: Values | None) -> dict[str, Resampled]:
    """What pieces cost on average, and a note of them, in every resample."""
    sums = {"token_log_likelihood": costs.whole, "num_sequences": np.ones(len(costs.whole))}
    if notes is None:
        return {NATS: _negative(resample(sums, "token")["token.log_likelihood"])}
    found = resample({**sums, "note:num": notes}, "token")
    figures = {NATS: _negative(found["token.log_likelihood"]), BITS: found["token.bits_per_note"]}
    if costs.without_end is not None:
        # The same pieces are drawn.
        less = resample({**sums, "token_log_likelihood": costs.without_end, "note:num": notes}, "token")
        figures[BITS_WITHOUT_END] = less["token.bits_per_note"]
    return figures


def _negative(one: Resampled) -> Resampled:
    return Resampled(-one.value, -one.resampled)

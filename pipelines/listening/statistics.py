"""Can listeners tell what a model made from real tunes? Shares of right answers, how sure they are, and what it takes.

Answers come in matches: a real tune beside a generated piece. In a test of pairs both are heard in one trial, which has one
answer; else each is heard in a trial of its own, and a match has two answers. Somebody who always says "real" is right in
half of them either way, so that chance is one half.
"""

import dataclasses
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

Values = npt.NDArray[np.float64]

CHANCE = 0.5
ALPHA = 0.05
POWER = 0.8
TRUE_SHARE = 0.65
"""What a test is planned for: that listeners are right so often is found with `POWER`."""

NUM_RESAMPLES = 2000
_SEED = 20260101
_SMALLEST_EFFECT = 0.05
"""Where a true share is nearer to chance, more answers are needed than anybody gives."""


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """The answers of listeners about the pieces of one model, or of several.

    Attributes:
      right: whether an answer is right, [sides, listeners, matches]. Two sides: about the real tune, and about the
        generated piece; one: about the pair.
      counted: which matches of each listener count, [listeners, matches].
    """

    right: npt.NDArray[np.bool_]
    counted: npt.NDArray[np.bool_]

    @property
    def num_sides(self) -> int:
        """Answers in a match: 2, or 1 for pairs."""
        return len(self.right)

    @property
    def num_answers(self) -> int:
        """Answers that count."""
        return self.num_sides * int(self.counted.sum())

    def num_right(self) -> Values:
        """Right answers that count, of each side, [sides]."""
        return (self.right & self.counted).sum(axis=(1, 2)).astype(np.float64)


@dataclasses.dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Attributes:
      value: the figure.
      low: the lower end, 95% two-sided; None where there are too few listeners or matches.
      high: the upper end.
      margin: how far from what chance gives the farther end of the 90% interval is: the smallest margin that two one-sided
        tests at 5% each (Schuirmann 1987) call equivalent to chance. None as above.
    """

    value: float
    low: float | None = None
    high: float | None = None
    margin: float | None = None


def exact_p(num_right: int, num_answers: int) -> float:
    """The p-value of the exact binomial test against chance, two-sided; 1 without answers."""
    return float(stats.binomtest(num_right, num_answers, CHANCE).pvalue) if num_answers else 1.0


def wilson(num_right: int, num_answers: int) -> tuple[float, float]:
    """The 95% interval of a share, as if every answer were independent. Source: Wilson 1927."""
    if not num_answers:
        return 0.0, 1.0
    found = stats.binomtest(num_right, num_answers).proportion_ci(1 - ALPHA, "wilson")
    return float(found.low), float(found.high)


def power(num_answers: int, share: float = TRUE_SHARE) -> float:
    """How likely the exact binomial test is to find that answers are right in a true share, if they are independent."""
    right = np.arange(num_answers + 1)
    # Both tails are the same where chance is one half.
    p_values = 2 * stats.binom.sf(np.maximum(right, num_answers - right) - 1, num_answers, CHANCE)
    return float(stats.binom.pmf(right, num_answers, share)[p_values <= ALPHA].sum())


def answers_needed(share: float = TRUE_SHARE, wanted: float = POWER) -> int:
    """The fewest answers with which the exact binomial test has the power that is wanted.

    Raises:
      ValueError: if the share is nearer to chance than 5 points, or the power is not below 1.
    """
    if abs(share - CHANCE) < _SMALLEST_EFFECT or not wanted < 1:
        raise ValueError(f"no number of answers finds a share of {share} with a power of {wanted}")
    return next(number for number in itertools.count(1) if power(number, share) >= wanted)


def right_share(num_right: Values, num_matches: Values) -> Values:
    """The share of right answers: [..., sides] and [...] to [...]."""
    return num_right.sum(axis=-1) / (num_right.shape[-1] * num_matches)


def d_prime(num_right: Values, num_matches: Values) -> Values:
    """How far apart real and generated are for listeners, in standard deviations: [..., sides] and [...] to [...].

    Half an answer is added to each side, so that it stays finite (Hautus 1995). Of two sides z(hits) - z(false alarms), where
    "real" is the signal; of pairs the square root of 2 times z(share right). Source: Macmillan and Creelman 2005.
    """
    shares = (num_right + 0.5) / (num_matches[..., None] + 1)
    scores = stats.norm.ppf(shares)
    return scores.sum(axis=-1) if num_right.shape[-1] == 2 else np.sqrt(2) * scores[..., 0]


def estimate(answers: Answers, figure: Any, chance: float, low: float = -np.inf, high: float = np.inf) -> Interval:
    """A figure with an interval over listeners and pieces.

    Listeners differ, and so do pieces; answers of one listener, or about one piece, hang together. The variance is that over
    resampled listeners plus that over resampled matches, less that over resampled answers, which both hold (Cameron, Gelbach
    and Miller 2011), and never less than the last; the quantile is Student's, with one degree of freedom less than there are
    listeners or matches, whichever are fewer.

    Args:
      answers: of at least one match that counts.
      figure: `right_share` or `d_prime`.
      chance: what the figure is where listeners guess.
      low: the lowest that the figure can be.
      high: the highest.
    """
    value = float(figure(answers.num_right(), np.asarray(answers.counted.sum(), np.float64)))
    listeners, matches = answers.counted.any(axis=1), answers.counted.any(axis=0)
    fewest = min(int(listeners.sum()), int(matches.sum()))
    if fewest < 2:
        return Interval(value)
    used = Answers(answers.right[:, listeners][:, :, matches], answers.counted[listeners][:, matches])
    error = np.sqrt(_variance(used, figure))
    half, narrow = (stats.t.ppf(1 - tail, fewest - 1) * error for tail in (ALPHA / 2, ALPHA))
    return Interval(
        value,
        max(low, value - half),
        min(high, value + half),
        float(max(abs(min(high, value + narrow) - chance), abs(max(low, value - narrow) - chance))),
    )


def _variance(answers: Answers, figure: Any) -> float:
    random = np.random.default_rng(_SEED)
    right = (answers.right & answers.counted).astype(np.float64)
    num_listeners, num_matches = answers.counted.shape
    by_listener = _resampled(random, right.sum(axis=2), answers.counted.sum(axis=1), num_listeners, figure)
    by_match = _resampled(random, right.sum(axis=1), answers.counted.sum(axis=0), num_matches, figure)
    total, whole = right.sum(axis=(1, 2)), int(answers.counted.sum())
    drawn = random.binomial(whole, total / whole, size=(NUM_RESAMPLES, len(total))).astype(np.float64)
    by_answer = float(figure(drawn, np.full(NUM_RESAMPLES, float(whole))).var(ddof=1))
    return max(by_listener + by_match - by_answer, by_answer)


def _resampled(random: np.random.Generator, right: Values, counted: Any, size: int, figure: Any) -> float:
    """The variance of a figure over resampled listeners, or matches; those that leave nothing to count are passed over."""
    weights = random.multinomial(size, np.full(size, 1 / size), size=NUM_RESAMPLES).astype(np.float64)
    num_matches = weights @ counted
    kept = num_matches > 0
    return float(figure((weights @ right.T)[kept], num_matches[kept]).var(ddof=1))

"""Against SciPy, and against listeners who are made up."""

import numpy as np
import pytest
from scipy import stats

from etude.pipelines.listening.statistics import (
    ALPHA,
    Answers,
    answers_needed,
    d_prime,
    estimate,
    exact_p,
    power,
    right_share,
    wilson,
)


def listeners(random, share, *, num=20, matches=10, sides=2, spread=0.0):
    """Answers that are right in a share; `spread` is how much listeners, and pieces, differ, as standard deviations."""
    centre = stats.norm.ppf(share) * np.sqrt(1 + 2 * spread**2)
    skill = random.normal(0, spread, (1, num, 1)) if spread else 0.0
    ease = random.normal(0, spread, (sides, 1, matches)) if spread else 0.0
    right = random.normal(size=(sides, num, matches)) < centre + skill + ease
    return Answers(right, np.ones((num, matches), bool))


@pytest.mark.parametrize("num_answers", [1, 2, 7, 40, 90, 91])
@pytest.mark.parametrize("share", [0.5, 0.65, 0.9])
def test_power_is_the_chance_that_scipys_test_rejects(num_answers, share):
    rejects = [stats.binomtest(right, num_answers, 0.5).pvalue <= ALPHA for right in range(num_answers + 1)]
    expected = stats.binom.pmf(np.flatnonzero(rejects), num_answers, share).sum()
    assert power(num_answers, share) == pytest.approx(expected)


def test_what_a_test_is_planned_for():
    """80% power at a true 65%, as the design says."""
    assert answers_needed() == 90
    assert power(90) >= 0.8 > max(power(number) for number in range(1, 90))
    for share, wanted in ((0.51, 0.8), (0.65, 1.0)):
        with pytest.raises(ValueError, match="no number of answers"):
            answers_needed(share, wanted)


def test_power_is_met_by_listeners():
    """As often as it was said, among simulated tests, within four standard errors."""
    random = np.random.default_rng(1)
    tests = 2000
    found = [exact_p(int(right), 90) <= ALPHA for right in random.binomial(90, 0.65, tests)]
    said = power(90)
    assert abs(np.mean(found) - said) < 4 * np.sqrt(said * (1 - said) / tests)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.75])
def test_wilson_covers_where_answers_are_independent(share):
    random = np.random.default_rng(2)
    covered = [
        low <= share <= high for low, high in (wilson(int(right), 90) for right in random.binomial(90, share, 1000))
    ]
    assert 0.93 < np.mean(covered) < 0.97


@pytest.mark.parametrize("share", [0.5, 0.6, 0.75])
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_the_interval_over_listeners_and_pieces_covers(share, spread):
    """At least as often as 95% less four standard errors, where listeners and pieces are alike and where they differ."""
    random = np.random.default_rng(3)
    tests = 100
    covered = pooled = 0
    for _ in range(tests):
        answers = listeners(random, share, spread=spread)
        found = estimate(answers, right_share, 0.5, 0.0, 1.0)
        covered += found.low <= share <= found.high
        low, high = wilson(int(answers.num_right().sum()), answers.num_answers)
        pooled += low <= share <= high
    assert covered / tests > 0.95 - 4 * np.sqrt(0.95 * 0.05 / tests)
    if spread:
        # Why this interval is there: as if every answer were independent is far too narrow.
        assert pooled / tests < 0.8


@pytest.mark.parametrize(("share", "spread"), [(0.5, 0.0), (0.5, 0.5)])
def test_guessing_listeners_are_rarely_found_to_tell(share, spread):
    random = np.random.default_rng(4)
    tests = 100
    found = [estimate(listeners(random, share, spread=spread), d_prime, 0.0) for _ in range(tests)]
    wrong = np.mean([not one.low <= 0 <= one.high for one in found])
    assert wrong < 0.05 + 4 * np.sqrt(0.95 * 0.05 / tests)


@pytest.mark.parametrize("distance", [0.0, 0.8, 2.0])
@pytest.mark.parametrize("sides", [1, 2])
def test_d_prime_is_found_again(distance, sides):
    """Listeners whose impressions of real and generated lie so far apart, with a criterion that is off by a half."""
    random = np.random.default_rng(5)
    size = 200_000
    real, made = random.normal(distance, 1, size), random.normal(0, 1, size)
    criterion = distance / 2 + 0.5
    right = [np.mean(real > made)] if sides == 1 else [np.mean(real > criterion), np.mean(made <= criterion)]
    assert d_prime(np.array(right) * size, np.array(float(size))) == pytest.approx(distance, abs=0.02)


def test_d_prime_stays_finite():
    assert np.isfinite(d_prime(np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([5.0, 5.0]))).all()


def test_who_always_says_real_is_no_better_than_chance():
    right = np.stack([np.ones((8, 6), bool), np.zeros((8, 6), bool)])
    answers = Answers(right, np.ones((8, 6), bool))
    assert estimate(answers, right_share, 0.5).value == 0.5
    assert estimate(answers, d_prime, 0.0).value == pytest.approx(0.0)


def test_matches_that_do_not_count_change_nothing():
    random = np.random.default_rng(6)
    answers = listeners(random, 0.7, num=12)
    wider = np.concatenate([answers.right, random.random((2, 12, 3)) < 0.5], axis=2)
    counted = np.concatenate([answers.counted, np.zeros((12, 3), bool)], axis=1)
    assert Answers(wider, counted).num_right().tolist() == answers.num_right().tolist()
    assert estimate(Answers(wider, counted), right_share, 0.5).value == estimate(answers, right_share, 0.5).value


def test_the_margin_is_the_smallest_for_which_both_one_sided_tests_reject():
    """With the standard error that the interval itself shows."""
    answers = listeners(np.random.default_rng(7), 0.55)
    found = estimate(answers, right_share, 0.5, 0.0, 1.0)
    freedom = 9
    error = (found.high - found.low) / 2 / stats.t.ppf(0.975, freedom)

    def largest_p(margin):
        below = stats.t.sf((found.value - (0.5 - margin)) / error, freedom)
        above = stats.t.cdf((found.value - (0.5 + margin)) / error, freedom)
        return max(below, above)

    assert largest_p(found.margin) == pytest.approx(0.05)
    assert largest_p(found.margin - 0.001) > 0.05 > largest_p(found.margin + 0.001)


def test_one_listener_has_no_interval():
    answers = Answers(np.ones((1, 1, 5), bool), np.ones((1, 5), bool))
    found = estimate(answers, right_share, 0.5)
    assert (found.value, found.low, found.high, found.margin) == (1.0, None, None, None)

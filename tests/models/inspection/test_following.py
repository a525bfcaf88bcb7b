import numpy as np
import pytest
import scipy.stats

from etude.models.inspection.activations import Part
from etude.models.inspection.following import Ranking, Sums, piece_sums

HIDDEN = Part(0, "hidden")


def wandering(random, steps, units):
    """Units that change slowly, as those of networks do."""
    values = np.zeros((steps, units))
    for step in range(1, steps):
        values[step] = 0.9 * values[step - 1] + random.normal(size=units)
    return np.tanh(values / 3)


def blocks(random, steps):
    """A label that stays for a while."""
    return np.repeat(random.integers(0, 2, steps // 10 + 1), 10)[:steps].astype(float)


def test_correlations_are_scipys():
    random = np.random.default_rng(0)
    units = [wandering(random, steps, 4) for steps in (40, 25)]
    features = [np.stack([random.normal(size=len(one)), blocks(random, len(one))]) for one in units]
    features[0][0, 5:12] = np.nan
    shifts = [np.array([0, 7, 30]), np.array([0, 24, 1])]
    sums = [piece_sums(*one) for one in zip(units, features, shifts, strict=True)]
    found = (sums[0] + sums[1]).correlations()
    for shuffle in range(3):
        turned = np.concatenate(
            [np.roll(one, shift[shuffle], axis=1) for one, shift in zip(features, shifts, strict=True)], axis=1
        )
        for feature in range(2):
            has = ~np.isnan(turned[feature])
            for unit in range(4):
                expected = scipy.stats.pearsonr(np.concatenate(units)[has, unit], turned[feature, has]).statistic
                assert found[unit, feature, shuffle] == pytest.approx(expected, abs=1e-12)


def test_what_never_changes_follows_nothing():
    units = np.stack([np.full(20, 0.3), np.arange(20) / 20], axis=1)
    features = np.stack([np.arange(20.0), np.full(20, 2.0), np.full(20, np.nan)])
    found = piece_sums(units, features, np.array([0])).correlations()[:, :, 0]
    np.testing.assert_allclose(found, [[0, 0, 0], [1, 0, 0]], atol=1e-12)
    assert isinstance(piece_sums(units, features, np.array([0])), Sums)


def test_a_planted_unit_is_found_first():
    random = np.random.default_rng(1)
    ranking = Ranking(seed=2)
    for _ in range(20):
        steps = int(random.integers(60, 120))
        bars = (np.arange(steps) % int(random.integers(7, 17)) == 0).astype(float)
        values = {part: wandering(random, steps, 30) for part in (HIDDEN, Part(1, "cell"))}
        values[Part(1, "cell")][:, 17] = -bars + 0.3 * random.normal(size=steps)
        ranking.add(values, {"bar line": bars, "nothing": blocks(random, steps)})
    planted, chance = ranking.rank()
    best = planted.followers[0]
    assert (planted.feature, best.part, best.unit) == ("bar line", Part(1, "cell"), 17)
    assert best.correlation < -0.5
    assert best.p_value == 1 / 101
    assert abs(planted.followers[1].correlation) < planted.chance < 0.5
    assert chance.followers[0].p_value > 0.05
    assert len({(one.part.layer, one.unit) for one in planted.followers}) == 5


def test_chance_is_what_it_says():
    """Labels that have nothing to do with the units seldom seem to have: about as often as the p-values say."""
    random = np.random.default_rng(3)
    trials, found = 200, []
    for trial in range(trials):
        ranking = Ranking(shuffles=39, seed=trial)
        for _ in range(6):
            ranking.add({HIDDEN: wandering(random, 100, 8)}, {"label": blocks(random, 100)})
        found.append(ranking.rank()[0].followers[0].p_value)
    for level in (0.05, 0.25, 0.5):
        hits = int((np.array(found) <= level).sum())
        assert scipy.stats.binomtest(hits, trials, level).pvalue > 0.01, (level, hits)


def test_shuffles_are_the_same_for_the_same_seed():
    def ranked(seed):
        random = np.random.default_rng(4)
        ranking = Ranking(shuffles=19, seed=seed)
        ranking.add({HIDDEN: wandering(random, 80, 3)}, {"label": blocks(random, 80)})
        return ranking.rank()

    assert ranked(1) == ranked(1)
    assert ranked(1)[0].chance != ranked(2)[0].chance


def test_without_features_there_is_nothing_to_follow():
    ranking = Ranking()
    ranking.add({HIDDEN: np.zeros((3, 2))}, {})
    assert ranking.rank() == []

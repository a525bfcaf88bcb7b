import itertools

import numpy as np
import pytest

from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.registry import families_of
from etude.models.sequences import domain

MELODY = [60, -2, 64, -2, 67, -1, 65, -2, 60]


@pytest.fixture(params=families_of(domain.MELODY))
def model(request, tiny_model):
    return tiny_model(request.param)


def test_likelihood_is_additive_over_the_melody(model):
    """Each event adds its own share, the first none."""
    shares = model.log_likelihood([MELODY[:length] for length in range(1, len(MELODY) + 1)])
    assert shares[0] == 0.0
    assert all(later < earlier for earlier, later in itertools.pairwise(shares))
    assert all(type(share) is float for share in shares)


def test_likelihood_does_not_depend_on_the_batch(model, random_events):
    melodies = [random_events(seed, 5 + seed) for seed in range(8)]
    together = model.log_likelihood(melodies, squash=False)
    alone = [model.log_likelihood([melody], squash=False)[0] for melody in melodies]
    assert together == pytest.approx(alone, rel=1e-5)


def test_squash_brings_a_melody_into_the_models_key(tiny_model):
    model = tiny_model("basic")
    up_a_tone = [event + 14 if event >= 0 else event for event in MELODY]
    assert model.log_likelihood([up_a_tone]) == model.log_likelihood([MELODY])
    assert model.log_likelihood([up_a_tone]) == model.log_likelihood([MELODY], squash=False)


def test_a_pitch_outside_the_range_without_squash(model):
    with pytest.raises(EtudeError, match=r"pitch 72 is outside the range \[60, 72\) of .*leave out --no-squash"):
        model.log_likelihood([MELODY, [60, 72]], squash=False)


def test_no_melodies_and_empty_ones(model):
    assert model.log_likelihood([]) == []
    with pytest.raises(UsageError, match="a melody without events"):
        model.log_likelihood([MELODY, []])
    with pytest.raises(UsageError, match="melody 2 is not a melody: event 128"):
        model.log_likelihood([MELODY, [60, 128]])


def test_evaluate_squashes_unless_told_otherwise(tiny_model):
    model = tiny_model("basic")
    melodies = MelodySet.of([Melody(np.array(MELODY) + 12 * (np.array(MELODY) >= 0))])
    assert model.evaluate(melodies)["log_likelihood"].tolist() == model.log_likelihood([MELODY])
    with pytest.raises(EtudeError, match="--no-squash"):
        model.evaluate(melodies, squash=False)

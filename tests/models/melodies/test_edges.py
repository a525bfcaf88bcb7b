import numpy as np
import pytest

from etude.models.melodies.edges import Edges
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet


@pytest.fixture
def edges():
    random = np.random.default_rng(0)
    melodies = []
    for bar in (12, 16, 16, 16):
        lead = int(random.integers(bar))
        events = np.full(int(random.integers(4 * bar, 6 * bar)), -2)
        events[lead] = 60
        events[np.flatnonzero(random.random(len(events)) < 0.3) + 0] = 62
        events[:lead] = -2
        melodies.append(Melody(events, steps_per_bar=bar))
    return Edges.fitted(MelodySet.of(melodies))


@pytest.mark.parametrize("bar", [12, 16, 8])
def test_probabilities_of_pickups_add_up_to_one(edges, bar):
    starts = []
    for lead in range(bar):
        events = np.full(lead + 2, -2)
        events[lead] = 60
        starts.append(edges.log_likelihood(events, bar).start)
    assert np.exp(starts).sum() == pytest.approx(1)


def test_probabilities_of_ends_add_up_to_one(edges):
    """After each note either the melody ends, at some length, or there is another note: here at most three."""
    onsets, lengths = [0, 5, 23], np.arange(1, 2000)
    total = 0.0
    for last in range(len(onsets)):
        for length in lengths:
            events = np.full(onsets[last] + length, -2)
            events[onsets[: last + 1]] = 60
            total += np.exp(edges.log_likelihood(events, 16).end)
    # What is left is that the third is not the last.
    cells = [(16, onset // 16, onset % 16) for onset in onsets]
    share = (sum(edges.ends.values()) + 1) / (sum(edges.notes.values()) + 2)
    left = np.prod([1 - (edges.ends.get(cell, 0) + share) / (edges.notes.get(cell, 0) + 1) for cell in cells])
    assert total + left == pytest.approx(1, abs=1e-6)

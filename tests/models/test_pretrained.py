"""The models that come with Etude: each loads, is small, says what it is, and plays."""

import re

import numpy as np
import pytest

from etude.models import pretrained
from etude.models.errors import EtudeError
from etude.models.model import load
from etude.models.storage.run_directory import RunDirectory


@pytest.fixture(params=pretrained.names())
def name(request):
    return request.param


def test_each_is_small_and_has_a_card(name):
    run = RunDirectory(pretrained.located(name))
    assert run.best.stat().st_size <= 1 << 20
    card = (run.path / "README.md").read_text()
    described = run.read()
    assert card.startswith(f"# {name}\n")
    assert described.dataset.fingerprint in card
    assert re.search(r"commit [0-9a-f]{12}\b", card)
    # No path of the machine that trained it.
    assert "/" not in described.dataset.path


def test_each_plays(name):
    model = load(name)
    assert str(model.path) == name
    (melody,) = model.generate([60, -2, 62, -2], num_outputs=1, num_steps=64, seed=1)
    assert len(melody.events) == 64
    again = model.log_likelihood([melody.events], squash=False)
    assert melody.log_likelihood == pytest.approx(again[0], rel=1e-4)


def test_each_tells_tunes_from_random_notes(name):
    """A walk about a scale is likelier than as many notes anywhere in the range."""
    random = np.random.default_rng(1)
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72])
    walk, anywhere = np.full(128, -2), np.full(128, -2)
    walk[::2] = scale[np.clip(np.cumsum(random.integers(-1, 2, 64)) + 4, 0, 7)]
    anywhere[::2] = random.integers(48, 84, 64)
    likelihoods = load(name).log_likelihood([walk, anywhere])
    assert likelihoods[0] > likelihoods[1]


def test_unknown_names_list_those_that_there_are():
    with pytest.raises(EtudeError, match="there is no model pretrained:nothing") as raised:
        load("pretrained:nothing")
    assert all(name in str(raised.value) for name in pretrained.names())

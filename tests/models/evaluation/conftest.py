import numpy as np
import pytest

from etude.models.encodings.tokens import TokenEncoding
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.sequences.batch import Batch

LENGTHS = [20, 1, 7, 20, 2, 33, 0]


@pytest.fixture(params=["basic", "lookback", "attention"])
def model(request, tiny_model):
    return tiny_model(request.param)


@pytest.fixture
def melodies(random_events):
    return MelodySet.of(
        Melody(random_events(seed, length) if length else np.zeros(0, np.int64), steps_per_bar=16)
        for seed, length in enumerate(LENGTHS)
    )


@pytest.fixture(params=["basic", "lookback", "attention", "tokens"])
def encoding_and_batch(request, tiny_model, melodies):
    """Those of melodies, and a vocabulary of 300 of which every third token is a note."""
    if request.param != "tokens":
        return tiny_model(request.param).encoding, melodies.batch(np.arange(len(melodies)))
    encoding = TokenEncoding(300, masks={"note": np.arange(300) % 3 == 0})
    tokens = np.random.default_rng(7).integers(0, 300, (len(LENGTHS), max(LENGTHS)))
    return encoding, Batch(tokens, np.array(LENGTHS), {})

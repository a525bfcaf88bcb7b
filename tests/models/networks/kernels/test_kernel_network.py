"""Evaluation's network against the NumPy one."""

import numpy as np
import pytest

from etude.models.melodies.melody import metres
from etude.models.networks.kernels.network import CompiledNetwork


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("family", ["basic", "lookback"])
@pytest.mark.parametrize("others", [{}, {"embedding_size": 4, "dense_size": 7}])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_equals_numpy(family, cell, batch, others, tiny_model, random_events):
    model = tiny_model(family, cell=cell, **others)
    events = np.stack([random_events(seed, 11) for seed in range(batch)])
    inputs = model.encoding.inputs(events, metres([16] * batch))
    network = CompiledNetwork(model.configuration.hyperparameters, model.weights)
    np.testing.assert_allclose(network.logits(inputs), model.network.logits(inputs), atol=2e-5)


def test_attention_is_not_compiled(tiny_model):
    model = tiny_model("attention")
    with pytest.raises(ValueError, match="attention"):
        CompiledNetwork(model.configuration.hyperparameters, model.weights)

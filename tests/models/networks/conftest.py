from typing import Any, NamedTuple

import pytest

from etude.models.registry import families_of, family
from etude.models.sequences.domain import MELODY


class Kind(NamedTuple):
    """A network of a few units.

    Attributes:
      family: its family.
      overrides: of the family's hyperparameters.
      devices: that its layers are chosen for. Those for a GPU run on a CPU, too, but for cuDNN.
    """

    family: str
    overrides: dict[str, Any]
    devices: tuple[str, ...] = ("CPU",)


KINDS = {
    **{name: Kind(name, {}) for name in families_of(MELODY) if family(name).counting is None},
    "gru": Kind("lookback", {"cell": "gru"}),
    "rnn": Kind("basic", {"cell": "rnn"}),
    "lstm as in Keras": Kind("basic", {"forget_bias": 0.0, "initial_forget_bias": 1.0}),
    "lstm through Keras": Kind("lookback", {}, ("CPU", "GPU")),
    "gru through Keras": Kind("basic", {"cell": "gru"}, ("CPU", "GPU")),
    "rnn through Keras": Kind("basic", {"cell": "rnn"}, ("CPU", "GPU")),
    "embedded, and dense": Kind("basic", {"embedding_size": 4, "dense_size": 7}),
    "embedded, and dense, through Keras": Kind("basic", {"embedding_size": 4, "dense_size": 7}, ("CPU", "GPU")),
    "vectors embedded, and attention": Kind("attention", {"embedding_size": 9, "dense_size": 7}),
    "attention without a forget bias": Kind("attention", {"forget_bias": 0.0}, ("CPU", "GPU")),
}
"""Every family of melodies that is a network, every cell, and what may stand before and after the stack."""


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def model(kind, tiny_model):
    """What the contract of networks holds for."""
    return tiny_model(kind.family, **kind.overrides)


@pytest.fixture
def devices(kind):
    return kind.devices

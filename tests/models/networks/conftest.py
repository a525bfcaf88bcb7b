import pytest

from etude.models.registry import FAMILIES

KINDS = {
    **{name: (name, {}) for name, family in FAMILIES.items() if family.counting is None},
    "gru": ("lookback", {"cell": "gru"}),
    "rnn": ("basic", {"cell": "rnn"}),
    "lstm as in Keras": ("basic", {"forget_bias": 0.0, "initial_forget_bias": 1.0}),
    "attention without a forget bias": ("attention", {"forget_bias": 0.0}),
}
"""Every family that is a network, and every cell."""


@pytest.fixture(params=KINDS)
def model(request, tiny_model):
    """What the contract of networks holds for."""
    family, overrides = KINDS[request.param]
    return tiny_model(family, **overrides)

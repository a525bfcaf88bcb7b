import numpy as np
import pytest

from etude.models.networks.kernels import arithmetic


@arithmetic.compiled
def _tanh(x, out):
    for index in range(len(x)):
        out[index] = arithmetic.tanh(x[index])


@arithmetic.compiled
def _sigmoid(x, out):
    for index in range(len(x)):
        out[index] = arithmetic.sigmoid(x[index])


@pytest.fixture
def x():
    ends = [0.0, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf]
    return np.concatenate([np.linspace(-20, 20, 100_001), np.linspace(-1, 1, 100_001), ends]).astype(np.float32)


def test_tanh(x):
    """Relative to what it is, and, where it is nearly 1, 1 - tanh^2, which gradients are multiplied with."""
    found, exact = np.empty_like(x), np.tanh(x.astype(np.float64))
    _tanh(x, found)
    np.testing.assert_allclose(found, exact, rtol=3e-7)
    np.testing.assert_allclose(1 - found.astype(np.float64) ** 2, 1 - exact**2, atol=2.5e-7)
    assert np.abs(found).max() == 1


def test_sigmoid(x):
    found, exact = np.empty_like(x), 1 / (1 + np.exp(-np.clip(x.astype(np.float64), -80, 80)))
    _sigmoid(x, found)
    np.testing.assert_allclose(found, exact, atol=1.2e-7)

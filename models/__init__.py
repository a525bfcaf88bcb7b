"""Melody models: encodings, networks, training, likelihood and generation.

from models import load
model = load("runs/lookback")
model.log_likelihood([[60, -2, 62, -2, 64, -2, -2, -2]])
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.model import Model, load

__all__ = ["Model", "load"]


def __getattr__(name: str) -> Any:
    """Finds `load` and `Model` on first use, so that importing the package stays instant."""
    if name in __all__:
        from models import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

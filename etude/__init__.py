"""Etude trains, compares and plays small models of music.

>>> from etude import load
>>> model = load("runs/lookback")  # doctest: +SKIP

Names are imported when they are first used, so that `import etude` is instant.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etude.melody import Melody
    from etude.model import Model, load
    from etude.tune import Tune

_HOMES = {"Melody": "etude.melody", "Model": "etude.model", "Tune": "etude.tune", "load": "etude.model"}

__all__ = ["Melody", "Model", "Tune", "load"]


def __getattr__(name: str) -> Any:
    """Imports a public name (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'etude' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names and packages."""
    return sorted([*globals(), *__all__, "models", "pipelines"])

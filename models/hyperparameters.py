"""The numbers that shape and train a network, and how they are written on the command line."""

import ast
import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from etude.models.encodings.melody import LOOKBACK_UNITS
from etude.models.errors import UsageError, did_you_mean

MAX_BATCH, MAX_UNITS, MAX_LAYERS, MAX_DISTANCE = 1 << 20, 1 << 14, 32, 1 << 12
"""What no study of small models goes beyond, and what a machine's memory would not hold."""

REFUSED = {
    "residual_connections": "residual connections are not supported",
    "use_cudnn": "the device chooses the implementation by itself",
}
"""Magenta's hyperparameters that have no counterpart here, and why."""


@dataclasses.dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters under Magenta's names; every family sets its own defaults.

    Attributes:
      batch_size: melodies in a training step.
      rnn_layer_sizes: units of each LSTM layer, first to last.
      dropout_keep_prob: probability that an output of a layer is kept in training, in (0, 1].
      attn_length: steps that attention looks back on; 0 for no attention.
      clip_norm: each variable's gradient is scaled down to this norm.
      learning_rate: Adam's step size.
      lookback_distances: how far the encoding looks back for repeats, ascending; empty where it does not.
      lookback_unit: whether those distances are "steps" or "bars" of the melody's own metre.
    """

    batch_size: int = 128
    rnn_layer_sizes: tuple[int, ...] = (128, 128)
    dropout_keep_prob: float = 0.5
    attn_length: int = 0
    clip_norm: float = 5.0
    learning_rate: float = 0.001
    lookback_distances: tuple[int, ...] = ()
    lookback_unit: str = "steps"

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
          UsageError: naming the hyperparameter, its value and what it may be.
        """
        self._require("batch_size", 1 <= self.batch_size <= MAX_BATCH, f"from 1 to {MAX_BATCH}")
        sizes = self.rnn_layer_sizes
        self._require(
            "rnn_layer_sizes",
            min(sizes, default=0) >= 1 and max(sizes) <= MAX_UNITS and len(sizes) <= MAX_LAYERS,
            f"a list of at most {MAX_LAYERS} sizes from 1 to {MAX_UNITS}",
        )
        self._require("dropout_keep_prob", 0 < self.dropout_keep_prob <= 1, "above 0 and at most 1")
        self._require("attn_length", 0 <= self.attn_length <= MAX_DISTANCE, f"from 0 to {MAX_DISTANCE}")
        self._require("clip_norm", 0 < self.clip_norm < math.inf, "a number above 0")
        self._require("learning_rate", 0 < self.learning_rate < math.inf, "a number above 0")
        distances = self.lookback_distances
        ascending = list(distances) == sorted(set(distances)) and min(distances, default=1) >= 1
        self._require(
            "lookback_distances",
            ascending and max(distances, default=1) <= MAX_DISTANCE and len(distances) <= MAX_LAYERS,
            f"a list of at most {MAX_LAYERS} positive, ascending distances up to {MAX_DISTANCE}",
        )
        self._require("lookback_unit", self.lookback_unit in LOOKBACK_UNITS, " or ".join(LOOKBACK_UNITS))

    def _require(self, name: str, condition: bool, wanted: str) -> None:
        if not condition:
            raise UsageError(f"hyperparameter {name} must be {wanted}, not {getattr(self, name)}")

    def __str__(self) -> str:
        """In the form that `parse_overrides` reads."""
        values = dataclasses.asdict(self)
        return ",".join(f"{name}={_write(value)}" for name, value in values.items())


def override(defaults: Any, overrides: Mapping[str, Any]) -> Any:
    """Hyperparameters with some values replaced.

    Args:
      defaults: the values to start from, a family's dataclass.
      overrides: name to value; a list may be given as a list or tuple, a whole number for a float.

    Raises:
      UsageError: if a name is unknown or a value has the wrong type; the message lists the valid ones.
    """
    hints = get_type_hints(type(defaults))
    values = {}
    for name, value in overrides.items():
        if name in REFUSED and value:
            raise UsageError(f"hyperparameter {name}: {REFUSED[name]}")
        if name in REFUSED:
            continue
        if name not in hints:
            hint = did_you_mean(name, hints)
            raise UsageError(
                f"unknown hyperparameter {name!r}{hint or ';'} the valid ones, with their defaults: {defaults}"
            )
        values[name] = _convert(name, value, hints[name], defaults)
    return dataclasses.replace(defaults, **values)


def parse_overrides(text: str) -> dict[str, Any]:
    """Reads Magenta's form: `batch_size=64,rnn_layer_sizes=[64,64]`. Spaces do not matter.

    Raises:
      UsageError: if the text is not a list of name=value.
    """
    overrides = {}
    for item in re.split(r",(?![^\[]*\])", text):
        if not item.strip():
            continue
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--hparams takes name=value,name=[value,value], not {item.strip()!r}")
        try:
            overrides[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):  # the last two where brackets are nested deep
            overrides[name.strip()] = {"true": True, "false": False}.get(value.strip().lower(), value.strip())
    return overrides


def _convert(name: str, value: Any, wanted: Any, defaults: Any) -> Any:
    is_list = get_origin(wanted) is tuple
    kind = get_args(wanted)[0] if is_list else wanted
    items = list(value) if is_list and isinstance(value, list | tuple) else [value]
    if any(isinstance(item, int) and abs(item) >= 1 << 63 for item in items):
        raise UsageError(f"hyperparameter {name} takes no number of 2^63 or more")
    allowed = (int, float) if kind is float else (kind,)
    if any(isinstance(item, bool) or not isinstance(item, allowed) for item in items):
        description = {int: "a whole number", float: "a number", str: "a word"}[kind]
        if is_list:
            description = "a list of whole numbers in square brackets"
        example = _write(getattr(defaults, name))
        raise UsageError(f"hyperparameter {name} takes {description} (default {name}={example}), not {value!r}")
    converted = [kind(item) for item in items]
    return tuple(converted) if is_list else converted[0]


def _write(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "[" + ",".join(map(str, value)) + "]"
    return str(value)

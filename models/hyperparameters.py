"""The numbers that shape and train a network, and how they are written on the command line."""

import ast
import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from etude.models.errors import UsageError, did_you_mean

MAX_BATCH, MAX_UNITS, MAX_LAYERS, MAX_DISTANCE = 1 << 20, 1 << 14, 32, 1 << 12
"""What no study of small models goes beyond, and what a machine's memory would not hold."""

_MEANING = "meaning"

REFUSED = {
    "residual_connections": "residual connections are not supported",
    "use_cudnn": "the device chooses the implementation by itself",
}
"""Magenta's hyperparameters that have no counterpart here, and why."""


WORDS = {
    "batches": ("sequences", "windows", "stream"),
    "window_labels": ("all", "last"),
    "cell": ("lstm", "gru", "rnn"),
    "clip_by": ("variable_norm", "global_norm", "value", "none"),
    "optimiser": ("adam", "rmsprop", "adagrad"),
    "loss": ("mean", "sum"),
}
"""What hyperparameters that are words may be."""


def value(default: Any, meaning: str) -> Any:
    """A field of hyperparameters: its default, and what it means, as `etude train --list-hparams` shows it."""
    return dataclasses.field(default=default, metadata={_MEANING: meaning})


@dataclasses.dataclass(frozen=True)
class Values:
    """Hyperparameters of any kind of family: a frozen dataclass of numbers, words and lists of whole numbers.

    A kind of hyperparameters adds its fields, checks them in `__post_init__`, and is written, read and overridden by name.
    """

    def require(self, name: str, condition: bool, wanted: str) -> None:
        """Checks a value.

        Raises:
          UsageError: if the condition does not hold, naming the hyperparameter, its value and what it may be.
        """
        if not condition:
            raise UsageError(f"hyperparameter {name} must be {wanted}, not {write(getattr(self, name))}")

    def __str__(self) -> str:
        """In the form that `parse_overrides` reads."""
        return ",".join(f"{name}={text}" for name, text in as_text(self).items())


@dataclasses.dataclass(frozen=True)
class Hyperparameters(Values):
    """Those of a recurrent network and its training, under Magenta's names; every family sets its own defaults."""

    cell: str = value("lstm", "of the layers: lstm, gru or rnn")
    rnn_layer_sizes: tuple[int, ...] = value((128, 128), "units of each layer, first to last")
    embedding_size: int = value(
        0, "numbers that the input becomes through a matrix that is learnt: of a token its embedding; 0 for none"
    )
    dense_size: int = value(0, "units of a layer of rectified linear units between those and the labels; 0 for none")
    attn_length: int = value(0, "steps that attention of the first layer, an LSTM, looks back on; 0 for none")
    forget_bias: float = value(
        1.0, "added to the bias of an LSTM's forget gate whenever it runs: TensorFlow 1's form of it"
    )
    initial_forget_bias: float = value(0.0, "what that bias begins with: Keras's form is 1, with a forget_bias of 0")
    initial_deviation: float = value(0.0, "of normal initial weights; 0 for Glorot's uniform ones")
    dropout_keep_prob: float = value(0.5, "probability that an output of a layer is kept in training, in (0, 1]")
    recurrent_keep_prob: float = value(
        1.0,
        "probability that a unit's output reaches the next step in training, drawn once a sequence or chunk, in (0, 1]",
    )
    batch_size: int = value(128, "rows of a training step: sequences, windows, or streams")
    batches: str = value(
        "sequences",
        "what a row is: sequences (whole ones), windows, or a stream of sequences in chunks, whose state goes on from "
        "chunk to chunk and begins anew with each sequence",
    )
    chunk_steps: int = value(100, "steps of a window, or of a chunk of a stream")
    window_stride: int = value(1, "steps from the start of a window to that of the next")
    window_labels: str = value("all", "which steps of a window count in the loss: all, or the last")
    loss: str = value("mean", "over the steps of a batch: mean or sum")
    clip_by: str = value(
        "variable_norm", "what bounds the gradients: variable_norm (of each variable), global_norm, value, none"
    )
    clip_norm: float = value(5.0, "the bound")
    optimiser: str = value("adam", "adam, rmsprop or adagrad")
    learning_rate: float = value(0.001, "of the first step")
    learning_rate_decay: float = value(0.0, "the rate is divided by 1 + this times the steps taken")
    learning_rate_epoch_factor: float = value(1.0, "the rate is multiplied with this after every epoch but the first")
    learning_rate_epochs: int = value(0, "how many first epochs keep the rate")

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
          UsageError: naming the hyperparameter, its value and what it may be.
        """
        self.require("batch_size", 1 <= self.batch_size <= MAX_BATCH, f"from 1 to {MAX_BATCH}")
        sizes = self.rnn_layer_sizes
        self.require(
            "rnn_layer_sizes",
            min(sizes, default=0) >= 1 and max(sizes) <= MAX_UNITS and len(sizes) <= MAX_LAYERS,
            f"a list of at most {MAX_LAYERS} sizes from 1 to {MAX_UNITS}",
        )
        for name in ("embedding_size", "dense_size"):
            self.require(name, 0 <= getattr(self, name) <= MAX_UNITS, f"from 0 to {MAX_UNITS}")
        self.require("chunk_steps", 1 <= self.chunk_steps <= MAX_BATCH, f"from 1 to {MAX_BATCH}")
        self.require("window_stride", 1 <= self.window_stride <= MAX_BATCH, f"from 1 to {MAX_BATCH}")
        overlaps = self.batches != "windows" or self.window_stride <= self.chunk_steps
        self.require(
            "window_stride", overlaps, f"at most chunk_steps, {self.chunk_steps}: what lies between is not learnt"
        )
        self.require("dropout_keep_prob", 0 < self.dropout_keep_prob <= 1, "above 0 and at most 1")
        self.require("recurrent_keep_prob", 0 < self.recurrent_keep_prob <= 1, "above 0 and at most 1")
        for name, words in WORDS.items():
            self.require(name, getattr(self, name) in words, " or ".join(words))
        self.require("attn_length", 0 <= self.attn_length <= MAX_DISTANCE, f"from 0 to {MAX_DISTANCE}")
        attends = self.attn_length > 0
        self.require("cell", not attends or self.cell == "lstm", "lstm where attn_length is not 0")
        self.require(
            "recurrent_keep_prob", not attends or self.recurrent_keep_prob == 1, "1 where attn_length is not 0"
        )
        is_one = self.window_labels == "last"
        self.require("window_labels", not is_one or self.batches == "windows", "all where batches is not windows")
        self.require("learning_rate_decay", 0 <= self.learning_rate_decay < math.inf, "0 or more")
        self.require("learning_rate_epoch_factor", 0 < self.learning_rate_epoch_factor <= 1, "above 0 and at most 1")
        self.require("learning_rate_epochs", self.learning_rate_epochs >= 0, "0 or more")
        for name in ("forget_bias", "initial_forget_bias"):
            self.require(name, math.isfinite(getattr(self, name)), "a number")
        self.require("initial_deviation", 0 <= self.initial_deviation < math.inf, "0 or more")
        self.require("clip_norm", 0 < self.clip_norm < math.inf, "a number above 0")
        self.require("learning_rate", 0 < self.learning_rate < math.inf, "a number above 0")


Kind = TypeVar("Kind")


def override(defaults: Kind, overrides: Mapping[str, Any]) -> Kind:
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
    return dataclasses.replace(defaults, **values)  # type: ignore[type-var]


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
        overrides[name.strip()] = parse_value(value.strip())
    return overrides


def parse_value(text: str) -> Any:
    """The number, list, truth value or word that is written."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):  # the last two where brackets are nested deep
        return {"true": True, "false": False}.get(text.lower(), text)


def write(value: Any) -> str:
    """A value in the form that `parse_value` reads."""
    if isinstance(value, tuple | list):
        return "[" + ",".join(map(str, value)) + "]"
    return str(value)


def as_text(hyperparameters: Any) -> dict[str, str]:
    """Every value by its name, in the form that `parse_value` reads, of a dataclass of hyperparameters."""
    return {field.name: write(getattr(hyperparameters, field.name)) for field in dataclasses.fields(hyperparameters)}


def changed(hyperparameters: Any, defaults: Any) -> dict[str, str]:
    """The values that are not the defaults, by their names, in the form that `parse_value` reads."""
    before = as_text(defaults)
    return {name: text for name, text in as_text(hyperparameters).items() if text != before[name]}


def meanings(hyperparameters: Any) -> dict[str, str]:
    """What every value means, by its name; empty where a dataclass of hyperparameters does not say it."""
    return {field.name: field.metadata.get(_MEANING, "") for field in dataclasses.fields(hyperparameters)}


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
        example = write(getattr(defaults, name))
        raise UsageError(f"hyperparameter {name} takes {description} (default {name}={example}), not {value!r}")
    converted = [kind(item) for item in items]
    return tuple(converted) if is_list else converted[0]

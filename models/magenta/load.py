"""Magenta's bundles and TensorFlow 1's checkpoints as models."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from etude.models.configuration import Configuration
from etude.models.errors import EtudeError, UsageError
from etude.models.magenta.magenta_pb2 import GeneratorBundle, MetaGraph
from etude.models.magenta.tensors import Tensors, tensors_of_version_1, tensors_of_version_2
from etude.models.magenta.variables import has_attention, layer_sizes, weights
from etude.models.networks.cells.arrays import Array
from etude.models.networks.weights import shapes
from etude.models.registry import configure, make_encoding

MAX_BUNDLE_BYTES = 1 << 30
MAX_ATTENTION_LENGTH = 1 << 12

Loaded = tuple[Configuration, dict[str, Array], int]
"""A configuration, its weights, and the training step of the weights."""


def load_bundle(path: pathlib.Path) -> Loaded:
    """Reads a bundle.

    The bundle names its configuration; the sizes of the layers are read off the weights, and the length of the attention
    off a constant of the stored graph, which is not executed.

    Raises:
      EtudeError: if it is missing, too large, not a bundle, damaged, or of another kind of model.
    """
    try:
        if path.stat().st_size > MAX_BUNDLE_BYTES:
            raise ValueError(f"it is larger than {MAX_BUNDLE_BYTES:,} bytes")
        bundle = GeneratorBundle.FromString(path.read_bytes())
        if not bundle.checkpoint_file or not bundle.generator_details.id:
            raise ValueError("it is not a Magenta bundle")
        tensors = tensors_of_version_1(bundle.checkpoint_file[0])
        overrides: dict[str, Any] = {"rnn_layer_sizes": layer_sizes(tensors), "attn_length": 0}
        if has_attention(tensors):
            overrides["attn_length"] = _attention_length(bundle.metagraph_file)
        return _fitted(tensors, configure(bundle.generator_details.id, overrides))
    except OSError as error:
        raise EtudeError(f"bundle {path} cannot be read: {error.strerror}") from error
    except UsageError as error:
        raise EtudeError(f"bundle {path} is of a model that is not supported: {error}") from error
    except (ValueError, DecodeError) as error:
        raise EtudeError(f"bundle {path} cannot be read: {error}; get it again") from error


def is_checkpoint(path: pathlib.Path) -> bool:
    """Whether the path is the prefix of a TensorFlow checkpoint of format version 2, or a file of it."""
    return pathlib.Path(f"{_prefix(path)}.index").is_file()


def load_checkpoint(path: pathlib.Path, config: str, overrides: Mapping[str, Any]) -> Loaded:
    """Reads a checkpoint that Magenta's training wrote.

    Args:
      path: its prefix, such as run/train/model.ckpt-200.
      config: the family; a checkpoint does not know it.
      overrides: hyperparameters that differ from the family's defaults. Sizes of layers are read off the weights; the
        length of the attention cannot be.

    Raises:
      EtudeError: if it is missing or damaged, or does not fit the configuration.
      UsageError: if no configuration is named, or an override is unknown.
    """
    if not config:
        raise UsageError(f"{path} is a TensorFlow checkpoint, which does not know its configuration; add --config NAME")
    try:
        tensors = tensors_of_version_2(_prefix(path))
        configuration = configure(config, {"rnn_layer_sizes": layer_sizes(tensors), **overrides})
        return _fitted(tensors, configuration)
    except OSError as error:
        raise EtudeError(f"checkpoint {path} cannot be read: {error.strerror}") from error
    except (ValueError, DecodeError) as error:
        raise EtudeError(f"checkpoint {path} cannot be read: {error}") from error


def _fitted(tensors: Tensors, configuration: Configuration) -> Loaded:
    """The weights, if they have the shapes that the configuration calls for."""
    found = weights(tensors, configuration.hyperparameters)
    for name, shape in shapes(configuration.hyperparameters, make_encoding(configuration)).items():
        if found[name].shape != shape:
            raise ValueError(
                f"{name} has the shape {found[name].shape} where configuration {configuration.config} "
                f"({configuration.hyperparameters}) has {shape}"
            )
    step = tensors.get("global_step", np.zeros(1, np.int64))
    if step.size != 1 or step.dtype.kind != "i":
        raise ValueError("its global_step is not a whole number")
    return configuration, found, step.item()


def _attention_length(metagraph: bytes) -> int:
    """The number of memory slots, from the constant that the graph reshapes its memory with."""
    for node in MetaGraph.FromString(metagraph).graph_def.node:
        if node.op == "Const" and node.name.endswith("/attention_cell_wrapper/Reshape/shape") and "value" in node.attr:
            tensor = node.attr["value"].tensor
            content = tensor.tensor_content
            values = [int.from_bytes(content[i : i + 4], "little", signed=True) for i in range(0, len(content), 4)]
            if len(values) == 3 and 0 < values[1] <= MAX_ATTENTION_LENGTH:
                return values[1]
    raise ValueError("the length of its attention cannot be found in its graph")


def _prefix(path: pathlib.Path) -> pathlib.Path:
    return path.with_suffix("") if path.suffix == ".index" or path.suffix.startswith(".data-") else path

"""The weights of a network: their names, shapes and initial values.

A network is a stack of recurrent layers (the first with attention, if `attn_length` is not 0) and a linear layer to the
labels. Before the stack may stand a matrix that embeds what comes in (`embedding_size`), after it a dense layer
(`dense_size`). An LSTM's kernels are joint, [input + hidden, 4 x hidden], with TensorFlow 1's order of gates: input, new
input, forget, output; a forget bias of 1 is added when the network runs. So Magenta's checkpoints carry over number for
number.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.cells import SHAPES
from etude.models.networks.cells.arrays import Array

Weights = Mapping[str, Array]


def shapes(hyperparameters: Hyperparameters, encoding: Encoding) -> dict[str, tuple[int, ...]]:
    """Every weight's shape by its name, in a fixed order."""
    result: dict[str, tuple[int, ...]] = {}
    size = encoding.input_size
    if hyperparameters.embedding_size:
        result["embedding/kernel"] = (size, hyperparameters.embedding_size)
        size = hyperparameters.embedding_size
    for layer, units in enumerate(hyperparameters.rnn_layer_sizes):
        cell_shapes = SHAPES[hyperparameters.cell](size, units)
        result |= {f"layer_{layer}/{name}": shape for name, shape in cell_shapes.items()}
        if layer == 0 and hyperparameters.attn_length:
            result["attention/input_kernel"] = (size + units, size)
            result["attention/input_bias"] = (size,)
            result["attention/query_kernel"] = (2 * units, units)
            result["attention/query_bias"] = (units,)
            result["attention/memory_kernel"] = (units, units)
            result["attention/score_vector"] = (units,)
            result["attention/output_kernel"] = (2 * units, units)
            result["attention/output_bias"] = (units,)
        size = units
    if hyperparameters.dense_size:
        result["dense/kernel"] = (size, hyperparameters.dense_size)
        result["dense/bias"] = (hyperparameters.dense_size,)
        size = hyperparameters.dense_size
    result["output/kernel"] = (size, encoding.num_labels)
    result["output/bias"] = (encoding.num_labels,)
    return result


def layer_weights(weights: Mapping[str, Any], layer: int) -> dict[str, Any]:
    """The weights of a layer's cells, without the layer's name; with those of the first, attention's under their own."""
    prefix = f"layer_{layer}/"
    others = "attention/" if layer == 0 else prefix
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith((prefix, others))}


def as_weights(arrays: Mapping[str, npt.NDArray[np.generic]]) -> Weights:
    """Arrays as weights: float32."""
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def initialise(hyperparameters: Hyperparameters, encoding: Encoding, seed: int) -> dict[str, Array]:
    """Initial weights, the same on every machine.

    Kernels are Glorot-uniform, or normal with a mean of zero. The Glorot limit of a joint kernel is that of the whole
    matrix, as in Magenta's graph (Glorot and Bengio 2010). Biases are zero, but for an LSTM's initial forget bias.
    """
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in shapes(hyperparameters, encoding).items():
        if name.endswith("bias"):
            weights[name] = np.zeros(shape, np.float32)
            if name.startswith("layer_") and hyperparameters.cell == "lstm":
                weights[name].reshape(4, -1)[2] = hyperparameters.initial_forget_bias
        elif hyperparameters.initial_deviation:
            weights[name] = random.normal(0, hyperparameters.initial_deviation, shape).astype(np.float32)
        else:
            limit = np.sqrt(6.0 / (shape[0] + shape[-1]))
            weights[name] = random.uniform(-limit, limit, shape).astype(np.float32)
    return weights

"""The weights of a network: their names, shapes and initial values.

A network is a stack of LSTM layers (the first with attention, if `attn_length` is not 0) and a linear layer to the
labels. Kernels are joint, [input + hidden, 4 x hidden], with TensorFlow 1's order of gates: input, new input, forget,
output; a forget bias of 1 is added when the network runs. So Magenta's checkpoints carry over number for number.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float32]
Weights = Mapping[str, Array]

FORGET_BIAS = 1.0


def shapes(hyperparameters: Hyperparameters, encoding: Encoding) -> dict[str, tuple[int, ...]]:
    """Every weight's shape by its name, in a fixed order."""
    result: dict[str, tuple[int, ...]] = {}
    size = encoding.input_size
    for layer, units in enumerate(hyperparameters.rnn_layer_sizes):
        result[f"layer_{layer}/kernel"] = (size + units, 4 * units)
        result[f"layer_{layer}/bias"] = (4 * units,)
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
    result["output/kernel"] = (size, encoding.num_labels)
    result["output/bias"] = (encoding.num_labels,)
    return result


def as_weights(arrays: Mapping[str, npt.NDArray[np.generic]]) -> Weights:
    """Arrays as weights: float32."""
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def initialise(hyperparameters: Hyperparameters, encoding: Encoding, seed: int) -> dict[str, Array]:
    """Initial weights, the same on every machine: kernels Glorot-uniform, biases zero.

    The Glorot limit of a joint kernel is that of the whole matrix, as in Magenta's graph (Glorot and Bengio 2010).
    """
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in shapes(hyperparameters, encoding).items():
        if name.endswith("bias"):
            weights[name] = np.zeros(shape, np.float32)
        else:
            limit = np.sqrt(6.0 / (shape[0] + shape[-1]))
            weights[name] = random.uniform(-limit, limit, shape).astype(np.float32)
    return weights

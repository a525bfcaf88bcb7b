"""Magenta's variables as our weights."""

import numpy as np

from etude.models.hyperparameters import Hyperparameters
from etude.models.magenta.tensors import Tensors
from etude.models.networks.cells.arrays import Array

CELL = "rnn/multi_rnn_cell/cell_{layer}/"
ATTENTION_CELL = "attention_cell_wrapper/"
ATTENTION_VARIABLES = {
    "attention/input_kernel": "kernel",
    "attention/input_bias": "bias",
    "attention/query_kernel": "attention/kernel",
    "attention/query_bias": "attention/bias",
    "attention/memory_kernel": "attention/attn_w",
    "attention/score_vector": "attention/attn_v",
    "attention/output_kernel": "attn_output_projection/kernel",
    "attention/output_bias": "attn_output_projection/bias",
}
OUTPUT_VARIABLES = {"output/kernel": "fully_connected/weights", "output/bias": "fully_connected/biases"}


def layer_sizes(tensors: Tensors) -> tuple[int, ...]:
    """Units of each layer, read off the shapes of the biases.

    Raises:
      ValueError: if there is no layer, or a bias is not one.
    """
    sizes: list[int] = []
    while (name := _lstm(tensors, len(sizes)) + "bias") in tensors:
        if tensors[name].ndim != 1:
            raise ValueError(f"{name} has the shape {tensors[name].shape}")
        sizes.append(len(tensors[name]) // 4)
    if not sizes:
        raise ValueError("it holds no LSTM layer of a Melody RNN")
    return tuple(sizes)


def has_attention(tensors: Tensors) -> bool:
    """Whether the first layer has attention."""
    return CELL.format(layer=0) + ATTENTION_CELL + "attention/attn_v" in tensors


def weights(tensors: Tensors, hyperparameters: Hyperparameters) -> dict[str, Array]:
    """Our weights from Magenta's variables.

    Raises:
      ValueError: if a variable is missing.
    """
    names = dict(OUTPUT_VARIABLES)
    for layer in range(len(hyperparameters.rnn_layer_sizes)):
        names |= {f"layer_{layer}/{part}": _lstm(tensors, layer) + part for part in ("kernel", "bias")}
    if hyperparameters.attn_length:
        cell = CELL.format(layer=0) + ATTENTION_CELL
        names |= {ours: cell + theirs for ours, theirs in ATTENTION_VARIABLES.items()}
    missing = [theirs for theirs in names.values() if theirs not in tensors]
    if missing:
        raise ValueError(f"it has no variable {missing[0]}")
    result = {ours: np.asarray(tensors[theirs], np.float32) for ours, theirs in names.items()}
    if "attention/memory_kernel" in result and result["attention/memory_kernel"].shape[:2] == (1, 1):
        # Magenta projects its memory with a convolution of width 1.
        result["attention/memory_kernel"] = result["attention/memory_kernel"][0, 0]
    return result


def _lstm(tensors: Tensors, layer: int) -> str:
    cell = CELL.format(layer=layer)
    return cell + (ATTENTION_CELL if layer == 0 and has_attention(tensors) else "") + "basic_lstm_cell/"

"""Whole sequences through a network of compiled layers, on all processors: what evaluation runs on."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.cells.arrays import Array, Places
from etude.models.networks.kernels.layer import CompiledLayer
from etude.models.networks.kernels.threads import one_blas_thread
from etude.models.networks.weights import Weights, layer_weights


class CompiledNetwork:
    """A stack of layers without attention, and a linear layer to the labels; equal to `Network` within rounding."""

    def __init__(self, hyperparameters: Hyperparameters, weights: Weights) -> None:
        """Takes the weights that `etude.models.networks.weights.shapes` names.

        Raises:
          ValueError: if the first layer attends.
        """
        if hyperparameters.attn_length:
            raise ValueError("attention is not compiled")
        self._layers = [
            (CompiledLayer(hyperparameters.cell, units, hyperparameters.forget_bias), layer_weights(weights, number))
            for number, units in enumerate(hyperparameters.rnn_layer_sizes)
        ]
        self._embedding = weights.get("embedding/kernel")
        self._dense = (weights["dense/kernel"], weights["dense/bias"]) if "dense/kernel" in weights else None
        self._kernel, self._bias = weights["output/kernel"], weights["output/bias"]

    def logits(self, inputs: Array | Places) -> Array:
        """The logits after every step of a batch of whole sequences: see `Network.logits`."""
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        result = np.empty((*inputs.shape[:2], len(self._bias)), np.float32)
        # Every n-th row, so that each part has short and long ones.
        parts = [slice(number, None, processors) for number in range(min(processors, len(inputs)))]
        with one_blas_thread(), ThreadPoolExecutor(processors) as pool:
            for part, logits in zip(parts, pool.map(lambda part: self._part(inputs[part]), parts), strict=True):
                result[part] = logits
        return result

    def _part(self, inputs: Array | Places) -> Array:
        values: Any = np.ascontiguousarray(inputs.swapaxes(0, 1))
        if self._embedding is not None:
            values = self._embedding[values] if values.ndim == 2 else values @ self._embedding
        for layer, weights in self._layers:
            state = [np.zeros((len(inputs), layer.units), np.float32)] * layer.num_states
            values = layer.forward(values, weights, state, keeps=False).outputs[1:]
        flat = values.reshape(-1, values.shape[2])
        if self._dense is not None:
            kernel, bias = self._dense
            flat = np.maximum(flat @ kernel + bias, 0)
        logits = flat @ self._kernel
        logits += self._bias
        return logits.reshape(*values.shape[:2], -1).swapaxes(0, 1)

"""Which code a recurrent layer runs on in TensorFlow; all of it computes the same.

Compiled layers are the fastest on a CPU, and our own attention the only one. Keras's layers do the rest: on a GPU, they take
cuDNN where it can be taken.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.tensorflow_attention import AttentionLayer
from etude.models.networks.tensorflow_keras import KerasLayer
from etude.models.networks.tensorflow_steps import State, Tensor

CPU, GPU = "CPU", "GPU"
"""Kinds of devices, as TensorFlow names them."""


class Layer(Protocol):
    """A recurrent layer, whose weights and state are given at every call."""

    def initial_state(self, batch_size: Tensor) -> State:
        """Zeros for every sequence."""

    def __call__(self, inputs: Tensor, weights: Mapping[str, Tensor], state: State) -> tuple[Tensor, State]:
        """The outputs, and the state after the last step.

        Args:
          inputs: [steps, batch, input_size].
          weights: of the layer, from `etude.models.networks.weights.layer_weights`.
          state: from `initial_state`, or the one after the steps before.

        Returns:
          [steps, batch, units], and the next state.
        """


class Implementation(enum.Enum):
    """What a layer runs on, in the words of a message."""

    OURS = "step by step"
    COMPILED = "in compiled code"
    KERAS = "step by step in Keras"
    CUDNN = "on cuDNN"


def implementation(
    devices: Collection[str], cell: str, attends: bool, drops_recurrently: bool, compiles: bool = True
) -> Implementation:
    """What a layer runs on.

    Args:
      devices: the kinds that there are.
      cell: lstm, gru or rnn.
      attends: whether the layer, an LSTM, has attention.
      drops_recurrently: whether there is recurrent dropout.
      compiles: whether compiled layers may be used.
    """
    if attends:
        return Implementation.OURS
    if GPU in devices and cell in ("lstm", "gru") and not drops_recurrently:
        return Implementation.CUDNN
    if GPU not in devices and compiles and not drops_recurrently:
        return Implementation.COMPILED
    return Implementation.KERAS


def implementations(
    devices: Collection[str], hyperparameters: Hyperparameters, compiles: bool = True
) -> list[Implementation]:
    """What every layer of a network runs on, first to last."""
    return [
        implementation(
            devices,
            hyperparameters.cell,
            attends=number == 0 and hyperparameters.attn_length > 0,
            drops_recurrently=hyperparameters.recurrent_keep_prob < 1,
            compiles=compiles,
        )
        for number in range(len(hyperparameters.rnn_layer_sizes))
    ]


def make_layers(
    devices: Collection[str], hyperparameters: Hyperparameters, input_size: int, compiles: bool = True
) -> Sequence[Layer]:
    """The layers of a network, first to last; to be called outside of any graph."""
    sizes, forget_bias = hyperparameters.rnn_layer_sizes, hyperparameters.forget_bias
    # Weights before the stack need the gradients of what it is given.
    before_all = hyperparameters.embedding_size
    layers: list[Layer] = []
    for number, chosen in enumerate(implementations(devices, hyperparameters, compiles)):
        units = sizes[number]
        if number == 0 and hyperparameters.attn_length:
            layers.append(AttentionLayer(units, hyperparameters.attn_length, forget_bias))
        elif chosen is Implementation.COMPILED:
            from etude.models.networks.tensorflow_kernels import KernelLayer

            layers.append(
                KernelLayer(hyperparameters.cell, units, forget_bias, is_first=not before_all and number == 0)
            )
        else:
            before = sizes[number - 1] if number else before_all or input_size
            is_masked = hyperparameters.recurrent_keep_prob < 1
            layers.append(KerasLayer(hyperparameters.cell, before, units, forget_bias, is_masked))
    return layers

"""Compiled layers in TensorFlow's graphs, each a function of NumPy with a gradient of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from etude.models.networks.cells import SHAPES
from etude.models.networks.kernels.layer import CompiledLayer, Kept
from etude.models.networks.tensorflow_steps import State, Tensor


class KernelLayer:
    """A layer of cells in compiled code, whose weights are given at every call.

    Attributes:
      takes_places: whether one-hot inputs may be given as the places of their ones: those of a network's first layer, whose
        gradient nobody wants.
    """

    def __init__(self, cell: str, units: int, forget_bias: float = 0.0, is_first: bool = False) -> None:
        """Makes a layer.

        Args:
          cell: lstm, gru or rnn.
          units: numbers that go out.
          forget_bias: is added to an LSTM's own.
          is_first: whether its inputs are those of the network.
        """
        self.takes_places = is_first
        self._names = list(SHAPES[cell](1, units))
        self._layer = CompiledLayer(cell, units, forget_bias)
        # Outside of graphs, TensorFlow would copy what goes into a function of NumPy.
        self._unroll = tf.function(self._with_gradient(), autograph=False, reduce_retracing=True)

    def initial_state(self, batch_size: Tensor) -> State:
        """Zeros: the last output, and of an LSTM the cell, [batch, units] each."""
        return tuple(tf.zeros([batch_size, self._layer.units]) for _ in range(self._layer.num_states))

    def __call__(self, inputs: Tensor, weights: Mapping[str, Tensor], state: State) -> tuple[Tensor, State]:
        """The outputs, and the state after the last step: see `etude.models.networks.tensorflow_layers.Layer`."""
        outputs, *after = self._unroll(inputs, *(weights[name] for name in self._names), *state)
        return outputs, tuple(after)

    def _with_gradient(self) -> Any:
        """The layer as a function of tensors alone, with its gradient."""
        layer, names = self._layer, self._names

        def forward(inputs: Any, *values: Any) -> tuple[Any, ...]:
            weights = dict(zip(names, values[: len(names)], strict=True))
            return tuple(layer.forward(inputs, weights, values[len(names) :]))

        def backward(inputs: Any, *values: Any) -> list[Any]:
            weights, rest = dict(zip(names, values[: len(names)], strict=True)), values[len(names) :]
            kept, (d_outputs, *d_state) = Kept(*rest[:3]), rest[3:]
            found = layer.backward(inputs, weights, kept, d_outputs, d_state, not self.takes_places)
            return [found.inputs, *found.weights.values(), *found.state]

        @tf.custom_gradient
        def unroll(inputs: Tensor, *values: Tensor) -> Any:
            kept = _function(forward, [inputs, *values], 3)
            units, batch = layer.units, inputs.shape[1]
            kept[0].set_shape([None, batch, units])
            kept[1].set_shape([None, batch, units])
            outputs, after = kept[0][1:], [part[-1] for part in kept[: layer.num_states]]

            def gradient(*given: Tensor) -> list[Tensor]:
                weights = values[: len(names)]
                d_inputs, *others = _function(backward, [inputs, *weights, *kept, *given], 1 + len(values))
                for value, found in zip(values, others, strict=True):
                    found.set_shape(value.shape)
                if self.takes_places:
                    return [None if inputs.dtype.is_integer else tf.zeros_like(inputs), *others]
                d_inputs.set_shape(inputs.shape)
                return [d_inputs, *others]

            return (outputs, *after), gradient

        return unroll


def _function(function: Callable[..., Any], arguments: Sequence[Tensor], num_results: int) -> Any:
    """Calls a pure function of NumPy. If it might keep a state, TensorFlow would let none run while another does."""
    return tf.numpy_function(function, arguments, [tf.float32] * num_results, stateful=False)

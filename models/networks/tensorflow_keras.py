"""Recurrent layers of any cell in TensorFlow: Keras's, which take cuDNN on a GPU where they can.

The arithmetic is that of `etude.models.networks.cells`.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from etude.models.networks.tensorflow_steps import State, Tensor

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""Masks that recurrent dropout takes, one a gate."""


class KerasLayer:
    """A layer of cells, whose weights are given at every call.

    Attributes:
      is_masked: whether there is recurrent dropout.
    """

    def __init__(
        self, cell: str, input_size: int, units: int, forget_bias: float = 0.0, is_masked: bool = False
    ) -> None:
        """Makes Keras's layer, outside of any graph.

        Args:
          cell: lstm, gru or rnn.
          input_size: numbers that come in at a step.
          units: numbers that go out.
          forget_bias: is added to an LSTM's own.
          is_masked: whether there is recurrent dropout.
        """
        self.is_masked = is_masked
        self._cell = cell
        self._units = units
        self._forget_bias = forget_bias
        options = {"return_sequences": True, "return_state": True}
        if is_masked:
            # Any rate but 0 makes a cell ask for its masks.
            self._layer = keras.layers.RNN(_MASKED_CELLS[cell](units, recurrent_dropout=0.5), **options)
        else:
            self._layer = _LAYERS[cell](units, **options)
        self._layer.build((None, None, input_size))

    def initial_state(self, batch_size: Tensor) -> State:
        """Zeros: the last output, and of an LSTM the cell, [batch, units] each."""
        return tuple(tf.zeros([batch_size, self._units]) for _ in range(2 if self._cell == "lstm" else 1))

    def __call__(
        self, inputs: Tensor, weights: Mapping[str, Tensor], state: State, masks: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """The outputs, and the state after the last step: see `etude.models.networks.tensorflow_layers.Layer`.

        Args:
          inputs: [steps, batch, input_size].
          weights: of the shapes of `etude.models.networks.cells.SHAPES`.
          state: the last output, and of an LSTM the cell, [batch, units] each.
          masks: of recurrent dropout: what the last output is multiplied with for each gate, [batch, GATES[cell] x units];
            None keeps all.
        """
        if masks is not None:
            self._layer.cell.masks = tf.split(masks, GATES[self._cell], axis=1)
        (outputs, *after), _ = self._layer.stateless_call(
            _keras_weights(self._cell, weights, inputs.shape[2], self._forget_bias),
            self._layer.non_trainable_variables,
            tf.transpose(inputs, [1, 0, 2]),
            initial_state=list(state),
            training=masks is not None,
        )
        return tf.transpose(outputs, [1, 0, 2]), tuple(after)


class _Masked:
    """Keras's cells draw the masks of recurrent dropout by themselves; these are given them.

    Attributes:
      masks: one a gate, [batch, units] each; Keras looks at them in training alone.
    """

    masks: Any = ()

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Any:
        """The masks, or the only one."""
        return self.masks[0] if len(self.masks) == 1 else self.masks

    def get_dropout_mask(self, step_input: Tensor) -> None:
        """Inputs are not dropped."""


class MaskedLstm(_Masked, keras.layers.LSTMCell):  # type: ignore[misc]
    """An LSTM cell with given masks; public, since graphs take no name that begins with an underscore."""


class MaskedGru(_Masked, keras.layers.GRUCell):  # type: ignore[misc]
    """A GRU cell with given masks; public, since graphs take no name that begins with an underscore."""


class MaskedRnn(_Masked, keras.layers.SimpleRNNCell):  # type: ignore[misc]
    """A simple cell with given masks; public, since graphs take no name that begins with an underscore."""


_LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
_MASKED_CELLS = {"lstm": MaskedLstm, "gru": MaskedGru, "rnn": MaskedRnn}


def _keras_weights(cell: str, weights: Mapping[str, Tensor], input_size: int, forget_bias: float) -> list[Tensor]:
    """Kernel, recurrent kernel and bias as Keras has them."""
    kernel, bias = weights["kernel"], weights["bias"]
    if cell == "gru":
        return [kernel, weights["recurrent_kernel"], tf.stack([bias, weights["recurrent_bias"]])]
    if cell == "lstm":
        input_gate, new_input, forget_gate, output_gate = tf.split(kernel, 4, axis=1)
        kernel = tf.concat([input_gate, forget_gate, new_input, output_gate], axis=1)
        input_gate, new_input, forget_gate, output_gate = tf.split(bias, 4)
        bias = tf.concat([input_gate, forget_gate + forget_bias, new_input, output_gate], axis=0)
    return [kernel[:input_size], kernel[input_size:], bias]

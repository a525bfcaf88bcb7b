"""The cells of recurrent layers in NumPy: one step of each, and how its weights are laid out."""

from collections.abc import Callable, Mapping

from etude.models.networks.cells.arrays import Array, Layer, Shapes
from etude.models.networks.cells.gru import GruLayer, gru_shapes
from etude.models.networks.cells.lstm import LstmLayer, lstm_shapes
from etude.models.networks.cells.rnn import RnnLayer, rnn_shapes

SHAPES: Mapping[str, Callable[[int, int], Shapes]] = {"lstm": lstm_shapes, "gru": gru_shapes, "rnn": rnn_shapes}
"""By cell: from input size and units to the shape of every weight of a layer."""


def make_layer(cell: str, weights: Mapping[str, Array], forget_bias: float) -> Layer:
    """A layer of a cell with its weights, as `SHAPES` names them; the forget bias is an LSTM's."""
    if cell == "lstm":
        return LstmLayer(weights, forget_bias)
    return GruLayer(weights) if cell == "gru" else RnnLayer(weights)

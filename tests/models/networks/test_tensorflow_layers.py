"""Which layer runs on what."""

import itertools

import pytest

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.tensorflow_attention import AttentionLayer
from etude.models.networks.tensorflow_keras import KerasLayer
from etude.models.networks.tensorflow_kernels import KernelLayer
from etude.models.networks.tensorflow_layers import Implementation, implementation, implementations, make_layers

ON_A_CPU, ON_A_GPU = {"CPU"}, {"CPU", "GPU"}
OURS, COMPILED = Implementation.OURS, Implementation.COMPILED
KERAS, CUDNN = Implementation.KERAS, Implementation.CUDNN


@pytest.mark.parametrize(
    ("devices", "cell", "attends", "drops_recurrently", "expected"),
    [
        (ON_A_CPU, "lstm", False, False, COMPILED),
        (ON_A_CPU, "lstm", True, False, OURS),
        (ON_A_CPU, "lstm", False, True, KERAS),
        (ON_A_CPU, "gru", False, False, COMPILED),
        (ON_A_CPU, "gru", False, True, KERAS),
        (ON_A_CPU, "rnn", False, False, COMPILED),
        (ON_A_CPU, "rnn", False, True, KERAS),
        (ON_A_GPU, "lstm", False, False, CUDNN),
        (ON_A_GPU, "lstm", True, False, OURS),
        (ON_A_GPU, "lstm", False, True, KERAS),
        (ON_A_GPU, "gru", False, False, CUDNN),
        (ON_A_GPU, "gru", False, True, KERAS),
        (ON_A_GPU, "rnn", False, False, KERAS),
        (ON_A_GPU, "rnn", False, True, KERAS),
    ],
)
def test_the_choice(devices, cell, attends, drops_recurrently, expected):
    assert implementation(devices, cell, attends, drops_recurrently) is expected
    without = KERAS if expected is COMPILED else expected
    assert implementation(devices, cell, attends, drops_recurrently, compiles=False) is without


def test_layers_above_attention_choose_by_themselves():
    attention = Hyperparameters(rnn_layer_sizes=(4, 5, 6), attn_length=3)
    assert implementations(ON_A_CPU, attention) == [OURS, COMPILED, COMPILED]
    assert implementations(ON_A_GPU, attention) == [OURS, CUDNN, CUDNN]


def test_layers_are_those_that_were_chosen():
    for devices, cell, attn_length, keep_prob in itertools.product(
        (ON_A_CPU, ON_A_GPU), ("lstm", "gru", "rnn"), (0, 3), (1.0, 0.5)
    ):
        if attn_length and (cell != "lstm" or keep_prob < 1):
            continue
        hyperparameters = Hyperparameters(
            cell=cell, rnn_layer_sizes=(4, 5), attn_length=attn_length, recurrent_keep_prob=keep_prob
        )
        layers = make_layers(devices, hyperparameters, 7)
        chosen = implementations(devices, hyperparameters)
        for number, (layer, what) in enumerate(zip(layers, chosen, strict=True)):
            if number == 0 and attn_length:
                assert isinstance(layer, AttentionLayer)
            else:
                assert isinstance(layer, KernelLayer if what is COMPILED else KerasLayer)
        # Zeros of the sizes that each cell has.
        assert [state.shape.as_list() for state in layers[1].initial_state(2)] == [[2, 5]] * (
            2 if cell == "lstm" else 1
        )

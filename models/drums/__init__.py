"""Drums RNN: sees what is struck at each step, and predicts the next one."""

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration
from etude.models.drums.domain import DrumDomain
from etude.models.drums.encoding import CountedEncoding
from etude.models.drums.kit import ANY_DRUM, NINE_DRUMS, Kit
from etude.models.encodings.tokens import TokenEncoding
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters


def _masks(kit: Kit) -> dict[str, npt.NDArray[np.bool_]]:
    return {"struck": kit.num_struck > 0}


FAMILY = Family(
    name="drums",
    title="Drums RNN",
    summary="Sees which of nine kinds of drums are struck and the number of the step, and attends to its last 32 outputs.",
    defaults=Configuration(
        "drums",
        transpose_to_key=None,
        hyperparameters=Hyperparameters(rnn_layer_sizes=(256, 256, 256), clip_norm=3.0, attn_length=32),
        representation="drums",
        vocabulary=NINE_DRUMS.symbols,
    ),
    make_encoding=lambda configuration: CountedEncoding(NINE_DRUMS.num_tokens, _masks(NINE_DRUMS)),
    make_domain=DrumDomain.of,
    representation="drums",
)

ONE_DRUM = Family(
    name="one-drum",
    title="One drum",
    summary="Sees whether any drum is struck at a step of an eighth note, and predicts whether one is at the next.",
    defaults=Configuration(
        "one-drum",
        transpose_to_key=None,
        steps_per_quarter=2,
        hyperparameters=Hyperparameters(rnn_layer_sizes=(128, 128), clip_norm=5.0),
        representation="one_drum",
        vocabulary=ANY_DRUM.symbols,
    ),
    make_encoding=lambda configuration: TokenEncoding(ANY_DRUM.num_tokens, masks=_masks(ANY_DRUM)),
    make_domain=DrumDomain.of,
    representation="one_drum",
)

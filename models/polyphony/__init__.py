"""Polyphony RNN: sees the last event of several voices, and predicts the next one."""

import numpy as np

from etude.models.configuration import Configuration
from etude.models.encodings.tokens import TokenEncoding
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters
from etude.models.polyphony.domain import PolyphonyDomain
from etude.models.polyphony.events import NUM_TOKENS, SYMBOLS, is_note

FAMILY = Family(
    name="polyphony",
    title="Polyphony RNN",
    summary="Sees the last event of several voices (a note begins, goes on, a step ends), and predicts the next.",
    defaults=Configuration(
        "polyphony",
        transpose_to_key=None,
        hyperparameters=Hyperparameters(rnn_layer_sizes=(256, 256, 256), batch_size=64, clip_norm=5.0),
        representation="polyphony",
        vocabulary=SYMBOLS,
        unit="token",
    ),
    # Its end is a token like others: what Magenta generates goes on after one.
    make_encoding=lambda configuration: TokenEncoding(NUM_TOKENS, masks={"note": is_note(np.arange(NUM_TOKENS))}),
    make_domain=PolyphonyDomain.of,
    representation="polyphony",
)

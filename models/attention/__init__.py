"""Attention RNN: sees what sounds and which keys fit, and attends to its own recent outputs."""

from typing import cast

from etude.models.configuration import Configuration, pitch_range
from etude.models.encodings.attention import AttentionEncoding
from etude.models.encodings.lookback import LookbackHyperparameters
from etude.models.family import Family


def _make_encoding(configuration: Configuration) -> AttentionEncoding:
    hyperparameters = cast(LookbackHyperparameters, configuration.hyperparameters)
    return AttentionEncoding(
        configuration.min_note,
        configuration.max_note,
        hyperparameters.lookback_distances,
        hyperparameters.lookback_unit,
    )


FAMILY = Family(
    name="attention",
    title="Attention RNN",
    summary="Sees the sounding note, key and place in the bar, attends to its last 40 outputs, and can predict repeats.",
    defaults=Configuration("attention", hyperparameters=LookbackHyperparameters(clip_norm=3.0, attn_length=40)),
    make_encoding=_make_encoding,
    make_domain=pitch_range,
)

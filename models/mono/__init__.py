"""Mono RNN: Basic RNN over all MIDI pitches, in the melody's own key."""

from etude.models.configuration import Configuration, pitch_range
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters

FAMILY = Family(
    name="mono",
    title="Mono RNN",
    summary="Like Basic, over all 128 pitches and in the melody's own key.",
    defaults=Configuration(
        "mono", min_note=0, max_note=128, transpose_to_key=None, hyperparameters=Hyperparameters(clip_norm=5.0)
    ),
    make_encoding=lambda configuration: OneHotEncoding(configuration.min_note, configuration.max_note),
    make_domain=pitch_range,
)

"""Mono RNN: Basic RNN over all MIDI pitches, in the melody's own key."""

from models.configuration import Configuration
from models.family import Family
from models.hyperparameters import Hyperparameters
from models.one_hot import OneHotEncoding

FAMILY = Family(
    name="mono",
    title="Mono RNN",
    summary="Like Basic, over all 128 pitches and in the melody's own key.",
    defaults=Configuration(
        "mono", min_note=0, max_note=128, transpose_to_key=None, hyperparameters=Hyperparameters(clip_norm=5.0)
    ),
    make_encoding=lambda configuration: OneHotEncoding(configuration.min_note, configuration.max_note),
)

"""Basic RNN: sees the last event, predicts the next one."""

from etude.models.configuration import Configuration, pitch_range
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters

FAMILY = Family(
    name="basic",
    title="Basic RNN",
    summary="Sees the last event, one-hot, and predicts the next one.",
    defaults=Configuration("basic", hyperparameters=Hyperparameters(clip_norm=5.0)),
    make_encoding=lambda configuration: OneHotEncoding(configuration.min_note, configuration.max_note),
    make_domain=pitch_range,
)

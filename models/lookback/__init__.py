"""Lookback RNN: sees and predicts repeats of one and two bars ago."""

from typing import cast

from etude.models.configuration import Configuration, pitch_range
from etude.models.encodings.lookback import LookbackHyperparameters
from etude.models.family import Family
from etude.models.lookback.encoding import LookbackEncoding


def _make_encoding(configuration: Configuration) -> LookbackEncoding:
    hyperparameters = cast(LookbackHyperparameters, configuration.hyperparameters)
    return LookbackEncoding(
        configuration.min_note,
        configuration.max_note,
        hyperparameters.lookback_distances,
        hyperparameters.lookback_unit,
    )


FAMILY = Family(
    name="lookback",
    title="Lookback RNN",
    summary="Sees the events of one and two bars ago and the place in the bar, and can predict repeats.",
    defaults=Configuration("lookback", hyperparameters=LookbackHyperparameters(clip_norm=5.0)),
    make_encoding=_make_encoding,
    make_domain=pitch_range,
)

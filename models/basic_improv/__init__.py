"""Basic Improv RNN: sees the last event and the triad under the next step, and predicts the next event."""

from typing import cast

from etude.models.configuration import Configuration, pitch_range
from etude.models.encodings.chords import CHORD_INPUTS
from etude.models.encodings.lead_sheet import ChordHyperparameters, LeadSheetEncoding
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.family import Family
from etude.models.sequences.domain import LEAD_SHEET


def _make_encoding(configuration: Configuration) -> LeadSheetEncoding:
    hyperparameters = cast(ChordHyperparameters, configuration.hyperparameters)
    melody = OneHotEncoding(configuration.min_note, configuration.max_note)
    return LeadSheetEncoding(melody, CHORD_INPUTS[hyperparameters.chords])


FAMILY = Family(
    name="basic-improv",
    title="Basic Improv RNN",
    summary="Sees the last event and the triad under the next step, and predicts the next event.",
    defaults=Configuration(
        "basic-improv",
        transpose_to_key=None,
        hyperparameters=ChordHyperparameters(rnn_layer_sizes=(64, 64), clip_norm=5.0),
        representation=LEAD_SHEET,
    ),
    make_encoding=_make_encoding,
    make_domain=pitch_range,
    representation=LEAD_SHEET,
)

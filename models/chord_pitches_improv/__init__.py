"""Chord Pitches Improv: sees the last event and root, pitches and bass of the next chord, and predicts the next event."""

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
    name="chord-pitches-improv",
    title="Chord Pitches Improv RNN",
    summary="Sees the last event and root, pitches and bass of the chord under the next step, and predicts the next event.",
    defaults=Configuration(
        "chord-pitches-improv",
        transpose_to_key=None,
        hyperparameters=ChordHyperparameters(rnn_layer_sizes=(256, 256, 256), clip_norm=3.0, chords="pitches"),
        representation=LEAD_SHEET,
    ),
    make_encoding=_make_encoding,
    make_domain=pitch_range,
    representation=LEAD_SHEET,
)

"""Attention Improv: sees the triad under the next step and what Attention RNN sees, and can predict repeats."""

from typing import cast

from etude.models.configuration import Configuration, pitch_range
from etude.models.encodings.attention import AttentionEncoding
from etude.models.encodings.chords import CHORD_INPUTS
from etude.models.encodings.lead_sheet import ChordLookbackHyperparameters, LeadSheetEncoding
from etude.models.family import Family
from etude.models.sequences.domain import LEAD_SHEET


def _make_encoding(configuration: Configuration) -> LeadSheetEncoding:
    hyperparameters = cast(ChordLookbackHyperparameters, configuration.hyperparameters)
    melody = AttentionEncoding(
        configuration.min_note,
        configuration.max_note,
        hyperparameters.lookback_distances,
        hyperparameters.lookback_unit,
    )
    return LeadSheetEncoding(melody, CHORD_INPUTS[hyperparameters.chords])


FAMILY = Family(
    name="attention-improv",
    title="Attention Improv RNN",
    summary="Sees the triad under the next step, the sounding note, key and place in the bar, attends to its last 40 "
    "outputs, and can predict repeats.",
    defaults=Configuration(
        "attention-improv",
        transpose_to_key=None,
        hyperparameters=ChordLookbackHyperparameters(rnn_layer_sizes=(128, 128, 128), clip_norm=3.0, attn_length=40),
        representation=LEAD_SHEET,
    ),
    make_encoding=_make_encoding,
    make_domain=pitch_range,
    representation=LEAD_SHEET,
)

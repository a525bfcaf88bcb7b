"""Notes and chords of a keyboard, after Classical-Piano-Composer: as published, as described, and so that it works."""

import dataclasses

from etude.models.configuration import Configuration, encoding_of
from etude.models.encodings.encoding import Encoding
from etude.models.encodings.scalar import ScalarEncoding
from etude.models.family import Family
from etude.models.notes_and_chords.forms import DESCRIBED, MUSICAL, PUBLISHED
from etude.models.notes_and_chords.hyperparameters import SCALAR, NotesAndChordsHyperparameters
from etude.models.sequences.domain import END, Domain


def _make_encoding(configuration: Configuration) -> Encoding:
    if configuration.hyperparameters.token_input == SCALAR:
        symbols = configuration.vocabulary
        return ScalarEncoding(len(symbols), symbols.index(END) if END in symbols else None)
    return encoding_of(configuration)


def _make_domain(configuration: Configuration) -> Domain:
    from etude.models.notes_and_chords.domain import KeyboardDomain

    return KeyboardDomain.of(configuration)


_HYPERPARAMETERS = NotesAndChordsHyperparameters(
    rnn_layer_sizes=(256, 256, 256),
    forget_bias=0.0,
    initial_forget_bias=1.0,
    dropout_keep_prob=0.7,
    dense_size=256,
    embedding_size=64,
    batches="windows",
    chunk_steps=100,
    window_stride=10,
    batch_size=50,
    clip_by="global_norm",
    clip_norm=5.0,
)

_AS_PUBLISHED = dataclasses.replace(
    _HYPERPARAMETERS,
    token_input=SCALAR,
    embedding_size=0,
    window_stride=1,
    window_labels="last",
    batch_size=64,
    clip_by="none",
    optimiser="rmsprop",
)


def _family(name: str, title: str, summary: str, representation: str, hyperparameters: object) -> Family:
    defaults = Configuration(
        name, transpose_to_key=None, hyperparameters=hyperparameters, representation=representation, unit="token"
    )
    return Family(
        name,
        title,
        summary,
        defaults,
        make_encoding=_make_encoding,
        make_domain=_make_domain,
        representation=representation,
    )


FAMILY = _family(
    "notes-and-chords",
    "Notes and chords",
    "Sees the last word of a keyboard piece (an offset, a pitch, a duration), and predicts the next.",
    MUSICAL,
    _HYPERPARAMETERS,
)
AS_DESCRIBED = _family(
    "notes-and-chords-as-described",
    "Notes and chords, as described",
    "Sees the last word of a keyboard piece (pitches, offset and duration in one), and predicts the next.",
    DESCRIBED,
    _HYPERPARAMETERS,
)
AS_PUBLISHED = _family(
    "notes-and-chords-as-published",
    "Notes and chords, as published",
    "Sees the last name of a note or pitch classes of a chord as one number, and predicts the next.",
    PUBLISHED,
    _AS_PUBLISHED,
)

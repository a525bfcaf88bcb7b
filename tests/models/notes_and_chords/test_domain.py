"""Keyboard pieces as a model knows them, and what generation makes of them."""

import collections
import pathlib

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.model import Model
from etude.models.networks.weights import initialise
from etude.models.registry import configure, make_encoding
from etude.models.representations.notes_and_chords import (
    NotesAndChords,
    NotesAndChordsAsDescribed,
    NotesAndChordsAsPublished,
)
from etude.models.representations.piece import Piece
from etude.models.representations.vocabulary import Vocabulary
from etude.models.sequences.sequence_set import SequenceSet
from etude.pipelines.readers.midi.reader import read
from tests.keyboard_pieces import midi_of, random_notes, rows_of

REPRESENTATIONS = {
    "notes-and-chords": NotesAndChords(),
    "notes-and-chords-as-described": NotesAndChordsAsDescribed(),
    "notes-and-chords-as-published": NotesAndChordsAsPublished(),
}
SMALL = {"rnn_layer_sizes": [8, 6], "dense_size": 7}


def pieces(representation):
    files = [midi_of([random_notes(seed, 55, 70)]) for seed in range(4)]
    return [representation.extract(Piece(read(data)[0].sequence)).sequences[0].tokens for data in files]


@pytest.fixture(scope="module", params=REPRESENTATIONS)
def model(request):
    """An untrained one, whose vocabulary holds some pieces."""
    representation = REPRESENTATIONS[request.param]
    vocabulary = representation.fit(collections.Counter(word for words in pieces(representation) for word in words))
    configuration = configure(request.param, SMALL, vocabulary=vocabulary.symbols)
    return Model(
        configuration, initialise(configuration.hyperparameters, make_encoding(configuration), 0), pathlib.Path("run")
    )


@pytest.fixture
def tokens(model):
    words = pieces(REPRESENTATIONS[model.configuration.config])[0]
    return Vocabulary(model.configuration.vocabulary).encode(words)


def test_first_steps(model, tokens):
    """What begins before a step, and no more."""
    domain = model.domain
    whole = domain.notes(tokens)
    for number in (8, 20, 45):
        first = domain.first_steps(tokens, number)
        assert first.tolist() == tokens[: len(first)].tolist()
        kept = sorted((onset, pitch) for onset, pitch, _ in rows_of(domain.notes(first)))
        assert kept == sorted((onset, pitch) for onset, pitch, _ in rows_of(whole) if onset < number)
    assert domain.num_steps(tokens) == (whole.onsets + whole.durations).max()
    assert domain.num_given_steps(tokens) == whole.onsets.max() + 1
    assert domain.num_given_steps(domain.default_primer) == 0


def test_where_it_goes_on(model, tokens):
    domain = model.domain
    assert domain.continued_form(tokens).tolist() == tokens[:-1].tolist()
    assert domain.continued_form(tokens[5:9]).tolist() == [domain.start, *tokens[5:9]]
    assert domain.parse(tokens[1:].tolist()).tolist() == tokens.tolist()
    assert domain.parse([domain.symbol(token) for token in tokens.tolist()]).tolist() == tokens.tolist()


def test_kinds_of_words(model, tokens):
    packed = SequenceSet.pack([tokens])
    (breakdown,) = model.domain.breakdowns(packed)
    found = breakdown.index(packed.batch(np.array([0]), 0))[0]
    assert breakdown.categories[found[-1]] == "end of the piece"
    assert (found >= 0).all()
    assert len(set(found.tolist())) >= 3


def test_length_in_steps(model):
    """Over with the first token that leads so far, or with the end."""
    for seed in range(3):
        (made,) = model.generate(num_outputs=1, num_steps=24, seed=seed)
        before = model.domain.step_lengths[made.tokens[:-1]].sum()
        is_ended = made.tokens[-1] == model.domain.end
        assert before < 24
        assert is_ended or before + model.domain.step_lengths[made.tokens[-1]] >= 24
        assert made.log_likelihood == pytest.approx(model.log_likelihood([made.tokens.tolist()])[0], rel=1e-4)


def test_length_in_tokens(model, tokens):
    primer = tokens[:10].tolist()
    for search in ({}, {"search": "greedy"}, {"search": "beam", "beam_size": 3}):
        (made,) = model.generate(primer, num_outputs=1, num_steps=1 << 16, num_tokens=25, **search)
        assert made.tokens[:10].tolist() == primer
        assert len(made.tokens) == 25 or (len(made.tokens) < 25 and made.tokens[-1] == model.domain.end)
    with pytest.raises(UsageError, match="the primer has 10 tokens"):
        model.generate(primer, num_tokens=10, num_steps=1 << 16)


def test_tokens_of_notes():
    """A primer that is typed."""
    representation = REPRESENTATIONS["notes-and-chords"]
    configuration = configure("notes-and-chords", SMALL, vocabulary=representation.fit({}).symbols)
    model = Model(configuration, {}, pathlib.Path("run"))
    notes = random_notes(11)
    tokens = model.domain.tokens_of(notes, 64)
    assert rows_of(model.domain.notes(tokens)) == rows_of(notes)


def test_other_models_count_no_tokens(tiny_model):
    with pytest.raises(UsageError, match="--num-tokens is for keyboard pieces"):
        tiny_model("basic").generate([60], num_tokens=10)


@pytest.mark.parametrize("family", REPRESENTATIONS)
def test_a_vocabulary_of_one_word(family):
    """Which no piece could be told by; it is scored and goes on all the same."""
    representation = REPRESENTATIONS[family]
    word = {"notes-and-chords": "60", "notes-and-chords-as-described": "C4|0|1"}.get(family, "C4")
    vocabulary = Vocabulary.fitted({word: 3}, ("<start>", "<end>"))
    configuration = configure(family, SMALL, vocabulary=vocabulary.symbols)
    weights = initialise(configuration.hyperparameters, make_encoding(configuration), 0)
    model = Model(configuration, weights, pathlib.Path("run"))
    unknown = vocabulary.encode(pieces(representation)[0])
    assert np.isfinite(model.log_likelihood([unknown.tolist()])).all()
    (made,) = model.generate(num_outputs=1, num_steps=1 << 16, num_tokens=12, seed=1)
    assert len(made.tokens) <= 12
    assert model.domain.num_steps(made.tokens) >= 0

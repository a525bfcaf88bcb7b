import json
import pathlib

import numpy as np
import pytest

from etude.models.chords.chord import CHORDS
from etude.models.chords.figure import chord_numbers
from etude.models.encodings.chords import CHORD_INPUTS
from etude.models.encodings.encoding import as_vectors
from etude.models.melodies.melody import metres
from etude.models.registry import configure, make_encoding

CHORD_FIGURES = json.loads((pathlib.Path(__file__).parents[2] / "testdata" / "chords.json").read_text())["figures"]
CONFIGURATIONS = ["basic_improv", "attention_improv", "chord_pitches_improv"]
FIELDS = {"triads": "triad_class", "major_minor": "major_minor_class", "pitches": "pitch_input_nonzero"}


def spread(runs):
    return [value for value, count in runs for _ in range(count)]


def attributes(sheet):
    return {**metres(16), CHORDS: chord_numbers(spread(sheet["squashed_chord_runs"]))[None]}


def encoded(figures):
    return [sheet for sheet in figures["lead_sheets"] if "labels" in sheet]


@pytest.mark.parametrize("kind", FIELDS)
def test_chords_are_seen_as_in_magenta(kind):
    field, size = FIELDS[kind], CHORD_INPUTS[kind].size
    known = [entry for entry in CHORD_FIGURES if isinstance(entry[field], int | list)]
    assert len(known) > 100
    for entry in known:
        ones = entry[field] if isinstance(entry[field], list) else [entry[field]]
        vector = CHORD_INPUTS[kind].vectors(chord_numbers([entry["figure"]]))[0]
        assert np.flatnonzero(vector).tolist() == ones
        assert len(vector) == size


@pytest.mark.parametrize("kind", CHORD_INPUTS)
def test_every_chord_is_seen_and_found_again(kind):
    chords = chord_numbers(entry["figure"] for entry in CHORD_FIGURES)
    inputs = CHORD_INPUTS[kind]
    vectors = inputs.vectors(chords)
    assert vectors.shape == (len(chords), inputs.size)
    assert np.array_equal(inputs.vectors(inputs.chords(vectors)), vectors)


@pytest.mark.parametrize("kind", ["triads", "major_minor", "pitches"])
def test_vectors_of_no_chord_are_refused(kind):
    with pytest.raises(ValueError, match="chord"):
        CHORD_INPUTS[kind].chords(np.full((1, CHORD_INPUTS[kind].size), 0.5, np.float32))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_sizes_and_defaults_equal_magenta(name, magenta_figures):
    figures, configuration = magenta_figures(name), configure(name)
    encoding = make_encoding(configuration)
    assert (encoding.input_size, encoding.num_labels) == (figures["input_size"], figures["num_classes"])
    assert encoding.no_event_label == figures["default_event_label"]
    for hyperparameter, value in figures["default_hparams"].items():
        if hyperparameter not in ("residual_connections", "use_cudnn"):
            ours = getattr(configuration.hyperparameters, hyperparameter)
            assert (list(ours) if isinstance(ours, tuple) else ours) == value
    assert (configuration.min_note, configuration.max_note) == (figures["min_note"], figures["max_note"])
    assert configuration.transpose_to_key == figures["transpose_to_key"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_inputs_and_labels_equal_magenta(name, magenta_figures):
    encoding = make_encoding(configure(name))
    sheets = encoded(magenta_figures(name))
    assert len(sheets) > 10
    for sheet in sheets:
        events = np.array([sheet["squashed"]])
        expected = np.zeros((len(sheet["labels"]), encoding.input_size), np.float32)
        for row, entries in zip(expected, sheet["inputs_nonzero"], strict=True):
            for index, value in entries:
                row[index] = value
        assert np.array_equal(encoding.inputs(events[:, :-1], attributes(sheet))[0], expected)
        assert encoding.labels(events, attributes(sheet))[0, 1:].tolist() == sheet["labels"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_streams_equal_whole_sequences_whatever_is_taken(name, magenta_figures):
    encoding = make_encoding(configure(name))
    sheet = max(encoded(magenta_figures(name)), key=lambda sheet: len(sheet["squashed"]))
    events = np.array([sheet["squashed"]])
    whole = encoding.inputs(events, attributes(sheet))[0]
    stream = encoding.stream(1, attributes(sheet))
    for step, event in enumerate(events[0]):
        rows = np.zeros(1 + step % 3, np.int64)
        stream = stream.take(rows)
        found = as_vectors(stream.append(np.full(len(rows), event)), encoding.input_size)
        assert np.array_equal(found, np.tile(whole[step], (len(rows), 1)))


def test_the_chord_is_that_of_the_predicted_step():
    encoding = make_encoding(configure("basic_improv"))
    chords = chord_numbers(["C", "G", "Am", "F"])[None]
    inputs = encoding.inputs(np.array([[60, -2, 62]]), {CHORDS: chords})[0, :, :49]
    assert inputs.argmax(axis=1).tolist() == [8, 22, 6]


def test_without_chords_a_model_sees_what_basic_sees():
    encoding = make_encoding(configure("basic_improv", {"chords": "none"}))
    plain = make_encoding(configure("basic", min_note=48, max_note=84))
    events = np.array([[60, -2, 62]])
    found = encoding.inputs(events, {CHORDS: chord_numbers(["C"] * 3)[None]})
    assert np.array_equal(found, as_vectors(plain.inputs(events, {}), plain.input_size))

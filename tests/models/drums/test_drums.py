"""Drum tracks and their encodings against what Magenta computes."""

import json
import pathlib

import note_seq
import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from note_seq.protobuf import music_pb2

from etude.models.drums.extraction import DrumOptions, extract_drum_tracks
from etude.models.drums.kit import ANY_DRUM, NINE_DRUMS
from etude.models.encodings.encoding import as_vectors
from etude.models.melodies.quantisation import quantise, split_at_time_changes
from etude.models.registry import configure, make_domain, make_encoding
from etude.models.representations.drums import Drums, OneDrum
from etude.models.representations.piece import Piece

TESTDATA = pathlib.Path(__file__).parents[2] / "testdata"
REFERENCE = json.loads((TESTDATA / "drum_extraction.json").read_text())
CASES = {case["note_sequence"]["id"]: case for case in REFERENCE["cases"]}
KITS = {"one_drum": ANY_DRUM, "drum_kit": NINE_DRUMS}
FIGURES = {name: json.loads((TESTDATA / "magenta" / name / "figures.json").read_text()) for name in KITS}


def note_sequence(name):
    return json_format.ParseDict(CASES[name]["note_sequence"], music_pb2.NoteSequence())


def tokens_of(kit, events):
    """Tokens by Magenta's table of classes alone."""
    classes = FIGURES[kit]["class_of_pitch"]
    return [
        sum({classes[pitch] for pitch in pitches}) if kit == "drum_kit" else int(bool(pitches)) for pitches in events
    ]


def as_dict(setting):
    values = dict(REFERENCE["settings"][setting])
    return {
        "min_bars": values["min_bars"],
        "max_steps": values.get("max_steps", values.get("max_steps_truncate")),
        "gap_bars": values["gap_bars"],
        "discard_steps": values.get("max_steps_discard", 0),
        "whole_bars": values.get("pad_end", False),
    }, values.get("ignore_is_drum", False)


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("name", CASES)
def test_extraction_equals_magenta(name, kit):
    sequence = note_sequence(name)
    for entry in CASES[name]["extracted"]:
        if "error" in entry:
            continue
        options, take_all = as_dict(entry["setting"])
        representation = Drums if kit == "drum_kit" else OneDrum
        chosen = representation(steps_per_quarter=entry["steps_per_quarter"], all_notes=take_all, **options)
        found = chosen.extract(Piece(sequence))
        expected = [
            (tokens_of(kit, track["events"]), track["steps_per_bar"])
            for other in CASES[name]["extracted"]
            if (other["setting"], other["steps_per_quarter"]) == (entry["setting"], entry["steps_per_quarter"])
            for track in other["drum_tracks"]
        ]
        assert [(s.tokens.tolist(), s.attributes["steps_per_bar"]) for s in found.sequences] == expected
        counters = entry["counters"]
        if len(split_at_time_changes(sequence)) == 1:
            reasons = [rejection.reason for rejection in found.rejections]
            assert reasons.count("drums-too-short") == counters.get("drum_tracks_discarded_too_short", 0)
            assert reasons.count("too-many-steps") == counters.get("drum_tracks_discarded_too_long", 0)
            assert found.num_truncated == counters.get("drum_tracks_truncated", 0)


def test_start_steps_equal_magenta():
    for name, case in CASES.items():
        parts = split_at_time_changes(note_sequence(name))
        for entry in case["extracted"]:
            options, take_all = as_dict(entry["setting"])
            # The representation leaves out notes of velocity 0; a bar must be a whole number of steps.
            if name == "zero_velocity" or not entry.get("drum_tracks"):
                continue
            part = quantise(parts[entry["part"]], entry["steps_per_quarter"])
            found = extract_drum_tracks(part, NINE_DRUMS, DrumOptions(**options), take_all=take_all)
            assert [track.start_step for track in found.tracks] == [t["start_step"] for t in entry["drum_tracks"]]


@pytest.mark.parametrize("kit", KITS)
def test_classes_equal_magenta(kit):
    classes = [KITS[kit].token([pitch]) for pitch in range(128)]
    assert classes == FIGURES[kit]["class_of_pitch"]
    played = [list(KITS[kit].played(token)) for token in range(KITS[kit].num_tokens)]
    assert played == FIGURES[kit]["pitches_of_class"]


@pytest.mark.parametrize("kit", KITS)
def test_inputs_labels_and_defaults_equal_magenta(kit):
    figures, configuration = FIGURES[kit], configure(kit)
    encoding, domain = make_encoding(configuration), make_domain(configuration)
    assert (encoding.input_size, encoding.num_labels) == (figures["input_size"], figures["num_classes"])
    for name, value in figures["default_hparams"].items():
        if hasattr(configuration.hyperparameters, name):
            found = getattr(configuration.hyperparameters, name)
            assert (list(found) if isinstance(found, tuple) else found) == value
    assert configuration.steps_per_quarter == figures["steps_per_quarter"]
    for track in figures["drum_tracks"]:
        if "labels" not in track:
            continue
        tokens = domain.parse(track["events"])[None]
        assert encoding.labels(tokens, {})[0, 1:].tolist() == track["labels"]
        inputs = as_vectors(encoding.inputs(tokens[:, :-1], {})[0], encoding.input_size)
        nonzero = [[[int(i), float(row[i])] for i in np.flatnonzero(row)] for row in inputs]
        assert nonzero == track["inputs_nonzero"]
        assert [list(KITS[kit].played(label)) for label in track["labels"]] == [
            sorted(pitches) for pitches in track["decoded_events"]
        ]


@given(st.lists(st.sets(st.integers(0, 127), max_size=4), min_size=1, max_size=150))
def test_the_counter_equals_note_seq(events):
    theirs = note_seq.LookbackEventSequenceEncoderDecoder(
        note_seq.MultiDrumOneHotEncoding(), lookback_distances=[], binary_counter_bits=6
    )
    track = note_seq.DrumTrack([frozenset(event) for event in events])
    encoding, domain = make_encoding(configure("drums")), make_domain(configure("drums"))
    found = encoding.inputs(domain.parse(events)[None], {})[0]
    np.testing.assert_array_equal(found, [theirs.events_to_input(track, step) for step in range(len(events))])


def test_notes_equal_note_seq():
    track = next(t for t in FIGURES["drum_kit"]["drum_tracks"] if "labels" in t)
    domain = make_domain(configure("drums"))
    tokens = domain.parse(track["events"])
    played = note_seq.DrumTrack([frozenset(NINE_DRUMS.played(token)) for token in tokens.tolist()])
    theirs = played.to_sequence(qpm=15).notes
    assert all(note.is_drum for note in theirs)
    expected = sorted((round(note.start_time), note.pitch, round(note.end_time - note.start_time)) for note in theirs)
    assert sorted(zip(*(values.tolist() for values in domain.notes(tokens)[:3]), strict=True)) == expected


def drum_piece(instrument, name="", is_drum=False, pitch=36):
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220, total_time=16.0)
    for beat in range(32):
        sequence.notes.add(
            pitch=pitch,
            velocity=80,
            instrument=instrument,
            start_time=beat / 2,
            end_time=beat / 2 + 0.1,
            is_drum=is_drum,
        )
    if name:
        sequence.instrument_infos.add(instrument=instrument, name=name)
    return sequence


NAMES = [("", False, 0), ("", True, 1), ("Drumkit 2", False, 1), ("Conundrum", False, 0), ("PERCUSSION", False, 1)]


@pytest.mark.parametrize(("name", "is_drum", "found"), NAMES)
def test_drums_are_flagged_or_called_so(name, is_drum, found):
    extracted = Drums().extract(Piece(drum_piece(3, name, is_drum)))
    assert len(extracted.sequences) == found
    assert [rejection.reason for rejection in extracted.rejections] == ([] if found else ["no-drums"])


def test_unknown_drums_are_said():
    sequence = drum_piece(9, is_drum=True)
    sequence.notes[5].pitch, sequence.notes[6].pitch = 12, 13
    found = Drums().extract(Piece(sequence))
    assert [rejection.reason for rejection in found.rejections] == ["unknown-drums"]
    assert "2 notes of 2 unknown drums: 12 13" in found.rejections[0].detail
    assert found.sequences[0].tokens[5 * 4] == 0
    assert not OneDrum().extract(Piece(sequence)).rejections


def test_given_drums_are_checked():
    domain = make_domain(configure("drums"))
    assert domain.parse([[36, 42], [], 5, (38,)]).tolist() == [5, 0, 5, 2]
    for wrong in ([[128]], [[-1]], [["kick"]], [512]):
        with pytest.raises(ValueError, match=r"drum|vocabulary"):
            domain.parse(wrong)


@pytest.mark.parametrize(("name", "kinds"), [("drums", 9), ("one-drum", 0)])
def test_what_a_step_has(name, kinds):
    domain = make_domain(configure(name))
    tokens = domain.parse([[36, 42], [], [38], [], [36], [], [38, 42, 36], []])
    found = domain.features(tokens, {"steps_per_bar": 4, "steps_per_quarter": 2})
    assert found["bar line"].tolist() == [1, 0, 0, 0] * 2
    assert found["beat"].tolist() == [1, 0] * 4
    assert found["place in the bar"].tolist() == [0, 0.25, 0.5, 0.75] * 2
    assert found["rest"].tolist() == [0, 1] * 4
    assert found["drums struck"].tolist() == ([2, 0, 1, 0, 1, 0, 3, 0] if kinds else [1, 0] * 4)
    kit = [found[one] for one in domain.kit.names if one in found]
    assert len(kit) == kinds
    if kinds:
        assert kit[0].tolist() == [1, 0, 0, 0, 1, 0, 1, 0]
        np.testing.assert_array_equal(sum(kit), found["drums struck"])

"""Polyphonic sequences and their encoding against what Magenta computes."""

import json
import pathlib

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from note_seq.protobuf import music_pb2

from etude.models.encodings.encoding import as_vectors
from etude.models.melodies.quantisation import quantise, split_at_time_changes
from etude.models.polyphony import events
from etude.models.polyphony.extraction import Polyphony as Found
from etude.models.polyphony.extraction import PolyphonyOptions, extract_polyphony
from etude.models.registry import configure, make_domain, make_encoding
from etude.models.representations.piece import Piece
from etude.models.representations.polyphony import Polyphony
from etude.models.sequences.sequence_set import SequenceSet

TESTDATA = pathlib.Path(__file__).parents[2] / "testdata"
REFERENCE = json.loads((TESTDATA / "polyphony_extraction.json").read_text())
CASES = {case["note_sequence"]["id"]: case for case in REFERENCE["cases"]}
FIGURES = json.loads((TESTDATA / "magenta" / "polyphony" / "figures.json").read_text())
REASONS = {
    "polyphonic_tracks_discarded_too_short": "too-few-steps",
    "polyphonic_tracks_discarded_too_long": "too-many-steps",
    "polyphonic_tracks_discarded_more_than_1_program": "several-programs",
}


def note_sequence(name):
    return json_format.ParseDict(CASES[name]["note_sequence"], music_pb2.NoteSequence())


def as_events(tokens):
    return [list(events.event_of(token)) for token in tokens.tolist()]


def parts(name, **changes):
    sequence = note_sequence(name)
    for note in sequence.notes:
        note.instrument = note.program
        for field, value in changes.items():
            setattr(note, field, value)
    return [quantise(part, REFERENCE["steps_per_quarter"]) for part in split_at_time_changes(sequence)]


@pytest.mark.parametrize("name", [name for name in CASES if name != "with_drums"])
def test_extraction_and_transposition_equal_magenta(name):
    representation = Polyphony(**REFERENCE["setting"])
    found = representation.extract(Piece(note_sequence(name)))
    by_part = {sequence.id: sequence for sequence in found.sequences}
    reasons = {rejection.part: rejection.reason for rejection in found.rejections}
    for entry in CASES[name]["extracted"]:
        sequence = by_part.get(str(entry["part"]))
        amounts = {one["amount"]: one for one in entry["transposed"]}
        for amount in representation.default_transpositions:
            if sequence is None:
                counters = amounts[amount]["counters"]
                assert [REASONS[counter] for counter in counters] == [reasons[entry["part"]]]
                continue
            moved = representation.transposed(sequence, amount)
            assert (moved is None) == (amount not in amounts)
            if moved is None:
                continue
            expected = amounts[amount]
            assert len(moved.tokens) == expected["num_events"]
            assert (moved.tokens == events.STEP_END).sum() == expected["num_steps"]
            if "labels" in expected:
                assert moved.tokens.tolist() == expected["labels"]
            if "events" in expected:
                assert as_events(moved.tokens) == expected["events"]
                check_notes(moved.tokens, expected["note_sequence"])


def check_notes(tokens, expected):
    """Notes and their order, in seconds at the given tempo."""
    step = 60 / expected["qpm"] / REFERENCE["steps_per_quarter"]
    onsets, pitches, durations = events.notes_of(tokens)[:3]
    found = [[p, o * step, (o + d) * step] for o, p, d in zip(onsets, pitches, durations, strict=True)]
    assert [note[0] for note in found] == [note[0] for note in expected["notes"]]
    np.testing.assert_allclose(np.reshape(found, (-1, 3)), np.reshape(expected["notes"], (-1, 3)), atol=1e-7)


@pytest.mark.parametrize("number", range(len(REFERENCE["to_sequence"])))
def test_odd_sequences_have_magentas_notes(number):
    case = REFERENCE["to_sequence"][number]
    tokens = events.tokens_of(case["events"])
    if "error" in case["note_sequence"]:  # Magenta gives up; here what still sounds stops at the end.
        notes = events.notes_of(tokens)
        assert (notes.onsets + notes.durations).max() == events.num_steps(tokens)
        return
    check_notes(tokens, case["note_sequence"])


@pytest.mark.parametrize(
    "name", [name for name in CASES if any("from_start_step" in e for e in CASES[name]["extracted"])]
)
def test_a_later_start_equals_magenta(name):
    for entry in CASES[name]["extracted"]:
        for case in entry.get("from_start_step", []):
            options = PolyphonyOptions(min_steps=0, max_steps=0)
            found = extract_polyphony(parts(name)[entry["part"]], options, start_step=case["start_step"])
            expected = [sequence["events"] for sequence in case["sequences"]]
            assert ([as_events(found.tokens)] if isinstance(found, Found) else []) == expected


def test_drums_are_no_notes():
    found = Polyphony().extract(Piece(note_sequence("with_drums")))
    onsets, pitches, _ = events.notes_of(found.sequences[0].tokens)[:3]
    notes = [note for note in note_sequence("with_drums").notes if not note.is_drum]
    step = 60 / 120 / REFERENCE["steps_per_quarter"]
    expected = sorted((round(note.start_time / step), note.pitch) for note in notes)
    assert sorted(zip(onsets.tolist(), pitches.tolist(), strict=True)) == expected


def test_long_pieces_are_cut_on_request():
    piece = Piece(note_sequence("513_steps"))
    assert not Polyphony().extract(piece).sequences
    cut = Polyphony(long="cut", max_steps=100).extract(piece)
    whole = Polyphony(max_steps=0).extract(piece).sequences[0].tokens
    tokens = cut.sequences[0].tokens
    assert cut.num_truncated == 1
    assert (tokens == events.STEP_END).sum() == 100
    assert tokens.tolist() == whole[: len(tokens)].tolist()


@pytest.mark.parametrize("number", range(len(REFERENCE["set_length"])))
def test_continued_form_is_magentas(number):
    case = REFERENCE["set_length"][number]
    tokens = events.tokens_of(case["events"])
    domain = make_domain(configure("polyphony"))
    if case["set_length"] <= domain.num_steps(tokens):
        first = domain.first_steps(domain.continued_form(tokens), case["set_length"])
        assert as_events(first) == case["after_trim_trailing_end_events"]


def test_inputs_labels_classes_and_defaults_equal_magenta():
    configuration = configure("polyphony")
    encoding, domain = make_encoding(configuration), make_domain(configuration)
    assert (encoding.input_size, encoding.num_labels) == (FIGURES["input_size"], FIGURES["num_classes"])
    theirs = [[kind, pitch if kind >= events.NEW_NOTE else None] for kind, pitch in FIGURES["events_of_class"]]
    assert as_events(np.arange(events.NUM_TOKENS)) == theirs
    for name, value in FIGURES["default_hparams"].items():
        if hasattr(configuration.hyperparameters, name):
            found = getattr(configuration.hyperparameters, name)
            assert (list(found) if isinstance(found, tuple) else found) == value
    for sequence in FIGURES["polyphonic_sequences"]:
        tokens = domain.parse(sequence["events"])
        assert (tokens == events.STEP_END).sum() == sequence["num_steps"]
        if "labels" in sequence:
            assert encoding.labels(tokens[None], {})[0, 1:].tolist() == sequence["labels"]
            inputs = as_vectors(encoding.inputs(tokens[None, :-1], {})[0], encoding.input_size)
            assert [[[int(i), float(row[i])] for i in np.flatnonzero(row)] for row in inputs] == sequence[
                "inputs_nonzero"
            ]


one_note = st.tuples(st.integers(0, 30), st.integers(0, 127), st.integers(1, 9))
notes = st.lists(one_note, min_size=1, max_size=30, unique_by=lambda note: note[:2])


@given(notes)
def test_notes_come_back(given_notes):
    """Where no note begins while its pitch sounds: those cannot be told apart in any case."""
    busy, kept = set(), []
    for onset, pitch, length in given_notes:
        steps = {(pitch, step) for step in range(onset, onset + length)}
        if not steps & busy:
            busy |= steps
            kept.append((onset, pitch, length))
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220)
    sequence.tempos.add(qpm=15)
    for onset, pitch, length in kept:
        sequence.notes.add(pitch=pitch, velocity=1, start_time=onset, end_time=onset + length)
        sequence.total_time = max(sequence.total_time, onset + length)
    found = Polyphony(steps_per_quarter=4, min_steps=0).extract(Piece(sequence)).sequences[0].tokens
    assert sorted(zip(*(values.tolist() for values in events.notes_of(found)[:3]), strict=True)) == sorted(kept)


def test_given_events_are_checked():
    domain = make_domain(configure("polyphony"))
    assert domain.parse([[0, None], [3, 60], [2, None], [4, 60]]).tolist() == [0, 63, 2, 191]
    assert domain.parse("start 60 64 | (60)").tolist() == [0, 63, 67, 2, 191]
    for wrong in ([[5, 60]], [[3, 128]], [[3, None]], [[4, -1]], [259]):
        with pytest.raises(ValueError, match=r"event|vocabulary"):
            domain.parse(wrong)


def test_a_crowd_of_notes_is_refused_at_once():
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220, total_time=3600.0)
    for number in range(2000):
        sequence.notes.add(pitch=number % 128, velocity=80, start_time=0, end_time=3600)
    found = Polyphony(max_steps=0).extract(Piece(sequence))
    assert [rejection.reason for rejection in found.rejections] == ["too-many-tokens"]


def test_features_are_what_an_event_has():
    domain = make_domain(configure("polyphony"))
    tokens = domain.parse("start 60 | (60) 55 | | 50 |")
    found = domain.features(tokens, {"steps_per_bar": 2, "steps_per_quarter": 1})
    assert found["bar line"].tolist() == [1, 1, 1, 0, 0, 0, 1, 0, 0]
    assert found["new note"].tolist() == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    assert found["note that goes on"].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0]
    np.testing.assert_array_equal(found["pitch"], [np.nan, 60, np.nan, 60, 55, np.nan, np.nan, 50, np.nan])


def test_steps_are_told_apart_by_their_notes():
    domain = make_domain(configure("polyphony"))
    tokens = domain.parse("start 60 | (60) 55 | | 50 | end")
    batch = SequenceSet.pack([tokens]).batch(np.array([0]), 0)
    kinds, notes = domain.breakdowns(SequenceSet.pack([tokens]))
    assert [kinds.categories[index] for index in kinds.index(batch)[0]] == [
        "new note", "end of a step", "note that goes on", "new note", "end of a step", "end of a step", "new note",
        "end of a step", "end of the piece",
    ]  # fmt: skip
    assert notes.index(batch)[0].tolist() == [1, 1, 2, 2, 2, 0, 1, 1, 0]

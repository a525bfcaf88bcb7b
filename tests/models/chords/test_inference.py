import json
import pathlib

import pytest
from google.protobuf import json_format
from note_seq.protobuf.music_pb2 import NoteSequence

from etude.models.chords import inference
from etude.models.chords.inference import Probabilities, infer_chords, inferred_progressions
from etude.models.melodies.note_columns import NoteColumns, note_columns

REFERENCE = json.loads((pathlib.Path(__file__).parents[2] / "testdata" / "chords.json").read_text())
ARGUMENTS = {
    "key_change_prob": "key_change",
    "chord_change_prob": "chord_change",
    "chord_pitch_out_of_key_prob": "out_of_key",
    "chord_note_concentration": "concentration",
}
INFERRED = [
    entry for entry in REFERENCE["inference"] if entry.get("chords") and entry["steps_per_quarter"] and entry["stable"]
]


def sequence_of(entry):
    return json_format.ParseDict(REFERENCE["inference_sequences"][entry["sequence"]], NoteSequence())


def heard(sequence):
    columns = note_columns(sequence)
    programs = [note.program for note in sequence.notes]
    keep = [
        not drum and program not in inference.UNPITCHED_PROGRAMS
        for drum, program in zip(columns.is_drum, programs, strict=True)
    ]
    return NoteColumns(*(values[keep] for values in columns))


@pytest.mark.parametrize("entry", INFERRED, ids=lambda entry: f"{entry['sequence']} {entry['arguments']}")
def test_chords_equal_note_seq(entry):
    sequence, arguments = sequence_of(entry), entry["arguments"]
    signature = (sequence.time_signatures[0].numerator, sequence.time_signatures[0].denominator)
    steps_per_bar = entry["steps_per_quarter"] * 4 * signature[0] / signature[1]
    num_chords = arguments.get("chords_per_bar") or inference.chords_per_bar(*signature)
    seconds = steps_per_bar / num_chords * 60 / (entry["steps_per_quarter"] * sequence.tempos[0].qpm)
    given = {ARGUMENTS[name]: value for name, value in arguments.items() if name in ARGUMENTS}
    columns = heard(sequence)
    figures = infer_chords(columns.start, columns.end, columns.pitch, seconds, Probabilities(**given))
    changes = [
        (pytest.approx(index * seconds), figure)
        for index, figure in enumerate(figures)
        if index == 0 or figures[index - 1] != figure
    ]
    assert [(time, figure) for time, _, figure in entry["chords"]] == changes


def test_the_reference_is_large_enough():
    assert len(INFERRED) >= 8


def test_a_piece_is_inferred_part_by_part():
    entry = next(entry for entry in INFERRED if entry["sequence"] == "plain" and not entry["arguments"])
    (progression,) = inferred_progressions(sequence_of(entry), entry["steps_per_quarter"])
    expected = [(step, figure) for _, step, figure in entry["chords"]]
    assert list(zip(progression.steps, progression.figures, strict=True)) == expected


def test_an_unusual_metre_has_a_chord_a_bar():
    sequence = json_format.ParseDict(REFERENCE["inference_sequences"]["five_four"], NoteSequence())
    entry = next(
        entry
        for entry in REFERENCE["inference"]
        if entry["sequence"] == "five_four" and entry["arguments"] == {"chords_per_bar": 1}
    )
    (progression,) = inferred_progressions(sequence, 4)
    assert list(progression.figures) == [figure for _, _, figure in entry["chords"]]


def test_silence_has_no_chords():
    assert list(inferred_progressions(NoteSequence(), 4)) == []

import json
import pathlib

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from note_seq import melodies_lib, sequences_lib
from note_seq.events_lib import NonIntegerStepsPerBarError
from note_seq.protobuf import music_pb2

from pipelines.extraction import ExtractionOptions, extract

REFERENCE = json.loads((pathlib.Path(__file__).parents[1] / "testdata" / "extraction.json").read_text())
CASES = {case["note_sequence"]["id"]: case for case in REFERENCE["cases"]}


def note_sequence(case):
    return json_format.ParseDict(case["note_sequence"], music_pb2.NoteSequence())


def test_reference_covers_what_it_should():
    assert len(CASES) == 28
    assert sum(len(entry["melodies"]) for case in CASES.values() for entry in case["extracted"]) > 40


@pytest.mark.parametrize("polyphony", ["reject", "highest"])
@pytest.mark.parametrize("name", CASES)
def test_extraction_equals_magenta(name, polyphony):
    options = ExtractionOptions(
        steps_per_quarter=REFERENCE["steps_per_quarter"],
        min_bars=REFERENCE["min_bars"],
        max_steps=REFERENCE["max_steps_truncate"],
        min_unique_pitches=REFERENCE["min_unique_pitches"],
        gap_bars=REFERENCE["gap_bars"],
        polyphony=polyphony,
    )
    expected = [
        (melody["events"], melody["start_step"], melody["steps_per_bar"])
        for entry in CASES[name]["extracted"]
        if entry["ignore_polyphonic_notes"] == (polyphony == "highest")
        for melody in entry["melodies"]
    ]
    melodies = extract(note_sequence(CASES[name]), options).melodies
    assert [(m.events.tolist(), m.start_step, m.steps_per_bar) for m in melodies] == expected


def melodies_by_note_seq(sequence, options):
    """Magenta's extract_melodies, in note_seq's own terms."""
    found = []
    for part in sequences_lib.split_note_sequence_on_time_changes(sequence):
        try:
            quantised = sequences_lib.quantize_note_sequence(part, options.steps_per_quarter)
        except (sequences_lib.BadTimeSignatureError, sequences_lib.NegativeTimeError):
            continue
        steps_per_bar = int(sequences_lib.steps_per_bar_in_quantized_sequence(quantised))
        for instrument in sorted({note.instrument for note in quantised.notes}):
            search_start = 0
            while True:
                melody = melodies_lib.Melody()
                try:
                    melody.from_quantized_sequence(
                        quantised,
                        instrument=instrument,
                        search_start_step=search_start,
                        gap_bars=options.gap_bars,
                        ignore_polyphonic_notes=options.polyphony == "highest",
                    )
                except (melodies_lib.PolyphonicMelodyError, melodies_lib.BadNoteError, NonIntegerStepsPerBarError):
                    break
                search_start = melody.end_step + -melody.end_step % steps_per_bar
                if not melody:
                    break
                if len(melody) < melody.steps_per_bar * options.min_bars:
                    continue
                if options.max_steps and len(melody) > options.max_steps:
                    melody.set_length(options.max_steps)
                if np.count_nonzero(melody.get_note_histogram()) < options.min_unique_pitches:
                    continue
                found.append((list(melody), melody.start_step, melody.steps_per_bar, instrument))
    return found


grid_time = st.integers(0, 160).map(lambda step: step * 0.125)
any_time = st.floats(0, 20, allow_nan=False)
times = st.one_of(grid_time, any_time)


@st.composite
def note_sequences(draw):
    sequence = music_pb2.NoteSequence()
    for _ in range(draw(st.integers(0, 40))):
        start = draw(times)
        sequence.notes.add(
            start_time=start,
            end_time=max(0.0, start + draw(st.sampled_from([0.125, 0.125, 0.25, 0.5, 0.01, 0.0, 3.0, -0.3]))),
            pitch=draw(st.integers(0, 127)),
            velocity=draw(st.sampled_from([0, 1, 80, 127])),
            instrument=draw(st.sampled_from([0, 0, 0, 1, 9])),
            is_drum=draw(st.sampled_from([False, False, False, True])),
        )
    for _ in range(draw(st.integers(0, 3))):
        numerator, denominator = draw(
            st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 16), (7, 32), (0, 4), (3, 5)])
        )
        sequence.time_signatures.add(
            time=draw(st.one_of(st.just(0.0), times)), numerator=numerator, denominator=denominator
        )
    for _ in range(draw(st.integers(0, 3))):
        sequence.tempos.add(
            time=draw(st.one_of(st.just(0.0), times)), qpm=draw(st.sampled_from([60.0, 97.3, 120.0, 240.0]))
        )
    ends = [note.end_time for note in sequence.notes]
    sequence.total_time = max(ends, default=0.0) + draw(st.sampled_from([0.0, 0.0, 1.0, -1.0]))
    return sequence


all_options = st.builds(
    ExtractionOptions,
    steps_per_quarter=st.sampled_from([1, 3, 4, 12]),
    min_bars=st.sampled_from([0, 0.5, 1, 2]),
    max_steps=st.sampled_from([0, 5, 32, 512]),
    min_unique_pitches=st.sampled_from([0, 1, 3]),
    gap_bars=st.sampled_from([0, 0.25, 0.5, 1.0, 2.0]),
    polyphony=st.sampled_from(["reject", "highest"]),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(note_sequences(), all_options)
def test_extraction_equals_note_seq(sequence, options):
    expected = melodies_by_note_seq(sequence, options)
    melodies = extract(sequence, options).melodies
    assert [(m.events.tolist(), m.start_step, m.steps_per_bar, m.instrument) for m in melodies] == expected

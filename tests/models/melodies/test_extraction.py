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

from etude.models.errors import UsageError
from etude.models.melodies.extraction import ExtractionOptions, extract
from etude.pipelines.reasons import REMEDIES

REFERENCE = json.loads((pathlib.Path(__file__).parents[2] / "testdata" / "extraction.json").read_text())
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


def sequence_of(notes, total_time=None):
    """A piece at 120 quarters a minute, in 4/4, out of (start step, end step, pitch) or with the instrument as fourth."""
    sequence = music_pb2.NoteSequence()
    for start, end, pitch, *instrument in notes:
        sequence.notes.add(
            start_time=start / 8,
            end_time=end / 8,
            pitch=pitch,
            velocity=80,
            instrument=instrument[0] if instrument else 0,
        )
    sequence.total_time = max(note.end_time for note in sequence.notes) if total_time is None else total_time
    return sequence


def scale(start, num_notes, instrument=0):
    return [
        (start + 2 * i, start + 2 * i + 2, 60 + (0, 2, 4, 5, 7, 9, 11)[i % 7], instrument) for i in range(num_notes)
    ]


def reasons(extraction):
    return [(rejection.reason, rejection.instrument) for rejection in extraction.rejections]


def test_melodies_before_a_polyphonic_spot_are_kept():
    notes = [*scale(0, 64), *scale(160, 64), (256, 258, 72)]
    extraction = extract(sequence_of(notes))
    assert [len(melody.events) for melody in extraction.melodies] == [128]
    assert reasons(extraction) == [("polyphonic", 0)]
    assert extraction.rejections[0].start_step == 256


def test_polyphony_choices():
    notes = [(0, 4, 60), (0, 2, 67), (4, 8, 62), (4, 6, 50)]
    for polyphony, expected in {"highest": [67, -2, -1, -2, 62], "skip-later": [60, -2, -2, -2, 62]}.items():
        options = ExtractionOptions(min_bars=0, min_unique_pitches=0, polyphony=polyphony)
        (melody,) = extract(sequence_of(notes), options).melodies
        assert melody.events.tolist()[:5] == expected
    reverse = [(0, 4, 67), (0.2, 2, 72), (4, 8, 62)]
    options = ExtractionOptions(min_bars=0, min_unique_pitches=0, polyphony="skip-later")
    assert extract(sequence_of(reverse), options).melodies[0].events[0] == 67


def test_every_track_that_gives_nothing_has_a_reason():
    notes = [*scale(0, 64, 0), *scale(0, 8, 1), *[(2 * i, 2 * i + 2, 60 + i % 2, 2) for i in range(64)]]
    sequence = sequence_of([*notes, (0, 4, 60, 3), (0, 4, 64, 3), (0, 4, 60, 4), (0, 4, 60, 5), (8, 2, 60, 6)])
    for note in sequence.notes:
        note.is_drum = note.instrument == 4
        note.velocity = 0 if note.instrument == 5 else 80
    extraction = extract(sequence)
    assert [melody.instrument for melody in extraction.melodies] == [0]
    assert reasons(extraction) == [
        ("too-short", 1),
        ("too-few-pitches", 2),
        ("polyphonic", 3),
        ("drums", 4),
        ("no-audible-notes", 5),
        ("bad-note", 6),
    ]
    assert {reason for reason, _ in reasons(extraction)} <= set(REMEDIES)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.time_signatures.add(numerator=3, denominator=5), "bad-time-signature"),
        (lambda s: s.time_signatures.add(numerator=0, denominator=4), "bad-time-signature"),
        (lambda s: s.time_signatures.add(numerator=-3, denominator=4), "bad-time-signature"),
        (lambda s: s.time_signatures.add(numerator=5, denominator=32), "non-integer-steps-per-bar"),
        (lambda s: s.notes.add(start_time=0, end_time=-1, pitch=60, velocity=80), "negative-time"),
        (lambda s: s.notes.add(start_time=float("nan"), end_time=1, pitch=60, velocity=80), "bad-time"),
        (lambda s: s.notes.add(start_time=0, end_time=float("inf"), pitch=60, velocity=80), None),
        (lambda s: s.tempos.add(qpm=float("inf")), "bad-time"),
        (lambda s: s.notes.add(start_time=0, end_time=1, pitch=128, velocity=80), "pitch-out-of-range"),
        (lambda s: setattr(s.quantization_info, "steps_per_quarter", 4), "already-quantised"),
        (lambda s: setattr(s, "total_time", 0), "no-notes"),
        (lambda s: s.ClearField("notes"), "no-notes"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_strange_pieces_are_rejected_and_do_no_harm(change, reason):
    sequence = sequence_of(scale(0, 64))
    change(sequence)
    extraction = extract(sequence)
    if reason is not None:
        assert [rejection.reason for rejection in extraction.rejections] == [reason]
        assert not extraction.melodies


def test_absurdly_long_note_takes_no_memory():
    sequence = sequence_of([*scale(0, 64), (128, 1 << 36, 60)])
    (melody,) = extract(sequence).melodies
    assert len(melody.events) == 512
    assert melody.full_length == 1 << 36
    assert [r.reason for r in extract(sequence, ExtractionOptions(max_steps=0)).rejections] == ["too-long"]


def test_long_melodies_are_cut_or_kept_whole():
    sequence = sequence_of(scale(0, 400))
    assert [(len(m.events), m.full_length) for m in extract(sequence).melodies] == [(512, 800)]
    assert [len(m.events) for m in extract(sequence, ExtractionOptions(max_steps=0)).melodies] == [800]


@pytest.mark.parametrize(
    "values",
    [
        {"steps_per_quarter": 0},
        {"min_bars": -1},
        {"min_bars": float("nan")},
        {"min_bars": float("inf")},
        {"max_steps": -1},
        {"min_unique_pitches": 13},
        {"gap_bars": -0.5},
        {"polyphony": "lowest"},
    ],
)
def test_options_that_cannot_be(values):
    with pytest.raises(UsageError, match="--" + next(iter(values)).replace("_", "-")):
        ExtractionOptions(**values)

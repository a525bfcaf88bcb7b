import itertools
import json
import pathlib

import numpy as np
import pytest
from google.protobuf import json_format
from note_seq import chords_lib, sequences_lib, testing_lib
from note_seq.protobuf.music_pb2 import NoteSequence

from etude.models.chords.chord import CHORDS, transpose_chords
from etude.models.chords.domain import LeadSheetRange
from etude.models.chords.figure import chord_numbers
from etude.models.chords.progression import CoincidentChordsError, Progression
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.representations.lead_sheet import INFERRED, LeadSheetRepresentation
from etude.models.representations.piece import Piece
from etude.pipelines.reasons import REMARKS, REMEDIES

REFERENCE = json.loads((pathlib.Path(__file__).parents[2] / "testdata" / "lead_sheet_extraction.json").read_text())
CASES = {case["note_sequence"]["id"]: case for case in REFERENCE["cases"]}
UNREADABLE = "chord_that_cannot_be_read"
"""Magenta drops the whole piece for it as soon as it transposes; here it is the triad of its root."""


def spread(runs):
    return [value for value, count in runs for _ in range(count)]


def representation(setting):
    return LeadSheetRepresentation(
        steps_per_quarter=REFERENCE["steps_per_quarter"],
        min_bars=setting["min_bars"],
        max_steps=setting["max_steps"],
        min_unique_pitches=setting["min_unique_pitches"],
        gap_bars=setting["gap_bars"],
        polyphony="highest" if setting["ignore_polyphonic_notes"] else "reject",
        require_chords=setting["require_chords"],
        infer_chords=False,
    )


def extract(name, setting):
    sequence = json_format.ParseDict(CASES[name]["note_sequence"], NoteSequence())
    return representation(REFERENCE["settings"][setting]).extract(Piece(sequence))


@pytest.mark.parametrize("setting", REFERENCE["settings"])
@pytest.mark.parametrize("name", CASES)
def test_extraction_equals_magenta(name, setting):
    if (name, setting) == (UNREADABLE, "pipeline"):
        assert extract(name, setting).remarks == {"chords-not-understood": 1}
        assert len(extract(name, setting).sequences) == 1
        return
    made = representation(REFERENCE["settings"][setting])
    moves = REFERENCE["transpositions"] if REFERENCE["settings"][setting]["all_transpositions"] else [0]
    found = [
        (moved.tokens.tolist(), moved.columns[CHORDS].tolist(), moved.attributes["steps_per_bar"])
        for sequence, semitones in itertools.product(extract(name, setting).sequences, moves)
        for moved in [made.transposed(sequence, semitones)]
    ]
    wanted = [
        (sheet["events"], chord_numbers(spread(sheet["chord_runs"])).tolist(), sheet["steps_per_bar"])
        for entry in CASES[name]["extracted"]
        if entry["setting"] == setting
        for sheet in entry.get("lead_sheets", ())
    ]
    assert found == wanted


def test_what_is_rejected_is_what_magenta_counts():
    names = {"coincident_chords": "coincident-chords", "empty_chord_progressions": "no-chords"}
    for name, case in CASES.items():
        for setting in REFERENCE["settings"]:
            counters = [entry["counters"] for entry in case["extracted"] if entry["setting"] == setting]
            reasons = [rejection.reason for rejection in extract(name, setting).rejections]
            for theirs, ours in names.items():
                assert reasons.count(ours) == sum(counter.get(theirs, 0) for counter in counters)
                assert ours in REMEDIES


@pytest.mark.parametrize("case", REFERENCE["squash"])
def test_squash_equals_magenta(case):
    domain = LeadSheetRange(case["min_note"], case["max_note"], case["transpose_to_key"])
    chords = chord_numbers(spread(case["chord_runs"]))
    sheet = Melody(np.array(case["events"]), columns={CHORDS: chords})
    entered = domain.enter_all(MelodySet.of([sheet, sheet]))
    wanted = chord_numbers(spread(case["squashed_chord_runs"]))
    for index in range(2):
        assert entered.tokens(index).tolist() == case["squashed"]
        assert entered.column(CHORDS, index).tolist() == wanted.tolist()
    moved = domain.enter(np.array(case["events"]))[1]
    assert moved == case["transpose_amount"]
    assert domain.enter_columns({CHORDS: chords}, moved)[CHORDS].tolist() == wanted.tolist()


def test_stored_lead_sheets_come_back():
    made = LeadSheetRepresentation()
    for sequence in extract("plain", "pipeline").sequences:
        back = made.decode(made.encode(sequence))
        assert back.tokens.tolist() == sequence.tokens.tolist()
        assert back.columns[CHORDS].tolist() == sequence.columns[CHORDS].tolist()
        assert back.attributes == sequence.attributes


def test_chords_tell_lead_sheets_apart():
    made = LeadSheetRepresentation()
    (sequence,) = extract("plain", "pipeline").sequences
    (other,) = extract("plain", "pipeline").sequences
    other.columns[CHORDS][0] = 0
    assert made.digest(sequence) != made.digest(other)
    # A melody over other chords is still a copy, which may not stand on both sides of the split.
    assert made.content(sequence) == made.content(other)


def test_chords_are_inferred_where_there_are_none():
    sequence = json_format.ParseDict(CASES["no_chords"]["note_sequence"], NoteSequence())
    extracted = LeadSheetRepresentation().extract(Piece(sequence))
    assert extracted.remarks == {"chords-inferred": 1}
    (sheet,) = extracted.sequences
    assert sheet.attributes[INFERRED] == 1
    assert sheet.columns[CHORDS].any()
    assert set(REMARKS) >= {"chords-inferred", "chords-not-understood", "chords-without-triad"}
    given = json_format.ParseDict(CASES["plain"]["note_sequence"], NoteSequence())
    (own,) = LeadSheetRepresentation().extract(Piece(given)).sequences
    assert own.attributes[INFERRED] == 0


def piece(tracks, chords, qpm=60):
    """As Magenta's own tests make one."""
    sequence = NoteSequence()
    sequence.time_signatures.add(numerator=4, denominator=4)
    sequence.tempos.add(qpm=qpm)
    for instrument, notes in enumerate(tracks):
        testing_lib.add_track_to_sequence(sequence, instrument, notes)
    testing_lib.add_chords_to_sequence(sequence, chords)
    return Piece(sequence)


LOOSE = {"min_bars": 1, "gap_bars": 2, "min_unique_pitches": 2, "polyphony": "highest", "infer_chords": False}
TRACKS = [[(12, 100, 2, 4), (11, 1, 6, 11)], [(12, 127, 2, 4), (14, 50, 6, 8), (50, 100, 33, 37), (52, 100, 34, 37)]]


@pytest.mark.parametrize(
    ("chords", "expected", "rejected"),
    [
        # chord_pipelines_test: testExtractChordsForMelodies
        (
            [("C", 2), ("G7", 6), ("Cmaj7", 33)],
            [
                ["N.C."] * 2 + ["C"] * 4 + ["G7"] * 5,
                ["N.C."] * 2 + ["C"] * 4 + ["G7"] * 2,
                ["G7"] + ["Cmaj7"] * 4,
            ],
            [],
        ),
        # testExtractChordsForMelodiesCoincidentChords
        (
            [("C", 2), ("G7", 6), ("E13", 8), ("Cmaj7", 8)],
            [["N.C."] * 2 + ["C"] * 4 + ["G7"] * 2, ["Cmaj7"] * 5],
            ["coincident-chords"],
        ),
        # lead_sheet_pipelines_test: testExtractLeadSheetFragmentsCoincidentChords
        (
            [("C", 2), ("G7", 6), ("Cmaj7", 33), ("F", 33)],
            [["N.C."] * 2 + ["C"] * 4 + ["G7"] * 5, ["N.C."] * 2 + ["C"] * 4 + ["G7"] * 2],
            ["coincident-chords"],
        ),
        # testExtractLeadSheetFragmentsNoChords
        (
            [("C", 2), ("G7", 6), ("N.C.", 10)],
            [["N.C."] * 2 + ["C"] * 4 + ["G7"] * 4 + ["N.C."], ["N.C."] * 2 + ["C"] * 4 + ["G7"] * 2],
            ["no-chords"],
        ),
    ],
)
def test_magentas_own_cases_of_chords_under_melodies(chords, expected, rejected):
    made = LeadSheetRepresentation(steps_per_quarter=1, **LOOSE)
    extracted = made.extract(piece(TRACKS, chords))
    found = [sequence.columns[CHORDS].tolist() for sequence in extracted.sequences]
    assert found == [chord_numbers(figures).tolist() for figures in expected]
    assert [rejection.reason for rejection in extracted.rejections if "chords" in rejection.reason] == rejected


def test_magentas_own_case_of_an_extractor():
    """lead_sheet_pipelines_test: testLeadSheetExtractor."""
    tracks = [[(12, 100, 2, 4), (11, 1, 6, 7)], [(12, 127, 2, 4), (14, 50, 6, 8)]]
    made = LeadSheetRepresentation(steps_per_quarter=1, min_bars=1, min_unique_pitches=1, infer_chords=False)
    found = made.extract(piece(tracks, [("Cm7", 2), ("F9", 4), ("G7b9", 6)])).sequences
    assert [sequence.tokens.tolist() for sequence in found] == [
        [-2, -2, 12, -2, -1, -2, 11],
        [-2, -2, 12, -2, -1, -2, 14, -2],
    ]
    figures = ["N.C.", "N.C.", "Cm7", "Cm7", "F9", "F9", "G7b9", "G7b9"]
    assert [sequence.columns[CHORDS].tolist() for sequence in found] == [
        chord_numbers(figures[:7]).tolist(),
        chord_numbers(figures).tolist(),
    ]


def test_magentas_own_case_of_fragments():
    """lead_sheet_pipelines_test: testExtractLeadSheetFragments, at four steps a quarter note."""
    tracks = [
        [(12, 100, 0.5, 1), (11, 1, 1.5, 2.75)],
        [(12, 127, 0.5, 1), (14, 50, 1.5, 2), (50, 100, 8.25, 9.25), (52, 100, 8.5, 9.25)],
    ]
    given = piece(tracks, [("C", 0.5), ("G7", 1.5), ("Cmaj7", 8.25)])
    (sheet,) = LeadSheetRepresentation(**LOOSE).extract(given).sequences
    # The first track and its eleven steps are shorter than a bar, as there.
    assert sheet.tokens[[2, 4, 6, 8, 33, 34]].tolist() == [12, -1, 14, -1, 50, 52]
    chords = chords_lib.ChordProgression()
    chords.from_quantized_sequence(sequences_lib.quantize_note_sequence(given.sequence, 4), 0, len(sheet))
    assert sheet.columns[CHORDS].tolist() == chord_numbers(chords).tolist()


@pytest.mark.parametrize(
    ("changes", "length", "expected"),
    [
        # chord_pipelines_test: testChordsExtractor, testExtractChords
        ([("C", 2), ("Am", 4), ("F", 5)], 8, ["N.C.", "N.C.", "C", "C", "Am", "F", "F", "F"]),
        ([("C", 2), ("G7", 6), ("F", 8)], 10, ["N.C."] * 2 + ["C"] * 4 + ["G7"] * 2 + ["F"] * 2),
    ],
)
def test_magentas_own_cases_of_progressions(changes, length, expected):
    figures, steps = zip(*changes, strict=True)
    assert Progression(steps, figures).between(0, length) == expected


def test_magentas_own_case_of_transposed_progressions():
    """chord_pipelines_test: testExtractChordsAllTranspositions."""
    chords = chord_numbers(["N.C.", "C"])
    names = ["Gb", "G", "Ab", "A", "Bb", "B", "C", "Db", "D", "Eb", "E", "F"]
    for semitones, name in zip(range(-6, 6), names, strict=True):
        assert transpose_chords(chords, semitones).tolist() == chord_numbers(["N.C.", name]).tolist()


def test_coincident_chords_are_named():
    with pytest.raises(CoincidentChordsError, match="C and F at step 4"):
        Progression((4, 4), ("C", "F")).between(0, 8)
    assert Progression((4, 4), ("C", "C")).between(0, 8) == ["N.C."] * 4 + ["C"] * 4
    assert Progression((4, 4), ("C", "F")).between(5, 7) == ["F", "F"]

from collections.abc import Callable
from fractions import Fraction

import pytest

from etude.pipelines.readers.abc import Tune
from etude.pipelines.readers.note_sequences import NoteSequence

Read = Callable[[str], Tune]
HEADER = "X:7\nM:4/4\nL:1/4\n"


def test_metadata(read: Read) -> None:
    sequence = read("X:7\nT:First\nT:Second\nC:Trad.\nC:Someone\nR:reel\nO:Ireland\nK:C\nC\n").note_sequence()
    assert sequence.reference_number == 7
    assert sequence.ticks_per_quarter == 220
    assert sequence.source_info.encoding_type == NoteSequence.SourceInfo.ABC
    assert sequence.source_info.source_type == NoteSequence.SourceInfo.SCORE_BASED
    assert sequence.sequence_metadata.title == "First"
    assert sequence.sequence_metadata.composers == ["Trad.", "Someone"]
    assert sequence.sequence_metadata.genre == ["reel", "Ireland"]


def test_continued_fields(read: Read) -> None:
    sequence = read("X:1\nT:A long\n%%comment\n+:title\nK:C\nC\n").note_sequence()
    assert sequence.sequence_metadata.title == "A long title"


def test_times_are_exact_after_many_tempos(read: Read) -> None:
    """Their rates have no common measure of any use, and still each time is the nearest float."""
    tempos = [Fraction(f"{60 + number}.{number:03}") for number in range(1, 400)]
    music = "".join(f"[Q:1/4={float(tempo):.3f}]C" for tempo in tempos)
    notes = read(f"{HEADER}K:C\n{music}\n").note_sequence().notes
    now = Fraction(0)
    for note, tempo in zip(notes, tempos, strict=True):
        assert note.start_time == float(now)
        now += 60 / tempo


def test_times_are_exact(read: Read) -> None:
    sequence = read(HEADER + "Q:1/4=110\nK:C\n(3CDE (7CDEFGAB z4 C\n").note_sequence()
    quarters = [Fraction(2, 3) * position for position in range(3)]
    quarters += [2 + Fraction(2, 7) * position for position in range(7)] + [Fraction(8)]
    assert [note.start_time for note in sequence.notes] == [float(time * Fraction(60, 110)) for time in quarters]
    assert sequence.total_time == float(9 * Fraction(60, 110))
    assert [tempo.qpm for tempo in sequence.tempos] == [110]


def test_default_tempo(read: Read) -> None:
    sequence = read(HEADER + 'Q:"Allegro"\nK:C\nCD\n').note_sequence()
    assert [(tempo.time, tempo.qpm) for tempo in sequence.tempos] == [(0, 120)]
    assert [note.end_time for note in sequence.notes] == [0.5, 1]
    assert [note.velocity for note in sequence.notes] == [90, 90]


def test_changes(read: Read) -> None:
    text = HEADER + "Q:1/4=60\nK:C\nC4|[M:3/4][Q:1/4=120][K:Gmix]D3|[K:Ador]E3|[Q:3/8=40]F\n"
    sequence = read(text).note_sequence()
    assert [(tempo.time, tempo.qpm) for tempo in sequence.tempos] == [(0, 60), (4, 120), (7, 60)]
    assert [(s.time, s.numerator, s.denominator) for s in sequence.time_signatures] == [(0, 4, 4), (4, 3, 4)]
    assert [(s.time, s.key, s.mode) for s in sequence.key_signatures] == [
        (0, 0, NoteSequence.KeySignature.MAJOR),
        (4, 7, NoteSequence.KeySignature.MIXOLYDIAN),
        (5.5, 9, NoteSequence.KeySignature.DORIAN),
    ]
    assert [(note.start_time, note.end_time) for note in sequence.notes] == [(0, 4), (4, 5.5), (5.5, 7), (7, 8)]


def test_a_repeat_brings_back_metre_key_and_tempo(read: Read) -> None:
    sequence = read(HEADER + "Q:1/4=60\nK:C\n|:C4|[M:2/4][Q:1/4=120][K:G]F2:|\n").note_sequence()
    assert [(tempo.time, tempo.qpm) for tempo in sequence.tempos] == [(0, 60), (4, 120), (5, 60), (9, 120)]
    assert [(s.time, s.numerator) for s in sequence.time_signatures] == [(0, 4), (4, 2), (5, 4), (9, 2)]
    assert [(s.time, s.key) for s in sequence.key_signatures] == [(0, 0), (4, 7), (5, 0), (9, 7)]
    assert [note.pitch for note in sequence.notes] == [60, 66, 60, 66]


def test_free_metre_and_no_key(read: Read) -> None:
    sequence = read("X:1\nM:none\nK:none\nC\n").note_sequence()
    assert not sequence.time_signatures
    assert not sequence.key_signatures


@pytest.mark.parametrize(("key", "number"), [("C#", 1), ("Bb", 10), ("Cb", 11), ("B#", 0), ("D transpose=-2", 0)])
def test_tonic(read: Read, key: str, number: int) -> None:
    assert read(f"X:1\nK:{key}\nC\n").note_sequence().key_signatures[0].key == number


def test_chord_symbols(read: Read) -> None:
    text = HEADER + 'K:C\n|:"Am7"C2 "^not this"D "F#m/C#"E :| "G(Em)"F "4"G "D.C."A "Bb"B\n'
    sequence = read(text).note_sequence()
    symbols = [(annotation.time, annotation.text) for annotation in sequence.text_annotations]
    assert symbols == [(0, "Am7"), (1.5, "F#m/C#"), (2, "Am7"), (3.5, "F#m/C#"), (4, "G(Em)"), (5.5, "Bb")]
    assert {annotation.annotation_type for annotation in sequence.text_annotations} == {
        NoteSequence.TextAnnotation.CHORD_SYMBOL
    }


def test_sections(read: Read) -> None:
    sequence = read(HEADER + "K:C\n|:C4|1D4:|2E4|]F4|]\n").note_sequence()
    assert [(section.time, section.section_id) for section in sequence.section_annotations] == [(0, 0), (4, 0), (8, 1)]
    sequence = read("X:1\nL:1/4\nP:ABA\nK:C\nP:A\nC4|\nP:B\nD4|\n").note_sequence()
    assert [(section.time, section.section_id) for section in sequence.section_annotations] == [(0, 0), (2, 1), (4, 0)]
    assert not read(HEADER + "K:C\nC4|D4|]\n").note_sequence().section_annotations


def test_dynamics(read: Read) -> None:
    sequence = read(HEADER + "K:C\nC!p!D!trill!E+ff+F\n").note_sequence()
    assert [note.velocity for note in sequence.notes] == [90, 60, 60, 120]


def test_instruments(read: Read) -> None:
    sequence = read(HEADER + 'V:1 name="Flute"\nV:2\nK:C\nV:1\nC4|\nV:2\nC,4|\n').note_sequence()
    assert [(note.pitch, note.instrument) for note in sequence.notes] == [(60, 0), (48, 1)]
    assert [(info.instrument, info.name) for info in sequence.instrument_infos] == [(0, "Flute"), (1, "2")]
    assert not read(HEADER + "K:C\nC4|\n").note_sequence().instrument_infos


# note-seq's own reader is right on tunes like these: no repeats, ties, chords, tuplets, grace notes or rests.
SIMPLE = [
    "X:1\nT:A\nC:B\nM:6/8\nL:1/8\nQ:3/8=100\nK:Edor\nEBB BAB|c2A GFE|^FGA- B2c|d3 e3|]\n",
    "X:2\nT:A\nM:C|\nL:1/8\nK:Bb\nB>cd<e f=ef_g|g4 f2\nK:F\nb2|\nM:3/4\nA,/B,/ c'4 d''|]\n",
    "X:3\nM:2/4\nK:D\nQ:1/4=90\nDFAd fdAF|^G2_B2 =c4|\n",
]


@pytest.mark.parametrize("text", SIMPLE)
def test_equals_note_seq(read: Read, text: str) -> None:
    from note_seq import abc_parser

    lines = [line for line in text.replace("- ", " ").splitlines() if not line.startswith("X:")]
    theirs = abc_parser.ABCTune(lines).note_sequence
    ours = read(text).note_sequence()
    assert len(ours.notes) == len(theirs.notes)
    for our, their in zip(ours.notes, theirs.notes, strict=True):
        assert (our.pitch, our.velocity) == (their.pitch, their.velocity)
        assert (our.start_time, our.end_time) == pytest.approx((their.start_time, their.end_time))
    assert [(s.numerator, s.denominator) for s in ours.time_signatures] == [
        (s.numerator, s.denominator) for s in theirs.time_signatures
    ]
    assert [(s.key, s.mode) for s in ours.key_signatures] == [(s.key, s.mode) for s in theirs.key_signatures]
    assert ours.source_info.encoding_type == theirs.source_info.encoding_type
    assert ours.source_info.source_type == theirs.source_info.source_type
    assert ours.ticks_per_quarter == theirs.ticks_per_quarter
    assert ours.sequence_metadata.title == theirs.sequence_metadata.title
    assert ours.sequence_metadata.composers == theirs.sequence_metadata.composers

import numpy as np
import pytest

from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.scales import Key
from etude.pipelines.generation.primer import Primer, default_primer, parse_metre, parse_primer, read_primer
from etude.pipelines.readers.note_sequences import NoteSequence

TUNES = """X:3
T:Jig
M:6/8
L:1/8
Q:3/8=80
K:Em
EGB e2B|GAB E3|

X:7
T:Reel
M:4/4
L:1/8
K:D
DFAd fdAF|
"""


def of_notes(*notes, **fields):
    sequence = NoteSequence(ticks_per_quarter=220, **fields)
    sequence.tempos.add(qpm=120)
    for start, pitch, length in notes:
        sequence.notes.add(start_time=start / 8, end_time=(start + length) / 8, pitch=pitch, velocity=80)
    sequence.total_time = max(note.end_time for note in sequence.notes)
    return sequence


@pytest.fixture
def abc(tmp_path):
    path = tmp_path / "two.abc"
    path.write_text(TUNES)
    return str(path)


@pytest.fixture
def records(tmp_path):
    from etude.models.storage.records import frame

    path = tmp_path / "notes.tfrecord"
    pieces = [of_notes((0, 60, 2), (2, 62, 2)), of_notes((0, 72, 1), (1, 71, 1), (2, 69, 1))]
    path.write_bytes(b"".join(frame(piece.SerializeToString()) for piece in pieces))
    return str(path)


def test_a_tune_of_an_abc_file(abc):
    jig = read_primer(abc, 4)
    assert jig.events.tolist()[:12:2] == [64, 67, 71, 76, -2, 71]
    assert (jig.steps_per_bar, jig.metre, jig.key) == (12, (6, 8), Key(4, "minor"))
    assert jig.qpm == pytest.approx(120)
    reel = read_primer(f"{abc}#7", 4)
    assert reel.events.tolist()[::2] == [62, 66, 69, 74, 78, 74, 69, 66]
    assert (reel.steps_per_bar, reel.metre, reel.key) == (16, (4, 4), Key(2))
    assert reel.source == f"{abc}#7"


def test_a_tune_of_a_note_sequence_file(records):
    assert read_primer(records, 4).events.tolist()[:4] == [60, -2, 62, -2]
    second = read_primer(f"{records}#2", 4)
    assert second.events.tolist()[:3] == [72, 71, 69]
    assert (second.metre, second.key) == ((4, 4) if second.metre else None, None)


@pytest.mark.parametrize("number", ["#3", "#99"])
def test_a_tune_that_is_not_there(records, abc, number):
    with pytest.raises(EtudeError, match=f"it has no tune {number[1:]}"):
        read_primer(records + number, 4)
    with pytest.raises(EtudeError, match=r"it has no tune 1$"):
        read_primer(f"{abc}#1", 4)


def test_a_file_with_a_number_sign_in_its_name(tmp_path, midi):
    path = tmp_path / "tune#5"
    path = path.with_name("tune#5.mid")
    path.write_bytes(midi([60, 64, 67]))
    assert read_primer(str(path), 4).events[0] == 60


def test_of_notes_that_start_together_the_highest_is_taken(tmp_path):
    from etude.models.storage.records import frame

    path = tmp_path / "chords.tfrecord"
    path.write_bytes(frame(of_notes((0, 60, 2), (0, 64, 2), (0, 67, 2), (2, 59, 2), (2, 65, 2)).SerializeToString()))
    assert read_primer(str(path), 4).events.tolist()[:4] == [67, -2, 65, -2]


def test_silence_is_kept(tmp_path):
    from etude.models.storage.records import frame

    path = tmp_path / "gap.tfrecord"
    path.write_bytes(frame(of_notes((2, 60, 2), (40, 64, 1)).SerializeToString()))
    events = read_primer(str(path), 4).events
    assert np.flatnonzero(events >= 0).tolist() == [2, 40]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.mid", None, "none.mid"),
        ("bad.mid", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\x90", "bad.mid"),
        ("none.tfrecord", None, "there is no file"),
        ("bad.abc", b"no tune here", "bad.abc"),
    ],
)
def test_files_without_a_melody(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EtudeError, match=message):
        read_primer(str(tmp_path / name), 4)


def test_an_empty_midi_file(tmp_path, midi):
    (tmp_path / "empty.mid").write_bytes(midi([]))
    with pytest.raises(EtudeError, match=r"empty\.mid holds no melody"):
        read_primer(str(tmp_path / "empty.mid"), 4)


def test_the_first_bars():
    primer = Primer(np.arange(40), steps_per_bar=12)
    assert primer.first_bars(2).events.tolist() == list(range(24))
    assert primer.first_bars(0.5).events.tolist() == list(range(6))
    assert primer.first_bars(99).events.tolist() == list(range(40))
    for number in (0, -1, 0.01, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="--primer-bars"):
            primer.first_bars(number)


def test_metres():
    primer = parse_primer("[60, -2]", 4).in_metre(parse_metre("6/8"), 4)
    assert (primer.metre, primer.steps_per_bar) == ((6, 8), 12)
    assert (default_primer(8).steps_per_bar, parse_primer("[60]", 3).steps_per_bar) == (32, 12)
    assert default_primer(8).in_metre((3, 4), 8).steps_per_bar == 24
    with pytest.raises(UsageError, match="1/32 is no whole number"):
        primer.in_metre(parse_metre("1/32"), 4)
    for text in ("3", "3/5", "0/4", "a/4", "3/4/4", "-3/4"):
        with pytest.raises(UsageError, match="--metre"):
            parse_metre(text)

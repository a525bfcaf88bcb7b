import io
import re
import unicodedata
import zipfile

import pytest

from etude.pipelines.readers import read_music
from etude.pipelines.reasons import REMEDIES
from etude.pipelines.sources.source import Source


def read(name, data):
    return list(read_music(Source("tunes", name, "/nowhere"), data))


def only_rejection(readings):
    (reading,) = readings
    assert reading.sequence is None
    assert reading.rejected.reason in REMEDIES
    return reading.rejected


TUNEBOOK = """%abc-2.1
L:1/8
M:3/4
R:waltz

X:7
T:First
K:C
CDE FGA|

Just some words about the tunes.

X:8
T:Second
M:2/4
K:G
[GB4|
X:8
T:Third
K:D
DEF|

T:Fourth has no number
K:A
ABc|
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_one_bad_tune_costs_only_itself(newline):
    readings = read("book.abc", TUNEBOOK.replace("\n", newline).encode("utf-8-sig"))
    assert [reading.sequence.id if reading.sequence else None for reading in readings] == [
        "tunes/book.abc#7",
        None,
        "tunes/book.abc#8",
        "tunes/book.abc#0",
    ]
    bad = readings[1]
    assert (bad.rejected.reason, bad.reference_number, bad.title, bad.line) == ("abc-syntax", 8, "Second", 13)
    assert bad.rejected.detail.startswith("tunes/book.abc:17:1: expected ']'")
    first = readings[0].sequence
    assert first.reference_number == 7
    assert (first.time_signatures[0].numerator, first.time_signatures[0].denominator) == (3, 4)
    assert [note.pitch for note in first.notes] == [60, 62, 64, 65, 67, 69]


def test_tunes_with_one_number_get_different_ids(abc_tune):
    readings = read("book.abc", "\n".join(abc_tune(number, reference=5) for number in range(3)).encode())
    assert [r.sequence.id for r in readings] == ["tunes/book.abc#5", "tunes/book.abc#5~2", "tunes/book.abc#5~3"]


def test_strange_number_and_latin_1(abc_tune):
    text = abc_tune(1).replace("X:1", "X: 12b").replace("Tune", "Café")
    (reading,) = read("a.abc", text.encode("latin-1"))
    assert (reading.sequence.reference_number, reading.title) == (12, "Café 1")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"no music here", b"\xff\xfe\x00", b"X:1\nT:Nothing\nK:C\n"])
def test_abc_without_music(data):
    assert only_rejection(read("a.abc", data)).reason in ("no-notes", "abc-syntax")


@pytest.mark.parametrize("key", ["K:H", "K:", "K:none", "M:0/0", "L:0/0", "Q:fast", "Z"])
def test_nothing_that_a_tune_holds_escapes(abc_tune, key):
    first, second = read("a.abc", (abc_tune(1).replace("K:C", key) + "\n" + abc_tune(2)).encode())
    assert (first.sequence is None) == (first.rejected is not None)
    assert second.sequence is not None


def test_musicxml(musicxml):
    (reading,) = read("a.musicxml", musicxml(bars=2))
    assert len(reading.sequence.notes) == 8
    assert reading.sequence.total_time == pytest.approx(4)
    assert reading.sequence.id == "tunes/a.musicxml"


def compressed(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


CONTAINER = b'<container><rootfiles><rootfile full-path="deep/score.xml"/></rootfiles></container>'


def test_compressed_musicxml(musicxml):
    plain = read("a.xml", musicxml())[0].sequence
    score = musicxml()
    for members in ({"META-INF/container.xml": CONTAINER, "deep/score.xml": score, "b.xml": b""}, {"score.xml": score}):
        (reading,) = read("a.xml", compressed(members))
        assert reading.sequence == plain


def compressed_under(raw_name, full_path, score, with_flag):
    """An .mxl file whose score has a name of any bytes, with or without the flag that says UTF-8."""
    name = "x" * len(raw_name)
    container = f'<container><rootfiles><rootfile full-path="{full_path}"/></rootfiles></container>'
    data = compressed({"META-INF/container.xml": container, name: score, "other.txt": b""})
    changed = bytearray(data.replace(name.encode(), raw_name))
    for signature, flags_at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        for match in re.finditer(re.escape(signature), data):
            changed[match.start() + flags_at + 1] |= 0x08 * with_flag
    return bytes(changed)


@pytest.mark.parametrize(
    ("raw_name", "full_path"),
    [
        ("größe ☃.xml".encode(), "größe ☃.xml"),
        (unicodedata.normalize("NFD", "größe.xml").encode(), "größe.xml"),
        ("größe.xml".encode("cp437"), "größe.xml"),
        (b"gr\xff\xfe.xml", "größe.xml"),
    ],
)
@pytest.mark.parametrize("with_flag", [False, True])
def test_compressed_musicxml_with_a_name_in_any_encoding(musicxml, raw_name, full_path, with_flag):
    """Some programs write UTF-8 without saying so, others say so without writing it."""
    (reading,) = read("a.mxl", compressed_under(raw_name, full_path, musicxml(), with_flag))
    assert reading.rejected is None, reading.rejected
    assert reading.sequence.notes == read("a.xml", musicxml())[0].sequence.notes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html/>",
        b"<score-partwise",
        b'<?xml version="1.0" encoding="utfff-8"?><score-partwise/>',
        b"PK nonsense",
        compressed({"a.txt": b""}),
        compressed({"a.xml": b"<score-partwise/>", "b.xml": b""}),
        compressed({"META-INF/container.xml": CONTAINER}),
    ],
)
def test_bad_musicxml(data):
    assert only_rejection(read("a.mxl", data)).reason == "unreadable"


def test_exploding_musicxml(monkeypatch):
    monkeypatch.setattr("etude.pipelines.readers.musicxml.reader.MAX_BYTES", 1000)
    rejected = only_rejection(read("a.mxl", compressed({"a.xml": b" " * 1001})))
    assert "expands to more than" in rejected.detail


def test_musicxml_without_notes():
    assert only_rejection(read("a.xml", b"<score-partwise/>")).reason == "no-notes"


def test_failing_reader_is_a_rejection(monkeypatch):
    def fail(data, name):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("etude.pipelines.readers.midi.reader.read", fail)
    assert only_rejection(read("a.mid", b"")).detail == "ZeroDivisionError: oh"

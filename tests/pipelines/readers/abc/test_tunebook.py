from collections.abc import Callable

import pytest

from etude.models.abc import reading
from etude.models.abc.notation.score import Score
from etude.models.abc.notation.text import decode, decode_string, split_lines
from etude.models.abc.performance.performance import Performance
from etude.pipelines.readers.abc import RejectedTune, Tune, read_tunebook

TUNE = "X:{}\nT:{}\nL:1/4\nK:C\n{}\n"


def titles(text: str | bytes) -> list[str]:
    return [tune.title for tune in read_tunebook(text.encode() if isinstance(text, str) else text)]


def test_several_tunes() -> None:
    text = TUNE.format(1, "One", "C") + "\n" + TUNE.format(2, "Two", "D")
    tunes = read_tunebook(text.encode())
    assert [(tune.reference_number, tune.title, tune.line) for tune in tunes] == [(1, "One", 1), (2, "Two", 7)]
    assert all(isinstance(tune, Tune) for tune in tunes)


def test_one_bad_tune_costs_itself_only() -> None:
    text = TUNE.format(1, "One", "C") + "\n" + TUNE.format(2, "Bad", "C [D") + "\n" + TUNE.format(2, "Two", "D")
    one, bad, two = read_tunebook(text.encode(), "book.abc")
    assert isinstance(one, Tune)
    assert isinstance(two, Tune)
    assert isinstance(bad, RejectedTune)
    assert (bad.reference_number, bad.title, bad.line, bad.reason) == (2, "Bad", 7, "abc-syntax")
    assert bad.detail == "book.abc:11:3: expected ']' to close the chord or field: '['"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TUNE.format(1, "A", "C") + TUNE.format(1, "B", "C"), ["A", "B"]),  # no empty line, the same number
        (TUNE.format("", "A", "C") + "\n" + TUNE.format("x", "B", "C"), ["A", "B"]),  # no number
        ("T:A\nL:1/4\nK:C\nC\n\nT:B\nK:C\nC\n", ["A", "B"]),  # no X:
        (
            "Some text.\n\n"
            + TUNE.format(1, "A", "C")
            + "\nMore text:\nwith ABC in it.\n\n"
            + TUNE.format(2, "B", "C"),
            ["A", "B"],
        ),
        ("X:1\nT:A\n\nK:C\nC\n", ["A"]),  # an empty line within the header
        ("  \n\nX: 1\n T: A\nK:C\nC\n", ["A"]),
        ("X:1\rT:A\rK:C\rC\r\rX:2\rT:B\rK:C\rC\r", ["A", "B"]),  # an old Macintosh
        ("X:1\r\nT:A\r\nK:C\r\nC\r\n\r\nX:2\r\nT:B\r\nK:C\r\nC\r\n", ["A", "B"]),
        ("X:1\r\r\nT:A\r\r\nK:C\r\r\nC\r\r\n", ["A"]),
        ("%%begintext\nX marks\nT:nothing\n%%endtext\nX:1\nT:A\nK:C\nC", ["A"]),
        ("", []),
        ("nothing here", []),
    ],
)
def test_where_tunes_start_and_end(text: str, expected: list[str]) -> None:
    assert titles(text) == expected
    assert all(isinstance(tune, Tune) for tune in read_tunebook(text.encode()))


def test_music_after_an_empty_line_is_text() -> None:
    (tune,) = read_tunebook(b"X:1\nL:1/4\nK:C\nC D\n\nE F\n")
    assert isinstance(tune, Tune)
    assert [note.pitch for note in tune.performance.notes] == [60, 62]


def test_file_header() -> None:
    header = "%abc-2.1\nC:Trad.\nM:3/4\nL:1/2\n%%propagate-accidentals not\nI:unknown\n"
    text = header + "\nX:1\nK:C\n^C C Z|C\n\nX:2\nM:4/4\nL:1/4\nK:C\nC\n"
    first, second = read_tunebook(text.encode())
    assert isinstance(first, Tune)
    assert isinstance(second, Tune)
    times = [(note.pitch, 4 * note.start / first.performance.units) for note in first.performance.notes]
    assert times == [(61, 0), (60, 2), (60, 7)]
    assert second.performance.notes[0].end * 4 == second.performance.units
    assert first.note_sequence().sequence_metadata.composers == ["Trad."]


def test_a_bad_file_header_costs_no_tune() -> None:
    (tune,) = read_tunebook(b"M:what\n\nX:1\nK:C\nC\n")
    assert isinstance(tune, Tune)
    assert [(warning.line, warning.column) for warning in tune.warnings] == [(1, 3)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Grün".encode(), "Grün"),
        ("Grün".encode("latin-1"), "Grün"),
        ("Grün".encode("utf-8-sig"), "Grün"),
        ("Grün".encode("utf-16"), "Grün"),
        (b"I:abc-charset iso-8859-2\n\xb1", "I:abc-charset iso-8859-2\ną"),
        (b"%%abc-charset iso-8859-2\n\xb1", "%%abc-charset iso-8859-2\ną"),
        (b"I:abc-charset idna\n\xe4", "I:abc-charset idna\nä"),
        (b"\x80 \x81", "\x80 \x81"),
        (b"\x93quoted\x94", "“quoted”"),
        (b"=3Dc d=20", "=c d "),
        (b"c d=20\r\nT:a =20 b\r\n", "c d \r\nT:a =20 b\r\n"),
        (b"Q:1/4=200\nQ:1/2=20\n[Q:1/4=20]c\nQ:1/4=3D90", "Q:1/4=200\nQ:1/2=20\n[Q:1/4=20]c\nQ:1/4=90"),
    ],
)
def test_encodings(data: bytes, expected: str) -> None:
    assert decode(data) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\'Eire", "Éire"),
        (r"m\"uller \ss \aa \ae \/o", "müller ß å æ ø"),
        (r"Fran\cc \~n \`a \^o \vc", "Franç ñ à ô č"),
        ("&eacute;&amp;", "é&"),
        (r"\u00e9 \ud800x", "é x"),
        (r"100\% \&", "100% &"),
        (r"back\slash", "back\\slash"),
    ],
)
def test_text_strings(text: str, expected: str) -> None:
    assert decode_string(text) == expected


def test_lines() -> None:
    assert split_lines("a\nb\r\nc\rd\r\r\ne") == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("music", "place", "message"),
    [
        ("C D\nE [F\n", "6:3", "expected ']'"),
        ("C {D\n", "5:3", "expected '}'"),
        ('C "D\n', "5:3", "expected a closing quotation mark"),
        ("C D}\n", "5:4", "expected '{'"),
        ("C ]\n", "5:3", "expected '['"),
        ("C ^ D\n", "5:3", "expected a note after the accidental"),
        ("C ^^^D\n", "5:3", "expected a note after the accidental"),
        ("C 4 D\n", "5:3", "expected a note, rest, bar line"),
        ("C é\n", "5:3", "not 'é'"),
        ("C D0\n", "5:3", "the length 0 is out of range"),
        ("C D99999\n", "5:3", "the length 99999 is out of range"),
        ("C D/99999\n", "5:3", "out of range"),
        ("C c" + "'" * 5000 + "\n", "5:3", "out of range"),
        ("C |" + "|" * 5000 + "\n", "5:3", "expected a bar line of at most 60 signs"),
        ("C D" + "9" * 5000 + "\n", "5:3", "out of range"),
        ("C D" + "/" * 5000 + "\n", "5:3", "out of range"),
        ("C D//4\n", "5:3", "expected a length such as 3/2"),
        ("C c''''''''\n", "5:3", "expected a pitch that MIDI has"),
        ("C (0DE\n", "5:3", "expected tuplet numbers"),
        ("C (999999DE\n", "5:3", "expected tuplet numbers"),
        ("C Z999999999\n", "5:3", "expected a rest of 1 to 1,000 bars"),
        (">C\n", "5:1", "expected a note before the broken rhythm"),
        ("C>>>>D\n", "5:2", "expected >, >> or >>>"),
        ("C [D%E]\n", "5:3", "expected ']'"),
        ("C [DqE7%]\n", "5:3", "expected ']'"),
        ("C [D?]\n", "5:5", "expected a note in the chord"),
        ("C []\n", "5:3", "expected a note in the chord"),
        ("C [M:x]\n", "5:6", "expected a metre"),
        ("C\nM:x\n", "6:3", "expected a metre"),
        ("C\nL:1/0\n", "6:3", "expected a length above 0"),
        ("C\nK:Q\n", "6:3", "expected a key"),
        ("C\nV:\n", "6:3", "expected the name of a voice"),
        ("C D[E\nF G7] 8\n", "6:7", "expected a note, rest"),  # cut within a chord
    ],
)
def test_errors_name_the_place(music: str, place: str, message: str) -> None:
    (tune,) = read_tunebook(("X:1\nT:Test\nL:1/4\nK:C\n" + music).encode(), "test.abc")
    assert isinstance(tune, RejectedTune)
    assert tune.detail.startswith(f"test.abc:{place}: ")
    assert message in tune.detail


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("X:1\nT:A\n", "test.abc:1: expected a K: field, which ends the header of a tune"),
        ("X:1\nL:x\nK:C\nC\n", "test.abc:2:3: expected a unit note length such as 1/8, not 'x'"),
        ("X:1\nK:Ch\nC\n", "test.abc:2:4: expected a mode (major"),
    ],
)
def test_errors_in_the_header(reject: Callable[[str], RejectedTune], text: str, detail: str) -> None:
    assert reject(text).detail.startswith(detail)


def test_a_tune_without_notes(reject: Callable[[str], RejectedTune]) -> None:
    tune = reject("\nX:1\nK:C\nz4|\n")
    assert (tune.reason, tune.detail) == ("no-notes", "test.abc:2: the tune has no notes")


def test_a_tune_that_is_too_large(reject: Callable[[str], RejectedTune]) -> None:
    tune = reject("X:1\nK:C\n" + "C" * 500_001)
    assert (tune.reason, tune.detail) == (
        "too-large",
        "test.abc:1: expected a tune of at most 500,000 characters",
    )


def test_warnings(read: Callable[[str], Tune]) -> None:
    tune = read("X:1\nwhat is this\nQ:fast\nH:history\nthat goes on\nK:C\nC\n")
    assert [(warning.line, warning.message) for warning in tune.warnings] == [
        (2, "text in the header is no field; it was left out"),
        (3, "expected a tempo such as 1/4=120, not 'fast'"),
    ]


def test_an_internal_error_costs_one_tune(monkeypatch: pytest.MonkeyPatch) -> None:
    def perform(score: Score) -> Performance:
        if score.titles == ["Two"]:
            raise ZeroDivisionError("something nobody thought of")
        return real_perform(score)

    real_perform = reading.perform
    monkeypatch.setattr(reading, "perform", perform)
    text = "X:1\nT:One\nK:C\nCDE\n\nX:7\nT:Two\nK:C\nCDE\n\nX:9\nT:Three\nK:C\nCDE\n"
    one, two, three = read_tunebook(text.encode(), "book.abc")
    assert isinstance(one, Tune)
    assert isinstance(three, Tune)
    assert isinstance(two, RejectedTune)
    assert (two.reason, two.reference_number, two.line) == ("reader-failed", 7, 6)
    assert two.detail == "book.abc:6: internal error in tune 7: ZeroDivisionError: something nobody thought of"

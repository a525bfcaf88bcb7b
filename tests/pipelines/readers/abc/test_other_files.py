"""Files that models are trained on: tunes between marks, and folk-rnn's tokens."""

from fractions import Fraction

import pytest

from etude.pipelines.convert import convert
from etude.pipelines.readers.abc.reader import read
from etude.pipelines.readers.notes import read_texts

TOKENS = """M:6/8
K:Cdor
|: c d e g 2 f | e /2 d /2 c 3 z 2 :|

T:With a title
M:4/4
K:Cmaj
(3 A B c d > e [ C E ] 2 |1 ^F 8 :| |2 G 8 |

M:4/4
K:Cmaj
A B ?? 4 4 |

K:Cmaj
A 4 |
"""


def sounds(reading):
    """Pitch, onset and duration in eighths."""
    eighth = 60 / reading.sequence.tempos[0].qpm / 2
    return [
        (note.pitch, round(note.start_time / eighth, 6), round((note.end_time - note.start_time) / eighth, 6))
        for note in reading.sequence.notes
    ]


def test_tokens_of_folk_rnn():
    first, second, bad, without_metre = read(TOKENS.encode(), "data.txt")
    once = [(72, 0, 1), (74, 1, 1), (75, 2, 1), (79, 3, 2), (77, 5, 1), (75, 6, 0.5), (74, 6.5, 0.5), (72, 7, 3)]
    assert sounds(first) == once + [(pitch, onset + 12, length) for pitch, onset, length in once]
    assert (first.reference_number, second.reference_number, second.title, second.line) == (1, 2, "With a title", 5)
    third = round(float(Fraction(2, 3)), 6)
    assert [length for _, _, length in sounds(second)][:7] == [third, third, third, 1.5, 0.5, 2, 2]
    assert [pitch for pitch, _, _ in sounds(second)][7::8] == [66, 67]
    for reading, line in ((bad, 10), (without_metre, 14)):
        assert reading.rejected.reason == "abc-syntax"
        assert reading.rejected.detail.startswith(f"data.txt:{line}: expected")
    assert bad.line == 10


@pytest.mark.parametrize(
    "text",
    [
        "<start>\nX:4\nM:3/4\nL:1/4\nK:G\nGAB|\n<end>\n<start>\nM:2/4\nL:1/8\nK:C\nCDE2|\n<end>\n",
        "<start>X:4\nM:3/4\nL:1/4\nK:G\nGAB|<end><start>M:2/4\nL:1/8\nK:C\nCDE2|<end>",
    ],
)
def test_tunes_between_marks(text):
    first, second = read(text.encode(), "tunes.txt")
    assert (first.reference_number, second.reference_number) == (4, 0)
    assert [note.pitch for note in first.sequence.notes] == [67, 69, 71]
    assert [note.pitch for note in second.sequence.notes] == [60, 62, 64]
    assert "<" not in first.text + second.text


def test_lines_keep_their_numbers():
    (reading,) = read(b"<start>\nX:1\nK:C\nC\xc2\xa1|\n<end>\n", "tunes.txt")
    assert reading.rejected.detail.startswith("tunes.txt:4:2:")


def test_a_text_file_is_read_where_it_is_named(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "data.txt").write_text(TOKENS)
    (tmp_path / "music" / "a.abc").write_text("X:1\nK:C\nC4 2D|\nCDEF|\n".replace(" 2", ""))
    convert([str(tmp_path / "music")], tmp_path / "folder")
    convert([str(tmp_path / "music" / "data.txt")], tmp_path / "file")
    convert([str(tmp_path / "music" / "*.txt")], tmp_path / "glob")
    names = [
        [text.id for path in sorted((tmp_path / output).glob("texts-*")) for text in read_texts(str(path))]
        for output in ("folder", "file", "glob")
    ]
    assert [len(found) for found in names] == [1, 2, 2]
    assert any(name.endswith("data.txt#2") for name in names[1])

import pytest

from etude.models.melodies.scales import Key
from etude.models.melodies.spelling import Spelling


@pytest.mark.parametrize(
    ("pitch", "key", "expected"),
    [
        (60, Key(0), ("C", 0, 4, True)),
        (66, Key(7), ("F", 1, 4, True)),
        (65, Key(7), ("F", 0, 4, False)),
        (70, Key(5), ("B", -1, 4, True)),
        (59, Key(1), ("C", -1, 4, False)),
        (61, Key(2, "minor"), ("C", 1, 4, False)),
    ],
)
def test_spelling(pitch, key, expected):
    spelling = Spelling.of(pitch, key)
    assert (spelling.letter, spelling.accidental, spelling.octave, spelling.is_in_signature) == expected

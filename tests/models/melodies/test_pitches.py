"""Names of pitches, against music21."""

import pytest

from etude.models.errors import UsageError
from etude.models.melodies.pitches import parse_pitch, pitch_class_name, pitch_name

music21 = pytest.importorskip("music21")


def test_pitches():
    assert [parse_pitch(text) for text in ("C4", "60", "F#5", "bb3", "C-1", "G9")] == [60, 60, 78, 58, 0, 127]
    for text in ("128", "-1", "H4", "C", "", "G#9", "1.5"):
        with pytest.raises(UsageError, match="C4"):
            parse_pitch(text)


def test_names_of_pitch_classes():
    assert [
        music21.pitch.Pitch(pitch_class_name(pitch_class).replace("b", "-")).pitchClass for pitch_class in range(12)
    ] == list(range(12))


def test_names_are_read_back():
    assert [parse_pitch(pitch_name(pitch)) for pitch in range(12, 128)] == list(range(12, 128))

import pytest

from etude.models.errors import UsageError
from etude.models.melodies.scales import MODES, Key, parse_scale

music21 = pytest.importorskip("music21")

KEYS = [
    Key(tonic, mode) for tonic in range(12) for mode in ("major", "minor", "dorian", "mixolydian", "lydian", "phrygian")
]


@pytest.mark.parametrize(
    ("text", "tonic", "classes"),
    [
        ("C major", 0, (0, 2, 4, 5, 7, 9, 11)),
        ("d Dorian", 2, (0, 2, 4, 5, 7, 9, 11)),
        ("F# minor", 6, (1, 2, 4, 6, 8, 9, 11)),
        ("Bb", 10, (0, 2, 3, 5, 7, 9, 10)),
        ("A minor pentatonic", 9, (0, 2, 4, 7, 9)),
        ("G harmonic minor", 7, (0, 2, 3, 6, 7, 9, 10)),
        ("C D E G A", 0, (0, 2, 4, 7, 9)),
        ("[7, 9, 0]", 7, (0, 7, 9)),
    ],
)
def test_scales(text, tonic, classes):
    scale = parse_scale(text)
    assert (scale.tonic, scale.pitch_classes) == (tonic, classes)


@pytest.mark.parametrize("mode", ["major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"])
def test_modes_equal_music21(mode):
    names = {"major": "Major", "minor": "Minor"}
    theirs = getattr(music21.scale, f"{names.get(mode, mode.capitalize())}Scale")("E")
    assert parse_scale(f"E {mode}").pitch_classes == tuple(sorted({pitch.pitchClass for pitch in theirs.pitches}))
    assert parse_scale(f"E {mode}").key == Key(4, mode)


def test_only_written_modes_have_a_key():
    assert {name for name in MODES if parse_scale(f"C {name}").key is None} == {"whole tone", "chromatic"}
    assert parse_scale("C D E").key is None


@pytest.mark.parametrize("text", ["", "H major", "C majorish", "major", "C", "12 13", "C D X"])
def test_what_is_no_scale(text):
    if text == "C":
        assert parse_scale(text).pitch_classes == (0, 2, 4, 5, 7, 9, 11)
        return
    with pytest.raises(UsageError, match="--scale takes a tonic"):
        parse_scale(text)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_signatures_equal_music21(key):
    name = key.name.split()[0].replace("b", "-")
    assert music21.pitch.Pitch(name).pitchClass == key.tonic
    assert -6 <= key.sharps <= 6
    assert music21.key.Key(name, key.mode).sharps == key.sharps


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_pitch_class_is_spelled(key):
    for pitch_class in range(12):
        letter, accidental = key.spell(pitch_class)
        assert music21.pitch.Pitch(letter + "#" * accidental + "-" * -accidental).pitchClass == pitch_class
    diatonic = [key.spell(pitch.pitchClass)[0] for pitch in music21.key.KeySignature(key.sharps).getScale().pitches[:7]]
    assert sorted(diatonic) == list("ABCDEFG")

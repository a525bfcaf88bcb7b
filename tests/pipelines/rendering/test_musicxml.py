"""MusicXML against music21, and against the reader of this project."""

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.melodies.scales import Key
from etude.pipelines.readers.musicxml import reader as musicxml
from etude.pipelines.rendering.music import Music, Note, melody_music
from etude.pipelines.rendering.musicxml import to_musicxml

music21 = pytest.importorskip("music21")


def random_melody(seed, steps):
    random = np.random.default_rng(seed)
    events = random.choice([-2, -2, -2, -1, 0], steps)
    return np.where(events == 0, random.integers(48, 84, steps), events)


def notes_of(music):
    return sorted((note.onset, note.duration, note.pitch) for note in music.notes)


def notes_of_music21(text, steps_per_quarter):
    """Onset and length in steps, and pitch; tied notes as one."""
    score = music21.converter.parse(text, format="musicxml").flatten().stripTies()
    found = [
        (float(note.offset) * steps_per_quarter, float(note.quarterLength) * steps_per_quarter, pitch.midi)
        for note in score.notes
        for pitch in note.pitches
    ]
    return sorted((round(onset, 3), round(length, 3), pitch) for onset, length, pitch in found)


def notes_of_our_reader(text, seconds_per_step):
    (reading,) = musicxml.read(text.encode())
    return sorted(
        (
            round(note.start_time / seconds_per_step, 3),
            round((note.end_time - note.start_time) / seconds_per_step, 3),
            note.pitch,
        )
        for note in reading.sequence.notes
    )


@pytest.mark.parametrize("steps_per_quarter", [3, 4, 6, 8, 12])
@pytest.mark.parametrize("metre", [(4, 4), (3, 4), (6, 8)])
def test_other_readers_find_the_same_notes(metre, steps_per_quarter):
    bar, rest = divmod(4 * steps_per_quarter * metre[0], metre[1])
    if rest:
        pytest.skip("no whole bar")
    melody = random_melody(bar, 4 * bar)
    key = Key(2, "major")
    music = melody_music(melody, steps_per_quarter=steps_per_quarter, steps_per_bar=bar, metre=metre, key=key, qpm=90.0)
    text = to_musicxml(music, title="a < b")
    # A rest within the first bar is written as a pickup, and read as that rest again.
    assert notes_of_music21(text, steps_per_quarter) == notes_of(music.notated)
    assert notes_of_our_reader(text, music.seconds_per_step) == notes_of(music)


def test_metre_key_tempo_title_and_pickup():
    notes = (Note(0, 66, 2), Note(2, 67, 8), Note(2, 71, 8), Note(10, 61, 4))
    music = Music(notes, 18, 4, 16, pickup_steps=2, qpm=90.0, metre=(2, 2), key=Key(7, "major"))
    text = to_musicxml(music, title="a < b")
    score = music21.converter.parse(text, format="musicxml")
    assert score.metadata.title == "a < b"
    flat = score.flatten()
    assert flat.getElementsByClass("TimeSignature").first().ratioString == "2/2"
    assert flat.getElementsByClass("KeySignature").first().sharps == 1
    assert flat.getElementsByClass("MetronomeMark").first().getQuarterBPM() == 90
    lengths = [float(measure.duration.quarterLength) for measure in score.parts[0].getElementsByClass("Measure")]
    assert lengths == [0.5, 4.0]
    assert notes_of_music21(text, 4) == notes_of(music)
    names = [pitch.name for note in flat.notes for pitch in note.pitches]
    assert sorted(names) == ["B", "C#", "F#", "G"]


def test_drums_are_refused():
    with pytest.raises(UsageError, match="drums are not written as MusicXML"):
        to_musicxml(Music((Note(0, 36, 1, is_drum=True),), 4, 4, 16), title="beat")

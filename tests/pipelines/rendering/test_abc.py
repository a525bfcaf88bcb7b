import re

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.melodies.scales import Key
from etude.pipelines.readers.abc import reader as abc
from etude.pipelines.rendering.abc import to_abc
from etude.pipelines.rendering.music import Music, Note, melody_music

music21 = pytest.importorskip("music21")

SUBDIVISION = {(4, 4): 16, (6, 8): 12, (3, 4): 12, (5, 8): 10}


def melody_to_abc(events, *, title, number=1, **options):
    return to_abc(melody_music(events, **options), title=title, number=number)


def random_melody(seed, steps, low=48, high=84):
    random = np.random.default_rng(seed)
    events = random.choice([-2, -2, -2, -1, 0], steps)
    events = np.where(events == 0, random.integers(low, high, steps), events)
    events[0] = 60
    return events


def notes_of_music21(text, steps_per_quarter=4):
    """Onset and length in steps, and pitch; tied notes as one."""
    score = music21.converter.parse(text, format="abc").flatten().stripTies()
    return [
        (
            whole(float(note.offset) * steps_per_quarter),
            whole(float(note.quarterLength) * steps_per_quarter),
            note.pitch.midi,
        )
        for note in score.notes
    ]


def notes_of_our_reader(text, steps_per_second):
    """The same from seconds, as the reader of this project hears them."""
    (reading,) = abc.read(text.encode())
    sequence = reading.sequence
    return [
        (
            whole(note.start_time * steps_per_second),
            whole((note.end_time - note.start_time) * steps_per_second),
            note.pitch,
        )
        for note in sequence.notes
    ]


def whole(steps):
    """A whole number of steps, which it has to be."""
    assert steps == pytest.approx(round(steps), abs=1e-3)
    return round(steps)


def notes(events):
    found = []
    for step, event in enumerate([*events.tolist(), -1]):
        if event != -2:
            if found and found[-1][1] is None:
                found[-1][1] = step - found[-1][0]
            if event >= 0:
                found.append([step, None, event])
    return [tuple(note) for note in found]


@pytest.mark.parametrize("metre", SUBDIVISION)
@pytest.mark.parametrize(
    "key", [None, Key(0), Key(4), Key(8), Key(6), Key(1), Key(4, "minor"), Key(2, "dorian"), Key(7, "mixolydian")]
)
def test_music21_reads_the_same_notes(key, metre):
    events = random_melody(len(str(key)) + metre[0], 64)
    text = melody_to_abc(
        events, steps_per_bar=SUBDIVISION[metre], steps_per_quarter=4, title="A melody", metre=metre, key=key
    )
    assert notes_of_music21(text) == notes(events)


def test_how_it_looks():
    events = np.array([60, -2, 62, 64, 66, -1, -2, -2, 72, -2, -2, -2, 83, -2, -2, -2, -2, -2, 47, -2, 48, -2])
    text = melody_to_abc(
        events,
        steps_per_bar=16,
        steps_per_quarter=4,
        title="T",
        number=3,
        qpm=90.5,
        metre=(4, 4),
        key=Key(0),
        program=40,
    )
    assert text == ("X:3\nT:T\nM:4/4\nL:1/16\nQ:1/4=90.5\n%%MIDI program 40\nK:C\nC2DE ^Fz3 c4 b4-|b2B,,2 C,2z2 z8|]\n")


def test_accidentals_do_not_depend_on_the_reader():
    """After an altered note of a letter, every later one in the bar says what it is."""
    text = melody_to_abc(np.array([66, 78, 65, 77, 66]), steps_per_bar=16, steps_per_quarter=4, title="T", key=Key(0))
    assert re.search(r"\n\^F\^f=F=f ", text)


def test_without_a_metre_one_that_fits():
    for steps, metre in ((16, "4/4"), (12, "6/8"), (10, "5/8"), (7, "7/16")):
        assert f"\nM:{metre}\n" in melody_to_abc(np.array([60]), steps_per_bar=steps, steps_per_quarter=4, title="T")


@pytest.mark.parametrize(
    ("steps_per_quarter", "metre"),
    [
        (2, (6, 8)),
        (3, (4, 4)),
        (3, (3, 4)),
        (5, (4, 4)),
        (6, (6, 8)),
        (6, (7, 8)),
        (8, (4, 4)),
        (8, (9, 8)),
        (12, (3, 4)),
    ],
)
def test_other_steps(steps_per_quarter, metre):
    """Two readers hear the notes where they are."""
    steps_per_bar = 4 * steps_per_quarter * metre[0] // metre[1]
    events = random_melody(steps_per_quarter, 4 * steps_per_bar)
    text = melody_to_abc(
        events, steps_per_bar=steps_per_bar, steps_per_quarter=steps_per_quarter, title="A melody", qpm=90, metre=metre
    )
    assert notes_of_music21(text, steps_per_quarter) == notes(events)
    assert notes_of_our_reader(text, 90 * steps_per_quarter / 60) == notes(events)


def test_triplets_look():
    """A quarter that plain notes can write is none; a note that leaves a triplet is tied."""
    events = np.array([60, 62, -2, 64, -2, -2, 65, -2, 67, -2, -2, -2])
    text = melody_to_abc(events, steps_per_bar=12, steps_per_quarter=3, title="T", metre=(4, 4), key=Key(0))
    assert text == "X:1\nT:T\nM:4/4\nL:1/8\nQ:1/4=120\nK:C\n(3:2:2CD2 E2 (3:2:2F2G- G2|]\n"


def test_what_abc_cannot_write():
    with pytest.raises(UsageError, match="11 steps a quarter note need some of 11"):
        melody_to_abc(np.array([60]), steps_per_bar=44, steps_per_quarter=11, title="T")
    with pytest.raises(UsageError, match="no metre has bars of 10 steps where 3 are a quarter note"):
        melody_to_abc(np.array([60]), steps_per_bar=10, steps_per_quarter=3, title="T")


def test_chords_ties_and_pickups():
    notes = (Note(0, 67, 2), Note(2, 60, 4), Note(2, 64, 8), Note(6, 61, 4), Note(10, 64, 4))
    music = Music(notes, 14, 4, 12, pickup_steps=2, metre=(6, 8), key=Key(0))
    text = to_abc(music, title="T")
    assert text.endswith("\nG2|[CE-]4 [^CE]4 E4|]\n".replace("[CE-]4 [^CE]4 E4", "[CE-]4[^C-E-]2 [^CE]2E4"))
    for pickups, rest in (("as-written", 0), ("rest", 10)):
        (reading,) = abc.read(text.encode(), pickups=pickups)
        found = sorted(
            (whole(note.start_time * 8), note.pitch, whole((note.end_time - note.start_time) * 8))
            for note in reading.sequence.notes
        )
        assert found == sorted((note.onset + rest, note.pitch, note.duration) for note in notes)


def test_drums_are_on_their_channel():
    assert "\n%%MIDI channel 10\n" in to_abc(Music((Note(0, 36, 2, is_drum=True),), 4, 4, 16), title="T")

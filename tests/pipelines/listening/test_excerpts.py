import random

import numpy as np
import pytest

from etude.models.melodies.melody import major_key
from etude.pipelines.listening.excerpts import CENTRE, excerpt, music_of, nursery_tune, playing_time, random_notes
from etude.pipelines.readers.abc.reader import read
from etude.pipelines.rendering.music import Music, Note, melody_music, pitches

TUNE = "X:1\nM:4/4\nL:1/8\nQ:1/4={qpm}\nK:{key}\n(3GAB c2 d4|g8|"


def abc(text):
    (reading,) = read(text.encode())
    return music_of(reading.sequence)


@pytest.mark.parametrize("qpm", [60, 120, 173])
def test_any_tempo_gives_the_same_steps(qpm):
    """48 to a quarter note: triplets of eighths are 16 each."""
    notes = abc(TUNE.format(qpm=qpm, key="C")).notes
    assert [(note.onset, note.duration) for note in notes] == [
        (0, 16),
        (16, 16),
        (32, 16),
        (48, 48),
        (96, 96),
        (192, 192),
    ]


def test_a_change_of_tempo_moves_no_step():
    plain = abc("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|")
    changed = abc("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|[Q:1/4=77]GABc|")
    assert plain.notes == changed.notes


def test_real_and_generated_sound_alike():
    """The same tune, from another key, octave, tempo, instrument and velocity, with a rest before it, is the same clip."""
    plain = abc(TUNE.format(qpm=120, key="C"))
    other = Music(
        tuple(Note(n.onset + 96, n.pitch - 15, n.duration, velocity=33, program=73) for n in plain.notes),
        999,
        48,
        192,
        qpm=200,
    )
    assert excerpt(plain, 3) == excerpt(other, 3)


@pytest.mark.parametrize("shift", range(-24, 25, 5))
def test_key_and_register_are_brought_together(shift):
    events = np.full(64, -2)
    events[::4] = 67 + shift + np.array([0, 2, 4, 5, 7, 9, 11, 12] * 2)
    heard = excerpt(melody_music(events, steps_per_quarter=4, steps_per_bar=16), 8)
    found = pitches(heard.notes)
    assert major_key(found) == 0
    assert abs(found.mean() - CENTRE) <= 6
    assert np.array_equal(np.diff(found), np.diff(events[::4]))


@pytest.mark.parametrize("semitones", range(-11, 12))
def test_a_key_in_doubt_is_the_same_wherever_a_tune_begins(semitones):
    """G A B C D G fit C major as well as G major."""
    events = np.array([67, 69, 71, 72, 74, 79])

    def heard(shift):
        return pitches(excerpt(melody_music(events + shift, steps_per_quarter=4, steps_per_bar=16), 9).notes) % 12

    assert heard(semitones).tolist() == heard(0).tolist()


def test_it_is_cut_to_its_length():
    music = melody_music(np.array([60, *[-2] * 30, 62, *[-2] * 32]), steps_per_quarter=4, steps_per_bar=16)
    heard = excerpt(music, 3.5)
    assert playing_time(music) == 8.0
    assert playing_time(heard) == 3.5 == heard.num_steps * heard.seconds_per_step
    assert len(heard.notes) == 1
    assert playing_time(Music((), 0, 4, 16)) == 0.0


def test_catch_trials_fill_a_clip():
    for made in (nursery_tune(20), nursery_tune(20, 1), random_notes(20, random.Random(1))):
        assert playing_time(made) >= 20
    assert [note.pitch for note in nursery_tune(4).notes][:7] == [60, 60, 67, 67, 69, 69, 67]
    assert [note.duration for note in nursery_tune(20, 1).notes][14:20] == [24, 24, 24, 24, 48, 48]
    noise = pitches(random_notes(20, random.Random(1)).notes)
    assert np.abs(np.diff(noise)).mean() > 10

"""Pickups from text to melody, and back."""

import dataclasses

import numpy as np
import pytest

from etude.models.abc.canonical import canonical
from etude.models.abc.unfolded import unfold_piece, unfold_sequence
from etude.models.melodies.extraction import extract, whole_track_options
from etude.models.melodies.pickups import AS_WRITTEN, REST
from etude.pipelines.readers.abc import reader
from etude.pipelines.rendering.abc import to_abc
from etude.pipelines.rendering.music import melody_music

HEADER = "X:1\nM:3/4\nL:1/4\nQ:1/4=120\nK:G\n"
JIG = "X:1\nM:6/8\nL:1/8\nK:D\n|:A|dfa afd|gfe dBA:|\n|:B|ABd efg|fed d2:|\n"


def read(text, pickups=REST):
    (reading,) = reader.read(text.encode(), "tune.abc", pickups=pickups)
    assert reading.rejected is None, reading.rejected
    return reading


def onsets(sequence):
    return [note.start_time * 2 for note in sequence.notes]


def test_the_rest_of_a_pickup_keeps_the_bars():
    text = HEADER + '"D7"D|"G"GAB|D2:|\n'
    assert onsets(read(text, AS_WRITTEN).sequence) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    sequence = read(text).sequence
    assert onsets(sequence) == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert [2 * one.time for one in sequence.text_annotations] == [2, 3, 8, 9]
    for changes in (sequence.time_signatures, sequence.key_signatures, sequence.tempos):
        assert [change.time for change in changes] == [0]
    assert sequence.total_time == 7


def test_a_melody_has_the_rest_and_its_bars():
    """Magenta's extraction begins at the bar of the first note."""
    sequence = read(JIG).sequence
    (melody,) = extract(sequence, whole_track_options(4)).melodies
    assert melody.start_step == 0
    assert melody.steps_per_bar == 12
    assert melody.events[:14].tolist() == [-2] * 10 + [69, -2, 74, -2]
    lines = [step for step in range(12, len(melody.events), 12) if melody.events[step] >= 0]
    # Each bar but the first and last of each turn begins with a note: D G, twice, and A F twice.
    assert [melody.events[step] for step in lines][:3] == [74, 79, 74]


def test_outcomes_are_told():
    assert read(JIG).bars == "rests-within"  # the first part ends with a whole bar
    assert read(JIG.replace("dBA:|", "dB:|")).bars == "pickup"
    assert read(JIG.replace("afd|", "afde|")).bars == "uneven"
    assert read(JIG.replace("dBA:|", "dB:|"), AS_WRITTEN).bars == ""
    assert read(HEADER + "GAB|c3|\n").bars == "no-rest"
    assert read(HEADER + "GAB|c3:|\n|:D|GAB|c2:|\n").bars == "rests-within"


@pytest.mark.parametrize("pickups", [REST, AS_WRITTEN])
@pytest.mark.parametrize("text", [HEADER + "D|GAB|D2:|\n", HEADER + "GAB|c3:|\n|:D|GAB|c2:|\n"])
def test_canonical_text_does_not_depend_on_rests(text, pickups):
    reading = read(text, pickups)
    tune = unfold_piece(reading.sequence, reading.text)
    assert canonical(tune) == canonical(unfold_piece(read(text, AS_WRITTEN).sequence, text))


def test_a_rest_in_the_first_bar_is_a_pickup_without_the_text_too():
    reading = read(HEADER + "D|GAB|D2:|\n")
    assert canonical(unfold_sequence(reading.sequence)) == canonical(unfold_piece(reading.sequence, reading.text))


def test_written_abc_shows_the_pickup_and_brings_it_back():
    events = np.array([-2] * 8 + [62, -2, -2, -2, 67, -2, -2, -2, 69, -2, -2, -2, 71, -2, -2, -2])
    music = melody_music(events, steps_per_quarter=4, steps_per_bar=12, metre=(3, 4), num_primer_events=9)
    assert music.notated.pickup_steps == 4
    assert music.notated.num_primer_steps == 1
    text = to_abc(music, title="Pickup")
    assert text.splitlines()[-1] == "D4|G4 A4 B4|]"
    (melody,) = extract(read(text).sequence, whole_track_options(4)).melodies
    assert melody.events.tolist() == events.tolist()
    whole = dataclasses.replace(music, notes=(), num_steps=12)
    assert whole.notated is whole

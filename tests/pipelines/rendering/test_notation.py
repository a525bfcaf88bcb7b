import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.melody import as_events
from etude.models.melodies.notes import notes_of
from etude.pipelines.rendering.music import Music, Note, beat, melody_music
from etude.pipelines.rendering.notation import bars, beams, tuplets

VALUES = (16, 12, 8, 6, 4, 3, 2, 1.5, 1, 0.75, 0.5)
"""From the whole note down to the thirty-second, in sixteenths, with dotted ones between."""

IN_THE_TIME_OF = {3: 2, 5: 4, 6: 4, 12: 8}
"""How many steps of plain notes take as long as a quarter note's steps, written alike."""

melodies = st.lists(st.sampled_from([-2, -2, -2, -1, 60, 61, 67, 72]), min_size=1, max_size=60).map(as_events)
chord_notes = st.builds(Note, st.integers(0, 30), st.integers(58, 66), st.integers(1, 20))


def melody_bars(events, steps_per_bar, steps_per_quarter):
    return bars(melody_music(events, steps_per_quarter=steps_per_quarter, steps_per_bar=steps_per_bar))


def pitch(symbol):
    """Of a note, or None of a rest."""
    (found,) = symbol.pitches or (None,)
    return found


@given(melodies, st.sampled_from([2, 3, 4, 4.5]), st.sampled_from([1, 2, 3, 4, 5, 6, 8, 12]))
def test_notation_says_what_the_events_say(events, quarters, steps_per_quarter):
    """What is written, played back, is the melody."""
    steps_per_bar = int(quarters * steps_per_quarter)
    sounding = []
    goes_on = False
    for number, bar in enumerate(melody_bars(events, steps_per_bar, steps_per_quarter)):
        assert sum(symbol.duration for symbol in bar) == steps_per_bar
        for symbol in bar:
            assert symbol.value in VALUES
            stretched = 1.0 if symbol.tuplet is None else steps_per_quarter / IN_THE_TIME_OF[steps_per_quarter]
            assert symbol.value * steps_per_quarter == pytest.approx(4 * symbol.duration * stretched)
            onset = number * steps_per_bar + symbol.onset
            if goes_on:
                start, before, duration = sounding.pop()
                assert (before, start + duration) == (pitch(symbol), onset)
                assert symbol.continued == symbol.pitches
                sounding.append((start, before, duration + symbol.duration))
            elif symbol.pitches:
                assert not symbol.continued
                sounding.append((onset, pitch(symbol), symbol.duration))
            goes_on = bool(symbol.tied)
    assert sounding == list(zip(*(values.tolist() for values in notes_of(events)[:3]), strict=True))


@given(
    st.lists(chord_notes, min_size=1, max_size=12, unique_by=lambda note: (note.onset, note.pitch)), st.integers(0, 11)
)
def test_chords_sound_when_their_notes_do(notes, pickup):
    """At every step the pitches written are those that sound, and ties join what is one note."""
    num_steps = max(note.onset + note.duration for note in notes)
    music = Music(tuple(notes), num_steps, steps_per_quarter=4, steps_per_bar=12, pickup_steps=pickup)
    start = (12 - pickup) % 12
    written = {}
    for number, bar in enumerate(bars(music)):
        for symbol in bar:
            first = 12 * number + symbol.onset - start
            for step in range(first, first + symbol.duration):
                begins = set(symbol.pitches) - set(symbol.continued) if step == first else set()
                written[step] = (set(symbol.pitches), begins)
    assert sorted(written) == list(range(len(written)))
    assert all(not pitches for step, (pitches, _) in written.items() if step >= num_steps)
    for step in range(num_steps):
        sounding = {note.pitch for note in notes if note.onset <= step < note.onset + note.duration}
        begins = {note.pitch for note in notes if note.onset == step}
        assert written[step] == (sounding, begins)


@given(melodies, st.sampled_from([8, 12, 16, 18, 24]), st.sampled_from([2, 3]))
def test_a_finer_grid_writes_the_same(events, steps_per_bar, times):
    """Each event followed by nothing new, on a grid as much finer, looks the same."""
    finer = np.full((len(events), times), -2)
    finer[:, 0] = events
    coarse = melody_bars(events, steps_per_bar, 4)
    fine = melody_bars(finer.reshape(-1), times * steps_per_bar, 4 * times)
    looks = [
        [[(one.value, one.pitches, one.tied, one.tuplet) for one in bar] for bar in each] for each in (coarse, fine)
    ]
    assert looks[0] == looks[1]


@pytest.mark.parametrize(
    ("events", "steps_per_bar", "steps_per_quarter", "expected"),
    [
        ([60, *[-2] * 15], 16, 4, [(0, 16)]),
        ([60, -2, -2, -2, -2, -2, 62, -2, *[-1], *[-2] * 7], 16, 4, [(0, 6), (6, 2), (8, 8)]),
        ([60, -2, 62, -2, -2, -2, 64, -2], 8, 4, [(0, 2), (2, 2), (4, 2), (6, 2)]),
        ([60, *[-2] * 8, 62, -2, -2], 12, 4, [(0, 6), (6, 3), (9, 3)]),
        ([60, *[-2] * 31], 32, 8, [(0, 16)]),
        ([60, 62, *[-2] * 22], 24, 8, [(0, 0.5), (1, 4), (9, 1.5), (12, 6)]),
        ([60, 62, 64, 65, *[-2] * 8], 12, 3, [(0, 2), (1, 2), (2, 2), (3, 12)]),
    ],
)
def test_values(events, steps_per_bar, steps_per_quarter, expected):
    (bar,) = melody_bars(np.array(events), steps_per_bar, steps_per_quarter)
    assert [(symbol.onset, symbol.value) for symbol in bar] == expected


def test_tuplets():
    """A quarter of three notes, one of two that plain notes can write, and one whose last third goes on."""
    events = np.array([60, -2, 62, -2, 64, -2, 65, -2, -2, 67, -2, -2, 69, -2, -2, -2, 71, -2, *[-2] * 6])
    (bar,) = melody_bars(events, 24, 6)
    found = [group for group in tuplets(bar) if group[0].tuplet is not None]
    assert [[(symbol.onset, symbol.value) for symbol in group] for group in found] == [
        [(0, 2), (2, 2), (4, 2)],
        [(12, 4), (16, 2)],
    ]
    assert [(symbol.onset, symbol.value, symbol.tied) for symbol in bar[3:5]] == [(6, 2, ()), (9, 2, ())]
    assert (bar[6].tied, bar[7].onset, bar[7].value, bar[7].tuplet) == ((71,), 18, 4, None)


def test_a_pickup_stands_before_the_first_bar():
    music = Music((Note(0, 67, 2), Note(2, 72, 12)), 14, 4, 12, pickup_steps=2)
    assert [[(symbol.onset, symbol.duration) for symbol in bar] for bar in bars(music)] == [[(10, 2)], [(0, 12)]]


def test_the_primer_is_told_apart():
    music = melody_music(np.array([60, -2, 62, -2]), steps_per_quarter=4, steps_per_bar=4, num_primer_events=2)
    assert [symbol.is_primer for bar in bars(music) for symbol in bar] == [True, False]


def test_beats():
    assert {steps: beat(steps, 4) for steps in (16, 12, 8, 18, 24)} == {16: 4, 12: 6, 8: 4, 18: 6, 24: 6}
    assert {steps: beat(steps, 8) for steps in (32, 24, 16, 36, 48)} == {32: 8, 24: 12, 16: 8, 36: 12, 48: 12}
    assert (beat(9, 3), beat(12, 3), beat(6, 2)) == (3, 3, 3)


def test_a_known_metre_tells_the_beat():
    """Three quarters are no two dotted ones; without a metre, bars of that length are taken for 6/8."""
    found = {metre: Music((), 12, 4, 12, metre=metre) for metre in ((3, 4), (6, 8), None)}
    assert {metre: music.beat for metre, music in found.items()} == {(3, 4): 4, (6, 8): 6, None: 6}
    assert found[None].shown_metre == (6, 8)


def test_beams_join_short_notes_of_a_beat():
    events = np.array([60, -2, 62, 64, 65, -2, -1, -2, 67, -2, -2, 69, 71, -2, -2, -2])
    (bar,) = melody_bars(events, 16, 4)
    assert [[symbol.onset for symbol in run] for run in beams(bar, 4)] == [[0, 2, 3], [4], [6], [8, 11], [12]]

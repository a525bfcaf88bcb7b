import note_seq
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etude.models.melodies.melody import as_events, major_key, pitch_class_counts, squash, transpose

event = st.one_of(st.just(-2), st.just(-1), st.integers(0, 127))
events_lists = st.lists(event, max_size=40)
keys = st.one_of(st.none(), st.integers(0, 11))


@st.composite
def pitch_ranges(draw):
    low = draw(st.integers(0, 116))
    return low, draw(st.integers(low + 12, 128))


@given(events_lists)
@example([-1, -1, -2, 60, -1, -1])
def test_events_are_those_of_note_seq(events):
    array = as_events(events)
    assert array.dtype == np.int64
    assert array.tolist() == list(note_seq.Melody(events))


def test_as_events_leaves_its_argument_alone():
    events = np.array([-1, 60])
    assert as_events(events).tolist() == [-2, 60]
    assert events.tolist() == [-1, 60]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([60, -3], r"event -3 at step 1 is outside \[-2, 127\]"),
        ([60, -2, 128], r"event 128 at step 2 is outside \[-2, 127\]"),
        ([60.0, 62.0], "flat list of integers"),
        ([[60, 62]], "flat list of integers"),
        (60, "flat list of integers"),
        (["C4"], "flat list of integers"),
        ([True], "flat list of integers"),
        ([2**70], "flat list of integers"),
    ],
)
def test_what_is_not_a_melody(events, message):
    with pytest.raises(ValueError, match=message):
        as_events(events)


def test_unsigned_events():
    assert as_events(np.array([60, 62], np.uint8)).tolist() == [60, 62]


@given(events_lists, st.integers(-150, 150), pitch_ranges())
def test_transpose_equals_note_seq(events, semitones, pitch_range):
    melody = note_seq.Melody(events)
    ours = transpose(np.array(list(melody), np.int64), semitones, *pitch_range)
    melody.transpose(semitones, *pitch_range)
    assert ours.tolist() == list(melody)


@given(events_lists)
def test_key_equals_note_seq(events):
    melody = note_seq.Melody(events)
    ours = as_events(events)
    assert pitch_class_counts(ours).tolist() == melody.get_note_histogram().tolist()
    assert major_key(ours) == melody.get_major_key()


@given(events_lists, pitch_ranges(), keys)
@example([], (48, 84), 0)
@example([-2, -1, -2], (48, 84), 3)
@example([0, 127], (0, 128), 11)
@example([66], (48, 84), 0)  # the octave is a tie, which Python rounds to even
def test_squash_equals_note_seq(events, pitch_range, key):
    melody = note_seq.Melody(events)
    ours = as_events(events)
    before = ours.copy()
    squashed, semitones = squash(ours, *pitch_range, key)
    expected = melody.squash(*pitch_range, key)
    assert squashed.tolist() == list(melody)
    assert semitones == expected
    assert type(semitones) is int
    assert ours.tolist() == before.tolist()
    assert squashed is not ours

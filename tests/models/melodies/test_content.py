import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.content import content_hash, hash_runs, interval_numbers
from etude.models.melodies.melody import as_events
from etude.models.melodies.notes import notes_of

melodies = st.lists(st.one_of(st.just(-2), st.just(-1), st.integers(20, 90)), min_size=1, max_size=60).map(as_events)


def test_notes_of():
    onsets, pitches, durations = notes_of(as_events([-2, 60, -2, -1, -2, 62, 62, -2]))[:3]
    assert onsets.tolist() == [1, 5, 6]
    assert pitches.tolist() == [60, 62, 62]
    assert durations.tolist() == [2, 1, 2]


@given(melodies, st.integers(-20, 37))
def test_transposed_copies_have_one_content(events, semitones):
    moved = np.where(events >= 0, events + semitones, events)
    assert content_hash(moved) == content_hash(events)
    assert hash_runs([interval_numbers(moved)], 4).tolist() == hash_runs([interval_numbers(events)], 4).tolist()


@given(melodies, st.integers(0, 20))
def test_silence_before_the_first_note_is_no_content(events, steps):
    assert content_hash(np.concatenate([np.full(steps, -2), events])) == content_hash(events)


BASE = [60, -2, 62, -1, -2, 64, -2, -2]


@pytest.mark.parametrize(
    "other",
    [
        [60, -2, 63, -1, -2, 64, -2, -2],  # another interval
        [60, -2, 62, -2, -2, 64, -2, -2],  # a longer note
        [60, -2, 62, -1, 64, -2, -2, -2],  # an earlier note
        [60, -2, 62, -1, -2, 64, -2, -1],  # a shorter last note
        [60, -2, 62, -1, -2, 64, -2, 65],  # one more note
    ],
)
def test_other_music_has_other_content(other):
    assert content_hash(as_events(other)) != content_hash(as_events(BASE))


@given(melodies, st.integers(1, 8))
def test_ngrams_are_those_that_a_plain_loop_finds(events, n):
    _, pitches, durations = (values.tolist() for values in notes_of(events)[:3])
    tokens = [(pitches[i] - pitches[i - 1], durations[i]) for i in range(1, len(pitches))]
    runs = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    hashes = hash_runs([interval_numbers(events)], n).tolist()
    assert len(hashes) == len(runs)
    assert len(set(zip(runs, hashes, strict=True))) == len(set(runs)) == len(set(hashes))


@given(st.lists(st.lists(st.integers(0, 3), max_size=12)), st.integers(1, 8))
def test_no_run_reaches_from_one_sequence_into_the_next(sequences, n):
    arrays = [np.array(sequence, np.uint64) for sequence in sequences]
    alone = [value for array in arrays for value in hash_runs([array], n).tolist()]
    assert hash_runs(arrays, n).tolist() == alone
    assert len(alone) == sum(max(len(sequence) - n + 1, 0) for sequence in sequences)

import numpy as np
import pytest

from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet

EVENTS = [[60, -2, 62], [], [-2], [127, 0, -1, -2]]


@pytest.fixture
def melodies():
    return MelodySet.of(
        Melody(np.array(events, np.int64), id=f"id {number}", source=f"source {number}", steps_per_bar=12 + number)
        for number, events in enumerate(EVENTS)
    )


def contents(melodies):
    return [
        (
            melodies.events(index).tolist(),
            int(melodies.steps_per_bar[index]),
            melodies.ids[index],
            melodies.sources[index],
        )
        for index in range(len(melodies))
    ]


def test_melodies_come_back(melodies):
    assert len(melodies) == 4
    assert melodies.lengths.tolist() == [3, 0, 1, 4]
    assert contents(melodies) == [
        (events, 12 + number, f"id {number}", f"source {number}") for number, events in enumerate(EVENTS)
    ]
    assert melodies.events(0).dtype == np.int64
    assert melodies.flat.dtype == np.int8


def test_no_melodies():
    empty = MelodySet.of([])
    assert len(empty) == 0
    assert empty.lengths.tolist() == []
    assert len(empty.map(lambda events: events)) == 0
    assert len(empty.select([])) == 0


def test_map_changes_events_alone(melodies):
    moved = melodies.map(lambda events: np.where(events >= 0, 127 - events, events))
    assert [row[0] for row in contents(moved)] == [[67, -2, 65], [], [-2], [0, 127, -1, -2]]
    assert [row[1:] for row in contents(moved)] == [row[1:] for row in contents(melodies)]
    assert contents(melodies)[0][0] == EVENTS[0]


def test_select(melodies):
    assert contents(melodies.select([3, 0, 3])) == [contents(melodies)[index] for index in (3, 0, 3)]


def test_a_batch_is_padded_with_no_event(melodies):
    batch = melodies.batch(np.array([3, 0, 1]))
    assert batch.tokens.tolist() == [[127, 0, -1, -2], [60, -2, 62, -2], [-2, -2, -2, -2]]
    assert batch.lengths.tolist() == [4, 3, 0]
    assert batch.num_predicted.tolist() == [3, 2, 0]
    assert batch.attributes["steps_per_bar"].tolist() == [15, 12, 13]


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([127, -2], np.int8),
        ([-128], np.int8),
        ([128, 0], np.int16),
        ([200, -2], np.int16),
        ([299, -2], np.int16),
        ([69_999, -2], np.int32),
        ([-40_000], np.int32),
        ([1 << 40, -(1 << 40)], np.int64),
    ],
)
def test_every_number_is_kept(events, kind):
    """Of vocabularies of 300 and 70,000, in sets with small numbers, selected and changed."""
    packed = MelodySet.of([Melody(np.array([60, -2])), Melody(np.array(events))])
    assert packed.flat.dtype == kind
    assert [packed.events(index).tolist() for index in range(2)] == [[60, -2], events]
    assert packed.select([1]).events(0).tolist() == events
    assert packed.batch(np.array([1])).tokens.tolist() == [events]
    small = MelodySet.of([Melody(np.zeros(len(events), np.int64))])
    assert small.map(lambda _: np.array(events)).events(0).tolist() == events

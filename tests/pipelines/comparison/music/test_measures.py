"""Every measure against the plainest loop that computes it."""

import itertools

import numpy as np
import pytest

from etude.pipelines.comparison.music.measures import (
    NOTE_LENGTHS,
    SCALARS,
    VECTORS,
    YANG_AND_LERCH,
    measure_melodies,
    note_length_classes,
)

MAJOR = {0, 2, 4, 5, 7, 9, 11}


def random_melodies(seed=0, count=25):
    random = np.random.default_rng(seed)
    bars = random.choice([8, 12, 16], size=count)
    lengths = random.integers(1, 70, size=count)
    events = [random.choice([-2, -2, -1, *random.integers(50, 80, size=5)], size=length) for length in lengths]
    return [*events, np.full(20, -2), np.array([60])], [*bars.tolist(), 16, 16]


MELODIES, BARS = random_melodies()


def notes(events):
    """(onset, pitch, duration) of each note, by walking through the events."""
    found = []
    sounding = None
    for step, event in enumerate([*events, -1]):
        if event == -2:
            continue
        if sounding is not None:
            found.append((sounding[0], sounding[1], step - sounding[0]))
        sounding = (step, int(event)) if event >= 0 else None
    return found


def length_class(duration):
    return min(range(12), key=lambda index: (abs(duration - NOTE_LENGTHS[index]), index))


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def histogram(values, size):
    counts = np.zeros(size)
    for value in values:
        counts[value] += 1
    return counts / max(counts.sum(), 1)


def expected(name, events, bar):
    found = notes(events)
    pitches = [pitch for _, pitch, _ in found]
    onsets = [onset for onset, _, _ in found]
    lengths = [length_class(duration) for *_, duration in found]
    classes = [pitch % 12 for pitch in pitches]
    beat = 6 if bar == 12 else 4
    whole_bars = [tuple(events[start : start + bar]) for start in range(0, len(events) - bar + 1, bar)]
    return {
        "pitch_count": lambda: len(set(pitches)),
        "pitch_range": lambda: max(pitches) - min(pitches) if pitches else 0,
        "average_interval": lambda: mean(abs(b - a) for a, b in itertools.pairwise(pitches)),
        "note_count": lambda: len(found),
        "average_inter_onset_interval": lambda: mean(b - a for a, b in itertools.pairwise(onsets)),
        "notes_per_bar": lambda: len(found) * bar / len(events),
        "in_one_key": lambda: max(mean((pitch - key) % 12 in MAJOR for pitch in pitches) for key in range(12)),
        "on_the_beat": lambda: mean(onset % bar % beat == 0 for onset in onsets),
        "repeated_bars": lambda: mean(one in whole_bars[:index] for index, one in enumerate(whole_bars)),
        "pitch_class_histogram": lambda: histogram(classes, 12),
        "pitch_class_transitions": lambda: histogram([a * 12 + b for a, b in itertools.pairwise(classes)], 144),
        "note_length_histogram": lambda: histogram(lengths, 12),
        "note_length_transitions": lambda: histogram([a * 12 + b for a, b in itertools.pairwise(lengths)], 144),
    }[name]()


@pytest.mark.parametrize("name", [*SCALARS, *VECTORS])
def test_measure(name):
    found = measure_melodies(MELODIES, BARS, 4)[name]
    for row, events, bar in zip(found, MELODIES, BARS, strict=True):
        assert row == pytest.approx(expected(name, events.tolist(), bar)), events


def test_all_measures_of_yang_and_lerch_are_there():
    assert len(YANG_AND_LERCH) == 9
    assert set(YANG_AND_LERCH) <= set(measure_melodies(MELODIES, BARS, 4))


def finer(melodies, times):
    """The same melodies on a grid as much finer."""
    return [np.insert(events, np.repeat(np.arange(1, len(events) + 1), times - 1), -2) for events in melodies]


@pytest.mark.parametrize("steps_per_quarter", [8, 12])
def test_measures_do_not_depend_on_the_grid(steps_per_quarter):
    """But for the one that counts steps."""
    times = steps_per_quarter // 4
    expected = measure_melodies(MELODIES, BARS, 4)
    expected["average_inter_onset_interval"] = expected["average_inter_onset_interval"] * times
    found = measure_melodies(finer(MELODIES, times), [times * bar for bar in BARS], steps_per_quarter)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values), name


def test_triplets_have_their_note_lengths():
    """Three to a quarter, their half notes, and a quarter: classes 11, 10 and 2 of `NOTE_LENGTHS`."""
    classes = note_length_classes(np.array([1, 2, 3]), 3)
    assert NOTE_LENGTHS[classes].tolist() == [4 / 3, 8 / 3, 4]


def test_a_scale():
    events = np.array([60, -2, 62, -2, 64, -2, 65, -2, 67, -2, 69, -2, 71, -2, 72, -2])
    found = {name: values[0] for name, values in measure_melodies([events], [16], 4).items()}
    assert found["pitch_count"] == 8
    assert found["pitch_range"] == 12
    assert found["average_interval"] == pytest.approx(12 / 7)
    assert found["average_inter_onset_interval"] == 2
    assert found["in_one_key"] == 1
    assert found["on_the_beat"] == 0.5

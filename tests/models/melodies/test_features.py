import numpy as np
import pytest

from etude.models.melodies.features import melody_features, sounding_pitches


def test_a_small_melody():
    events = np.array([-2, 60, -2, 64, -1, -2, 67, -2, -2, -2])
    found = melody_features(events, 4, 2)
    nan = np.nan
    expected = {
        "bar line": [1, 0, 0, 0, 1, 0, 0, 0, 1, 0],
        "beat": [1, 0, 1, 0, 1, 0, 1, 0, 1, 0],
        "place in the bar": [0, 0.25, 0.5, 0.75, 0, 0.25, 0.5, 0.75, 0, 0.25],
        "bars since the start": [0, 0, 0, 0, 1, 1, 1, 1, 2, 2],
        "repeated bar": [0] * 10,
        "bars since a repeat": [nan] * 10,
        "note": [0, 1, 0, 1, 0, 0, 1, 0, 0, 0],
        "pitch": [nan, 60, 60, 64, nan, nan, 67, 67, 67, 67],
        "rest": [1, 0, 0, 0, 1, 1, 0, 0, 0, 0],
        "note length": [nan, 2, 2, 1, nan, nan, 4, 4, 4, 4],
        "time since the note began": [nan, 0, 1, 0, nan, nan, 0, 1, 2, 3],
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_repeats():
    one, other = [60, -2, 62, -2], [64, -2, -1, -2]
    found = melody_features(np.array([*one, *other, *one, *other[:2], *one]), 4, 4)
    # The fourth bar is of two steps of `other` and two of `one`.
    np.testing.assert_array_equal(found["repeated bar"][::4], [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(found["bars since a repeat"][::4], [np.nan, np.nan, 0, 1, 2])


@pytest.mark.parametrize("seed", range(5))
def test_what_sounds_is_what_a_loop_finds(seed, random_events):
    events = random_events(seed, 60)
    sounding, expected = -1, []
    for event in events.tolist():
        sounding = sounding if event == -2 else event
        expected.append(sounding)
    np.testing.assert_array_equal(sounding_pitches(events), expected)

"""What a melody, or other music of one token a step, has at each of its steps: what units of a network are held against."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import MIN_PITCH, NO_EVENT, NOTE_OFF, Events

Features = Mapping[str, npt.NDArray[np.float64]]


def melody_features(events: Events, steps_per_bar: int, steps_per_beat: int) -> Features:
    """What a melody has at each step, [steps] each by name; NaN where there is no such thing.

    Args:
      events: [steps].
      steps_per_bar: of its metre; the first step begins a bar.
      steps_per_beat: steps in a quarter note.
    """
    steps = np.arange(len(events))
    begun, pitches = _begun(events), sounding_pitches(events)
    sounds = pitches != NOTE_OFF
    ends = np.append(np.flatnonzero(events != NO_EVENT), len(events))
    lengths = ends[np.searchsorted(ends, steps, side="right").clip(max=len(ends) - 1)] - begun
    return {
        **bar_features(events, steps_per_bar, steps_per_beat),
        "note": (events >= MIN_PITCH).astype(np.float64),
        "pitch": np.where(sounds, pitches, np.nan),
        "rest": (~sounds).astype(np.float64),
        "note length": np.where(sounds, lengths, np.nan),
        "time since the note began": np.where(sounds, steps - begun, np.nan).astype(np.float64),
    }


def bar_features(tokens: npt.NDArray[np.int64], steps_per_bar: int, steps_per_beat: int) -> Features:
    """Where each step stands in bars that have one token a step; arguments as of `melody_features`."""
    steps = np.arange(len(tokens))
    bars = steps // steps_per_bar
    repeated = _repeated_bars(tokens, steps_per_bar)[bars]
    return {
        **grid_features(steps, steps_per_bar, steps_per_beat),
        "bars since the start": bars.astype(np.float64),
        "repeated bar": repeated.astype(np.float64),
        "bars since a repeat": _bars_since(repeated, bars),
    }


def grid_features(steps: npt.NDArray[np.int64], steps_per_bar: int, steps_per_beat: int) -> Features:
    """Where in their bars steps are, by name; each of the shape of the steps."""
    places = steps % steps_per_bar
    return {
        "bar line": (places == 0).astype(np.float64),
        "beat": (places % steps_per_beat == 0).astype(np.float64),
        "place in the bar": places / steps_per_bar,
    }


def sounding_pitches(events: Events) -> Events:
    """The pitch that sounds at each step, -1 where none does: [steps]."""
    latest = events[_begun(events)]
    return np.where(latest >= MIN_PITCH, latest, NOTE_OFF)


def _begun(events: Events) -> npt.NDArray[np.int64]:
    """The step at which whatever sounds at each step, or the silence, began."""
    return np.maximum.accumulate(np.where(events == NO_EVENT, 0, np.arange(len(events))))


def _repeated_bars(tokens: npt.NDArray[np.int64], steps_per_bar: int) -> npt.NDArray[np.bool_]:
    """Of every bar, also a last incomplete one, whether an earlier one was the same: [bars]."""
    seen: set[bytes] = set()
    result = []
    for start in range(0, len(tokens), steps_per_bar):
        bar = tokens[start : start + steps_per_bar].tobytes()
        result.append(bar in seen)
        seen.add(bar)
    return np.array(result, np.bool_)


def _bars_since(repeated: npt.NDArray[np.bool_], bars: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Bars since the last bar that repeated one, at each step; NaN before there was one."""
    latest = np.maximum.accumulate(np.where(repeated, bars, -1))
    return np.where(latest >= 0, bars - latest, np.nan)

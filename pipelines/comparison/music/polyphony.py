"""What pieces of several voices are like as music.

Source: the metrics of MusPy (Dong et al. 2020), which took them from Mogren 2016 (polyphony, scale consistency), Dong et al.
2018 (empty beats) and Wu and Yang 2020 (entropy, groove). Time steps are those of the grid, beats quarter notes.
"""

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import IS_IN_KEY, PITCHES_PER_OCTAVE
from etude.models.sequences.notes import Notes

Values = npt.NDArray[np.float64]

SCALARS = {
    "note_count": "Notes",
    "polyphony_rate": "Steps at which two pitches or more sound",
    "notes_at_once": "Pitches that sound at once",
    "scale_consistency": "Notes in the best scale",
    "pitch_class_entropy": "Entropy of pitch classes, bits",
    "empty_beats": "Beats at which nothing sounds",
    "groove_consistency": "Groove consistency of bars",
    "repeated_bars": "Bars like an earlier one",
    "ends_in_loop": "Pieces that end in a loop",
}
"""Measures of one number a piece, and what they are called. A piece without notes has 0."""

LONGEST_LOOP, TIMES_IN_A_ROW = 8, 4


def measure_piece(notes: Notes, num_steps: int, steps_per_bar: int, steps_per_quarter: int) -> dict[str, float]:
    """All measures of a piece.

    Args:
      notes: in order of their onsets.
      num_steps: its length; later notes are left out.
      steps_per_bar: steps in a bar.
      steps_per_quarter: steps in a quarter note.
    """
    kept = notes.onsets < num_steps
    onsets, pitches = notes.onsets[kept], notes.pitches[kept]
    ends = np.minimum(onsets + notes.durations[kept], num_steps)
    if not len(onsets):
        return dict.fromkeys(SCALARS, 0.0)
    sounding = pitches_at_once(onsets, ends, pitches, num_steps)
    return {
        "note_count": float(len(onsets)),
        "polyphony_rate": float((sounding >= 2).mean()),
        "notes_at_once": float(sounding.sum() / max((sounding > 0).sum(), 1)),
        "scale_consistency": _scale_consistency(pitches),
        "pitch_class_entropy": _entropy(pitches % PITCHES_PER_OCTAVE),
        "empty_beats": _empty_beats(sounding, steps_per_quarter),
        "groove_consistency": _groove(onsets, num_steps, steps_per_bar),
        "repeated_bars": _repeated_bars(onsets, ends - onsets, pitches, steps_per_bar),
        "ends_in_loop": float(ends_in_loop(np.stack([np.diff(onsets, prepend=0), pitches, ends - onsets], axis=1))),
    }


def pitches_at_once(
    onsets: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], pitches: npt.NDArray[np.int64], num_steps: int
) -> npt.NDArray[np.int64]:
    """How many different pitches sound at each step, [num_steps]."""
    roll = np.zeros((128, num_steps + 1), np.int64)
    np.add.at(roll, (pitches, onsets), 1)
    np.subtract.at(roll, (pitches, ends), 1)
    sounding: npt.NDArray[np.int64] = (roll.cumsum(axis=1) > 0).sum(axis=0)[:-1]
    return sounding


def ends_in_loop(words: npt.NDArray[np.int64], longest: int = LONGEST_LOOP, times: int = TIMES_IN_A_ROW) -> bool:
    """Whether something ends with the same few words several times in a row.

    Args:
      words: [words, ...].
      longest: words of a loop, at most.
      times: how often they stand there, at least.
    """
    for period in range(1, min(longest, len(words) // times) + 1):
        last = words[len(words) - times * period :]
        if (last[period:] == last[:-period]).all():
            return True
    return False


def run_numbers(notes: Notes) -> npt.NDArray[np.uint64]:
    """Every note but the first as its interval and distance from the note before, and its duration, in one number each."""
    interval = np.diff(notes.pitches) + (1 << 8)
    distance, duration = (np.minimum(values, (1 << 16) - 1) for values in (np.diff(notes.onsets), notes.durations[1:]))
    return (interval << 32 | distance << 16 | duration).astype(np.uint64)


def _scale_consistency(pitches: npt.NDArray[np.int64]) -> float:
    """The largest share of notes in a scale: natural minor scales have the notes of major ones."""
    counts = np.bincount(pitches % PITCHES_PER_OCTAVE, minlength=PITCHES_PER_OCTAVE)
    return float((counts @ IS_IN_KEY).max() / counts.sum())


def _entropy(classes: npt.NDArray[np.int64]) -> float:
    shares = np.bincount(classes) / len(classes)
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())


def _empty_beats(sounding: npt.NDArray[np.int64], steps_per_quarter: int) -> float:
    starts = np.arange(0, len(sounding), steps_per_quarter)
    return float((np.add.reduceat(sounding, starts) == 0).mean())


def _groove(onsets: npt.NDArray[np.int64], num_steps: int, steps_per_bar: int) -> float:
    """1 less the mean share of steps at which a bar and the next differ in whether notes begin; 1 of a single bar."""
    bars = -(-num_steps // steps_per_bar)
    begins = np.zeros(bars * steps_per_bar, bool)
    begins[onsets] = True
    patterns = begins.reshape(bars, steps_per_bar)
    return 1.0 if bars < 2 else float(1 - (patterns[1:] != patterns[:-1]).mean())


def _repeated_bars(
    onsets: npt.NDArray[np.int64], durations: npt.NDArray[np.int64], pitches: npt.NDArray[np.int64], steps_per_bar: int
) -> float:
    """The share of bars with notes that have the same as an earlier one."""
    bars = onsets // steps_per_bar
    rows = np.stack([onsets % steps_per_bar, pitches, durations], axis=1)
    contents = [rows[bars == bar].tobytes() for bar in np.unique(bars)]
    return 1 - len(set(contents)) / len(contents)

"""Music brought onto one footing: what is heard of a piece must tell nothing but the music."""

import itertools
import math
import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import IS_IN_KEY, MAX_PITCH, MIN_PITCH, PITCHES_PER_OCTAVE, Events, pitch_class_counts
from etude.models.melodies.note_columns import note_columns
from etude.models.melodies.quantisation import DEFAULT_QUARTERS_PER_MINUTE
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.rendering.music import DEFAULT_QPM, Music, Note, pitches

STEPS_PER_QUARTER = 48
"""Triplets and thirty-second notes fall on whole steps."""

CENTRE = 67
"""The pitch (G4) that the mean of a piece's pitches is brought near to."""

_NURSERY_TUNES = (
    "C C G G A A G- F F E E D D C- G G F F E E D- G G F F E E D-",
    "C D E C C D E C E F G- E F G- G. A. G. F. E C G. A. G. F. E C C g C- C g C-",
)
"""Ah! vous dirai-je, maman (Twinkle, Twinkle, Little Star), and Frère Jacques, in quarter, half (-) and eighth (.) notes."""
_PITCHES = {"g": 55, "C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69}
_LENGTHS = {"": 2, "-": 4, ".": 1}


def music_of(sequence: NoteSequence) -> Music:
    """The notes of a piece on a fine grid, whatever its tempos."""
    columns = note_columns(sequence)
    audible = (columns.velocity > 0) & np.isfinite(columns.start) & np.isfinite(columns.end)
    starts, ends = (_quarters(sequence, times[audible]) * STEPS_PER_QUARTER for times in (columns.start, columns.end))
    onsets = np.round(starts).astype(np.int64)
    durations = np.maximum(np.round(ends).astype(np.int64) - onsets, 1)
    drums = columns.is_drum[audible].tolist()
    found = zip(onsets.tolist(), columns.pitch[audible].tolist(), durations.tolist(), drums, strict=True)
    notes = tuple(Note(onset, pitch, duration, is_drum=is_drum) for onset, pitch, duration, is_drum in found)
    return _music(notes, max((note.onset + note.duration for note in notes), default=0), STEPS_PER_QUARTER)


def playing_time(music: Music, qpm: float = DEFAULT_QPM) -> float:
    """Seconds from the start of the first note to the end of the last."""
    if not music.notes:
        return 0.0
    first, last = min(note.onset for note in music.notes), max(note.onset + note.duration for note in music.notes)
    return (last - first) / music.steps_per_quarter * 60 / qpm


def excerpt(music: Music, seconds: float, *, qpm: float = DEFAULT_QPM, program: int = 0) -> Music:
    """The beginning of a piece, from its first note, as every clip of a test is played.

    One instrument, tempo and velocity; transposed by whole semitones so that the major key that holds most of the notes that
    are heard is C, and their mean pitch lies near G4.

    Args:
      music: at least one note.
      seconds: how long.
      qpm: quarter notes a minute.
      program: General MIDI instrument, 0 to 127.
    """
    start = min(note.onset for note in music.notes)
    num_steps = math.ceil(seconds * qpm / 60 * music.steps_per_quarter)
    heard = [note for note in music.notes if note.onset - start < num_steps]
    semitones = _semitones(heard)
    notes = (
        Note(
            note.onset - start,
            note.pitch + (0 if note.is_drum else semitones),
            min(note.duration, num_steps - (note.onset - start)),
            program=0 if note.is_drum else program,
            is_drum=note.is_drum,
        )
        for note in heard
    )
    inside = tuple(note for note in notes if MIN_PITCH <= note.pitch <= MAX_PITCH)
    return _music(inside, num_steps, music.steps_per_quarter, qpm)


def random_notes(seconds: float, chooser: random.Random, *, qpm: float = DEFAULT_QPM) -> Music:
    """What nobody takes for a tune: notes drawn anywhere within four octaves, of any length."""
    notes, onset = [], 0
    while onset / STEPS_PER_QUARTER * 60 / qpm <= seconds:
        duration = chooser.choice((1, 2, 3, 5, 7)) * STEPS_PER_QUARTER // 4
        notes.append(Note(onset, chooser.randrange(43, 92), duration))
        onset += duration
    return _music(tuple(notes), onset, STEPS_PER_QUARTER, qpm)


def nursery_tune(seconds: float, number: int = 0, *, qpm: float = DEFAULT_QPM) -> Music:
    """What nearly everybody knows for a tune that people made, over and over; there are two."""
    notes, onset = [], 0
    for name in itertools.cycle(_NURSERY_TUNES[number].split()):
        if onset / STEPS_PER_QUARTER * 60 / qpm > seconds:
            break
        duration = _LENGTHS[name[1:]] * STEPS_PER_QUARTER // 2
        notes.append(Note(onset, _PITCHES[name[0]], duration))
        onset += duration
    return _music(tuple(notes), onset, STEPS_PER_QUARTER, qpm)


def _semitones(notes: Sequence[Note]) -> int:
    found = pitches(notes)
    if not len(found):
        return 0
    to_key = -_key(found)
    octaves = round((CENTRE - (float(found.mean()) + to_key)) / PITCHES_PER_OCTAVE)
    return to_key + PITCHES_PER_OCTAVE * octaves


def _key(found: Events) -> int:
    """The major key that holds most notes, 0 (C) to 11 (B).

    Of several, the one with more of its tonic, fifth and third, then the next at or below the first note: the same tune has
    the same key wherever it begins. `major_key`, which takes the lowest, would tell the keys that models write in.
    """
    counts = pitch_class_counts(found)
    held = counts @ IS_IN_KEY
    first = int(found[0])

    def fitness(key: int) -> tuple[int, ...]:
        triad = (int(counts[(key + interval) % PITCHES_PER_OCTAVE]) for interval in (0, 7, 4))
        return int(held[key]), *triad, -((first - key) % PITCHES_PER_OCTAVE)

    return max(range(PITCHES_PER_OCTAVE), key=fitness)


def _quarters(sequence: NoteSequence, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Times in quarter notes, from times in seconds."""
    tempos = sorted((max(float(one.time), 0.0), float(one.qpm)) for one in sequence.tempos if one.qpm > 0)
    if not tempos or tempos[0][0] > 0:
        tempos.insert(0, (0.0, DEFAULT_QUARTERS_PER_MINUTE))
    starts, speeds = (np.array(values) for values in zip(*tempos, strict=True))
    reached = np.concatenate([[0.0], np.cumsum(np.diff(starts) * speeds[:-1] / 60)])
    place = np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)
    return reached[place] + (times - starts[place]) * speeds[place] / 60


def _music(notes: tuple[Note, ...], num_steps: int, steps_per_quarter: int, qpm: float = DEFAULT_QPM) -> Music:
    return Music(notes, num_steps, steps_per_quarter, 4 * steps_per_quarter, qpm=qpm)

"""Chords inferred from notes: the likeliest path through keys and chords.

Source: `note_seq.chord_inference`, with its probabilities. There, every one of the 12 x 97 states is compared with every
other one at every chord; here, a change of key, which depends on neither chord nor key before, takes the best state of
every other key at once.
"""

import functools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etude.models.chords.figure import NO_CHORD
from etude.models.chords.progression import Progression
from etude.models.melodies.melody import IS_IN_KEY, PITCHES_PER_OCTAVE
from etude.models.melodies.note_columns import note_columns
from etude.models.melodies.pitches import pitch_class_name
from etude.models.melodies.quantisation import Floats, Integers, split_at_time_changes

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

KINDS = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "+": (0, 4, 8),
    "dim": (0, 3, 6),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
}
"""The kinds that are inferred, and their pitch classes above the root."""

CHORDS_PER_BAR = {(2, 2): 1, (2, 4): 1, (3, 4): 1, (4, 4): 2, (6, 8): 2}
"""note-seq's; every other metre has one here, and none there."""

UNPITCHED_PROGRAMS = (*range(96, 104), *range(112, 128))
"""Sound effects and percussion of General MIDI, from 0."""

MOST_CHORDS = 10_000
"""In longer parts none are inferred: more than four hours at the usual tempo."""

_CHORDS = [(root, kind) for root in range(PITCHES_PER_OCTAVE) for kind in KINDS]
_FIGURES = (NO_CHORD, *(pitch_class_name(root) + kind for root, kind in _CHORDS))


class Probabilities(NamedTuple):
    """What chords are expected.

    Attributes:
      key_change: of another key at a chord.
      chord_change: of another chord.
      out_of_key: of a note of a chord that is not in the key.
      concentration: how closely the notes that sound follow the chord.
    """

    key_change: float = 0.001
    chord_change: float = 0.5
    out_of_key: float = 0.01
    concentration: float = 100.0


class _Tables(NamedTuple):
    """Logarithms, by key and chord.

    Attributes:
      start: of a chord at the start, [12, chords].
      change: of a chord after a change of key, [12, chords].
      stay: of a chord after each chord of the same key, [12, chords before, chords].
    """

    start: Floats
    change: Floats
    stay: Floats


def chords_per_bar(numerator: int, denominator: int) -> int:
    """How many chords a bar of a metre has."""
    return CHORDS_PER_BAR.get((numerator, denominator), 1)


def inferred_progressions(sequence: "NoteSequence", steps_per_quarter: int) -> Iterator[Progression]:
    """The inferred chords of every part between changes of tempo and metre; drums and sound effects are not heard.

    Args:
      sequence: a piece.
      steps_per_quarter: steps in a quarter note.
    """
    columns = note_columns(sequence)
    programs = np.fromiter((note.program for note in sequence.notes), np.int64, len(sequence.notes))
    is_pitched = ~columns.is_drum & ~np.isin(programs, UNPITCHED_PROGRAMS)
    for part in split_at_time_changes(sequence, columns.take(is_pitched)):
        steps_per_bar = 4 * steps_per_quarter * part.numerator / max(part.denominator, 1)
        steps_per_chord = steps_per_bar / chords_per_bar(part.numerator, part.denominator)
        if steps_per_chord % 1:
            steps_per_chord = steps_per_bar
        seconds_per_step = 60.0 / (steps_per_quarter * part.quarters_per_minute)
        figures = []
        if steps_per_chord >= 1 and not steps_per_chord % 1 and 0 < seconds_per_step < math.inf:
            figures = infer_chords(part.start, part.end, part.pitch, steps_per_chord * seconds_per_step)
        changes = [index for index, figure in enumerate(figures) if index == 0 or figures[index - 1] != figure]
        yield Progression(
            tuple(int(index * steps_per_chord) for index in changes), tuple(figures[index] for index in changes)
        )


def infer_chords(
    start: Floats, end: Floats, pitch: Integers, seconds_per_chord: float, probabilities: Probabilities | None = None
) -> list[str]:
    """The likeliest chords under some notes.

    Args:
      start: seconds at which each note starts, [notes], drums left out.
      end: seconds at which each ends.
      pitch: MIDI pitches.
      seconds_per_chord: how long each chord lasts.
      probabilities: of chords.

    Returns:
      A figure for each chord, up to the end of the last note; none where there are no notes, or too many chords.
    """
    num_chords = math.ceil(end.max(initial=0.0) / seconds_per_chord)
    if not 0 < num_chords <= MOST_CHORDS:
        return []
    chosen = probabilities or Probabilities()
    sounding = _sounding(start, end, pitch % PITCHES_PER_OCTAVE, seconds_per_chord, num_chords)
    frames = chosen.concentration * np.dot(sounding, _chord_vectors().T)
    return [_FIGURES[index] for index in _path(frames, _tables(chosen))]


def _sounding(start: Floats, end: Floats, pitch_class: Integers, seconds: float, num_chords: int) -> Floats:
    """How long each pitch class sounds during each chord, as a vector of length 1: [chords, 12]."""
    bounds = seconds * np.arange(1, num_chords)
    first = np.searchsorted(bounds, start, side="right")
    last = np.maximum(np.searchsorted(bounds, end, side="left"), first)
    result = np.zeros((num_chords, PITCHES_PER_OCTAVE))
    for begin, finish, row, final, column in zip(start, end, first, last, pitch_class, strict=True):
        if row == final:
            result[row, column] += finish - begin
            continue
        result[row, column] += bounds[row] - begin
        result[row + 1 : final, column] += np.diff(bounds[row:final])
        result[final, column] += finish - bounds[final - 1]
    norms = np.linalg.norm(result, axis=1)
    result[norms > 0] /= norms[norms > 0, None]
    return result


@functools.cache
def _is_in_chord() -> Integers:
    """Whether each pitch class is in each chord, the first of which is none: [chords, 12]."""
    result = np.zeros((len(_FIGURES), PITCHES_PER_OCTAVE), np.int64)
    for index, (root, kind) in enumerate(_CHORDS, start=1):
        result[index, [(root + interval) % PITCHES_PER_OCTAVE for interval in KINDS[kind]]] = 1
    return result


@functools.cache
def _chord_vectors() -> Floats:
    """The pitch classes of each chord as a vector of length 1: [chords, 12]."""
    vectors = _is_in_chord().astype(np.float64)
    vectors[1:] /= np.linalg.norm(vectors[1:], axis=1)[:, None]
    return vectors


@functools.lru_cache(maxsize=4)
def _tables(probabilities: Probabilities) -> _Tables:
    in_key = IS_IN_KEY.T @ _is_in_chord().T
    out_of_key = (1 - IS_IN_KEY).T @ _is_in_chord().T
    chord = (1 - probabilities.out_of_key) ** in_key * probabilities.out_of_key**out_of_key
    chord /= chord.sum(axis=1)[:, None]
    # What the last chord would have had is shared out among the others.
    others = chord[:, None, :] + chord[:, :, None] / (chord.shape[1] - 1)
    stay = (1 - probabilities.key_change) * (probabilities.chord_change * others)
    diagonal = np.arange(chord.shape[1])
    stay[:, diagonal, diagonal] = (1 - probabilities.key_change) * (1 - probabilities.chord_change)
    return _Tables(np.log(chord), np.log(probabilities.key_change / 11 * chord), np.log(stay))


def _path(frames: Floats, tables: _Tables) -> list[int]:
    """The chords of the likeliest path of keys and chords (Viterbi), from their log-likelihoods, [chords, kinds]."""
    num_keys, num_kinds = tables.start.shape
    keys, kinds = np.arange(num_keys)[:, None], np.arange(num_kinds)
    scores = -np.log(num_keys) + tables.start + frames[0]
    parents = np.zeros((len(frames), num_keys, num_kinds), np.int64)
    for index in range(1, len(frames)):
        best_kind = scores.argmax(axis=1)
        best = scores[keys[:, 0], best_kind]
        # The best state of all other keys: the best of all, or, for its own key, the second.
        order = np.argsort(-best, kind="stable")
        other = np.where(keys[:, 0] == order[0], order[1], order[0])
        moved = best[other][:, None] + tables.change
        stayed = scores[:, :, None] + tables.stay
        before = stayed.argmax(axis=1)
        kept = stayed[keys, before, kinds]
        is_moved = moved > kept
        parents[index] = np.where(is_moved, (other * num_kinds + best_kind[other])[:, None], keys * num_kinds + before)
        scores = np.where(is_moved, moved, kept) + frames[index]
    state = int(scores.argmax())
    path = [state]
    for index in range(len(frames) - 1, 0, -1):
        state = int(parents[index].ravel()[state])
        path.append(state)
    return [state % num_kinds for state in reversed(path)]

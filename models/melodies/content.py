"""What a melody is apart from its key and its place in a bar: intervals and rhythm.

A copy of a tune, or a transposed copy, has the same content.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etude.models.hashing import INCREMENT, mix
from etude.models.melodies.melody import Events
from etude.models.melodies.notes import notes_of

Hashes = npt.NDArray[np.uint64]

NGRAM_SIZES = (4, 8)
"""Lengths, in notes, of the runs that tell how much two sets of melodies share."""


def content_hash(events: Events) -> bytes:
    """SHA-256 over the intervals and the rhythm of a melody, from its first note on.

    Args:
      events: [num_steps].

    Returns:
      32 bytes: the same for a copy and a transposed copy, and whatever silence precedes the first note.
    """
    notes = notes_of(events)
    content = np.stack([_differences(notes.pitches), _differences(notes.onsets), notes.durations])
    return hashlib.sha256(np.ascontiguousarray(content.T).astype("<i4").tobytes()).digest()


def interval_numbers(events: Events) -> Hashes:
    """Every note but the first as its interval from the note before and its duration, in one number each.

    Args:
      events: [num_steps].

    Returns:
      uint64 [max(num_notes - 1, 0)].
    """
    notes = notes_of(events)
    return ((np.diff(notes.pitches) + (1 << 8)) << 32 | notes.durations[1:]).astype(np.uint64)


def hash_runs(sequences: Sequence[Hashes], n: int) -> Hashes:
    """A 64-bit hash of every run of `n` numbers within each sequence, one sequence after the other.

    Args:
      sequences: such as `interval_numbers` of melodies.
      n: numbers in a run, at least 1.
    """
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    numbers = np.concatenate([np.zeros(0, np.uint64), *sequences])
    num_runs = max(len(numbers) - n + 1, 0)
    hashes = np.zeros(num_runs, np.uint64)
    for offset in range(n):
        hashes = mix(hashes + INCREMENT ^ numbers[offset : offset + num_runs])
    ends = np.repeat(np.cumsum(lengths), lengths)[:num_runs]
    return hashes[np.arange(num_runs) + n <= ends]


def _differences(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each value less the one before it; the first is 0."""
    return np.diff(values, prepend=values[:1])

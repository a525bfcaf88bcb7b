"""What is played on one keyboard: notes on a grid, of which no two sound on one key at once."""

import numpy as np

from etude.models.sequences.batch import Tokens
from etude.models.sequences.notes import Notes

MAX_VELOCITY = 127


def keyboard_notes(onsets: Tokens, pitches: Tokens, ends: Tokens, velocities: Tokens | None = None) -> Notes:
    """Notes as one keyboard plays them, in order of onset and pitch.

    Notes of one key that begin together are one, as long as the longest and as loud as the loudest; a note that begins
    while its key is down ends the one before it.

    Args:
      onsets: steps, [num_notes].
      pitches: MIDI pitches, [num_notes].
      ends: steps, above the onsets, [num_notes].
      velocities: MIDI velocities, [num_notes]; None where they are unknown.
    """
    loud = np.zeros_like(onsets) if velocities is None else velocities
    order = np.lexsort((pitches, onsets))
    onsets, pitches, ends, loud = (values[order] for values in (onsets, pitches, ends, loud))
    begins = np.flatnonzero(np.append(True, (np.diff(onsets) != 0) | (np.diff(pitches) != 0))[: len(onsets)])
    if len(begins) < len(onsets):
        ends, loud = np.maximum.reduceat(ends, begins), np.maximum.reduceat(loud, begins)
        onsets, pitches = onsets[begins], pitches[begins]
    by_key = np.lexsort((onsets, pitches))
    same_key = np.diff(pitches[by_key]) == 0
    following = np.where(same_key, onsets[by_key][1:], np.iinfo(np.int64).max) if len(onsets) else onsets
    cut = ends.copy()
    cut[by_key[:-1]] = np.minimum(ends[by_key[:-1]], following)
    return Notes(onsets, pitches, cut - onsets, None if velocities is None else loud)

"""The sustain pedal."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from etude.models.melodies.note_columns import NoteColumns

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

SUSTAIN = 64
"""The number of its controller; from 64 on it is down."""


def with_pedal(sequence: "NoteSequence", notes: NoteColumns) -> NoteColumns:
    """Notes that sound on while the pedal is down: until it is lifted, their key is struck again, or all ends.

    Source: `note_seq.sequences_lib.apply_sustain_control_changes`.

    Args:
      sequence: the piece, with its controllers.
      notes: its notes.
    """
    ends = notes.end.copy()
    changes = _changes(sequence)
    last = max([notes.end.max(initial=0), *(times[-1] for times, _ in changes.values())])
    for instrument, (times, is_down) in changes.items():
        own = np.flatnonzero((notes.instrument == instrument) & ~notes.is_drum)
        state = np.searchsorted(times, notes.end[own], side="right") - 1
        held = own[(state >= 0) & is_down[np.maximum(state, 0)]]
        lifts = np.append(times[~is_down], last)
        after = np.minimum(np.searchsorted(lifts[:-1], notes.end[held], side="right"), len(lifts) - 1)
        ends[held] = np.maximum(ends[held], lifts[after])
        order = own[np.lexsort((notes.start[own], notes.pitch[own]))]
        same_key = np.diff(notes.pitch[order]) == 0
        struck = np.where(same_key, notes.start[order][1:], np.inf)
        # A key that is struck while it is held down was let go by its own note before.
        ends[order[:-1]] = np.where(
            struck >= notes.end[order[:-1]], np.minimum(ends[order[:-1]], struck), notes.end[order[:-1]]
        )
    return notes._replace(end=ends)


def _changes(sequence: "NoteSequence") -> dict[int, tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]:
    """When the pedal of each instrument moves, ascending, and whether it is down then; the last of a moment counts."""
    found: dict[int, dict[float, bool]] = {}
    for change in sorted(sequence.control_changes, key=lambda change: change.time):
        if change.control_number == SUSTAIN:
            found.setdefault(change.instrument, {})[change.time] = change.control_value >= SUSTAIN
    return {
        instrument: (np.array([*moments]), np.array([*moments.values()], bool)) for instrument, moments in found.items()
    }

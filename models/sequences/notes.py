"""The notes that a sequence stands for."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Notes(NamedTuple):
    """Notes on a grid of steps, in order of their onsets unless it is said otherwise.

    Attributes:
      onsets: the step at which each note starts, [num_notes].
      pitches: MIDI pitches; of drums, their numbers in General MIDI, [num_notes].
      durations: steps until each note ends, [num_notes].
      velocities: MIDI velocities, 1 to 127, [num_notes]; None where they are unknown.
    """

    onsets: npt.NDArray[np.int64]
    pitches: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]
    velocities: npt.NDArray[np.int64] | None = None

    def since(self, step: int) -> "Notes":
        """Those that start at a step or later, counted from there."""
        kept = self.onsets >= step
        loud = None if self.velocities is None else self.velocities[kept]
        return Notes(self.onsets[kept] - step, self.pitches[kept], self.durations[kept], loud)

    def before(self, step: int) -> "Notes":
        """Those that start before a step."""
        kept = self.onsets < step
        loud = None if self.velocities is None else self.velocities[kept]
        return Notes(self.onsets[kept], self.pitches[kept], self.durations[kept], loud)

    def after(self, first: "Notes", num_steps: int) -> "Notes":
        """These notes after those of another sequence of so many steps."""
        return Notes(
            np.concatenate([first.onsets, self.onsets + num_steps]),
            np.concatenate([first.pitches, self.pitches]),
            np.concatenate([first.durations, self.durations]),
            None
            if self.velocities is None or first.velocities is None
            else np.concatenate([first.velocities, self.velocities]),
        )


NO_NOTES = Notes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))

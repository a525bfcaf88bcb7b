"""Many melodies in memory."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import NO_EVENT, STEPS_PER_BAR, Events, Melody
from etude.models.sequences.batch import Batch
from etude.models.sequences.sequence_set import SequenceSet, packed


@dataclasses.dataclass(frozen=True)
class MelodySet(SequenceSet):
    """Sequences that are melodies: their tokens are events, and the metre of each is known."""

    @classmethod
    def of(cls, melodies: Iterable[Melody]) -> "MelodySet":
        """Packs melodies, in order."""
        taken = [(packed(one.events), one.id, one.source, one.steps_per_bar) for one in melodies]
        events, ids, sources, bars = zip(*taken, strict=True) if taken else ((), (), (), ())
        return cls.pack(events, ids, sources, {STEPS_PER_BAR: bars})

    @property
    def steps_per_bar(self) -> npt.NDArray[np.int64]:
        """Of each melody."""
        return self.attributes[STEPS_PER_BAR]

    def events(self, index: int) -> Events:
        """The events of one melody, [steps]."""
        return self.tokens(index)

    def batch(self, indices: npt.NDArray[np.int64], padding: int = NO_EVENT) -> Batch:
        """The melodies at `indices` as one batch, padded with the event `padding`."""
        return super().batch(indices, padding)

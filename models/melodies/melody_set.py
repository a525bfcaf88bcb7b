"""Many melodies in memory."""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import NO_EVENT, STEPS_PER_BAR, Events, Melody
from etude.models.sequences.batch import Batch
from etude.models.sequences.sequence_set import Packed, SequenceSet, packed


@dataclasses.dataclass(frozen=True)
class MelodySet(SequenceSet):
    """Sequences that are melodies: their tokens are events, and the metre of each is known."""

    @classmethod
    def of(cls, melodies: Iterable[Melody]) -> "MelodySet":
        """Packs melodies, in order, with the columns that all of them have."""
        taken = [
            (packed(one.events), one.id, one.source, one.steps_per_bar, _packed_columns(one.columns))
            for one in melodies
        ]
        events, ids, sources, bars, columns = zip(*taken, strict=True) if taken else ((), (), (), (), ())
        names = set.intersection(*map(set, columns)) if columns else set()
        by_name = {name: [one[name] for one in columns] for name in sorted(names)}
        return cls.pack(events, ids, sources, {STEPS_PER_BAR: bars}, by_name)

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


def _packed_columns(columns: Mapping[str, Events]) -> dict[str, Packed]:
    return {name: packed(values) for name, values in columns.items()}

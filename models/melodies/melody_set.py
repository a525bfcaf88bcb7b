"""Many melodies in memory, compactly, and batches of them."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import NO_EVENT, STEPS_PER_BAR, Events, Melody
from etude.models.sequences.batch import Batch

Packed = npt.NDArray[np.signedinteger[Any]]
"""Events of the smallest of these types that holds them: int8, int16, int32, int64."""


@dataclasses.dataclass(frozen=True)
class MelodySet:
    """Melodies end to end in one array, a byte an event where all events are in [-128, 127].

    Attributes:
      flat: the events of all melodies one after the other.
      ends: where each melody ends in `flat`.
      steps_per_bar: of each melody.
      ids: of each melody.
      sources: of each melody.
    """

    flat: Packed
    ends: npt.NDArray[np.int64]
    steps_per_bar: npt.NDArray[np.int64]
    ids: tuple[str, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, melodies: Iterable[Melody]) -> "MelodySet":
        """Packs melodies, in order."""
        events: list[Packed] = []
        bars, ids, sources = [], [], []
        for melody in melodies:
            events.append(_packed(melody.events))
            bars.append(melody.steps_per_bar)
            ids.append(melody.id)
            sources.append(melody.source)
        return cls(
            flat=np.concatenate([np.zeros(0, np.int8), *events]),
            ends=np.cumsum([len(item) for item in events], dtype=np.int64),
            steps_per_bar=np.array(bars, dtype=np.int64),
            ids=tuple(ids),
            sources=tuple(sources),
        )

    def __len__(self) -> int:
        """Number of melodies."""
        return len(self.ends)

    @functools.cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each melody."""
        return np.diff(self.ends, prepend=0)

    def events(self, index: int) -> Events:
        """The events of one melody, [steps]."""
        return self._packed_events(index).astype(np.int64)

    def map(self, change: Callable[[Events], Events]) -> "MelodySet":
        """The same melodies with every one's events changed; the number of events stays."""
        changed = [_packed(change(self.events(index))) for index in range(len(self))]
        return dataclasses.replace(self, flat=np.concatenate([np.zeros(0, np.int8), *changed]))

    def select(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> "MelodySet":
        """The melodies at `indices`, in that order."""
        chosen = [self._packed_events(int(index)) for index in indices]
        return MelodySet(
            flat=np.concatenate([np.zeros(0, np.int8), *chosen]),
            ends=np.cumsum([len(item) for item in chosen], dtype=np.int64),
            steps_per_bar=self.steps_per_bar[np.asarray(indices, dtype=np.int64)],
            ids=tuple(self.ids[int(index)] for index in indices),
            sources=tuple(self.sources[int(index)] for index in indices),
        )

    def batch(self, indices: npt.NDArray[np.int64], padding: int = NO_EVENT) -> Batch:
        """The melodies at `indices` as one batch, padded with the event `padding`."""
        lengths = self.lengths[indices]
        events = np.full((len(indices), int(lengths.max(initial=0))), padding, dtype=np.int64)
        for row, index in enumerate(indices):
            events[row, : lengths[row]] = self.events(int(index))
        return Batch(events, lengths, {STEPS_PER_BAR: self.steps_per_bar[indices]})

    def _packed_events(self, index: int) -> Packed:
        start = self.ends[index - 1] if index else 0
        return self.flat[start : self.ends[index]]


def _packed(events: Events) -> Packed:
    """The same numbers in the smallest type that holds them all."""
    lowest, highest = int(events.min(initial=0)), int(events.max(initial=0))
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
            return events.astype(kind)
    return events

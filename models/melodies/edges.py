"""What a melody's events do not say: whether it begins with a pickup, and where it ends. Counted, to be paid for.

A melody's first event is given to its model, and its events go on for ever. A counted model says the rest: how long the
silence before the first note is; at every note, whether it is the last one; and how long that sounds.
"""

import collections
import dataclasses
import functools
from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from etude.models.melodies.melody import MIN_PITCH, Events
from etude.models.melodies.melody_set import MelodySet

LATEST_BAR = 63
"""Notes of later bars are counted with those of this one."""

_Cell = tuple[int, ...]


class EdgeLikelihood(NamedTuple):
    """Log-probabilities, in nats, of a melody's pickup, and of its end and the length of its last note."""

    start: float
    end: float


@dataclasses.dataclass(frozen=True)
class Edges:
    """Counts of how melodies begin and end, each by steps in a bar and what else follows them.

    Attributes:
      leads: of steps before the first note, (bar, steps).
      notes: of notes, (bar, number of the bar, place in the bar).
      ends: of last notes, the same.
      lengths: of steps of the last note, (bar, place in the bar, steps).
    """

    leads: Mapping[_Cell, int]
    notes: Mapping[_Cell, int]
    ends: Mapping[_Cell, int]
    lengths: Mapping[_Cell, int]

    @classmethod
    def fitted(cls, train: MelodySet) -> Self:
        """Counts of training melodies, whole ones that begin at a bar line."""
        leads, notes, ends, lengths = (collections.Counter[_Cell]() for _ in range(4))
        for index in range(len(train)):
            events, bar = train.events(index), int(train.steps_per_bar[index])
            onsets = _onsets(events)
            cells = _cells(onsets, bar)
            leads[bar, onsets[0]] += 1
            notes.update(cells)
            ends[cells[-1]] += 1
            lengths[bar, onsets[-1] % bar, len(events) - onsets[-1]] += 1
        return cls(leads, notes, ends, lengths)

    def log_likelihood(self, events: Events, steps_per_bar: int) -> EdgeLikelihood:
        """Of a melody of at least one note, within whose first bar the first note begins."""
        onsets = _onsets(events)
        *before, last = (self._end_probability(cell) for cell in _cells(onsets, steps_per_bar))
        end = float(np.log1p(-np.array(before)).sum() + np.log(last))
        length = self._length_probability(steps_per_bar, onsets[-1] % steps_per_bar, len(events) - onsets[-1])
        return EdgeLikelihood(
            float(np.log(self._lead_probability(steps_per_bar, onsets[0]))), end + float(np.log(length))
        )

    def _lead_probability(self, bar: int, steps: int) -> float:
        """Mixed with a uniform one over the steps of a bar."""
        number = sum(count for (of_bar, _), count in self.leads.items() if of_bar == bar)
        return (self.leads.get((bar, steps), 0) + 1 / bar) / (number + 1)

    def _end_probability(self, cell: _Cell) -> float:
        """That a note is the last: of the notes in its place, mixed with that of all notes."""
        return (self.ends.get(cell, 0) + self._end_anywhere) / (self.notes.get(cell, 0) + 1)

    @functools.cached_property
    def _end_anywhere(self) -> float:
        return (sum(self.ends.values()) + 1) / (sum(self.notes.values()) + 2)

    def _length_probability(self, bar: int, place: int, steps: int) -> float:
        """Of the last notes in its place of the bar, mixed with those anywhere in it, mixed with a geometric one."""
        rate = 1 / (bar + 1)
        probability = rate * (1 - rate) ** (steps - 1)
        in_bar = {cell: count for cell, count in self.lengths.items() if cell[0] == bar}
        in_place = {cell: count for cell, count in in_bar.items() if cell[1] == place}
        for counts in (in_bar, in_place):
            same = sum(count for cell, count in counts.items() if cell[2] == steps)
            probability = (same + probability) / (sum(counts.values()) + 1)
        return probability


def _onsets(events: Events) -> list[int]:
    return np.flatnonzero(events >= MIN_PITCH).tolist()


def _cells(onsets: list[int], bar: int) -> list[_Cell]:
    return [(bar, min(onset // bar, LATEST_BAR), onset % bar) for onset in onsets]

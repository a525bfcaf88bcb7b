"""Sequences whose steps have several tokens: how long they are to be, and what is given of their steps."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from etude.models.sequences.batch import Tokens


@dataclasses.dataclass(frozen=True)
class StepLength:
    """When sequences are over whose length is counted in steps.

    Attributes:
      lengths: by how many steps each token moves on, [num_tokens].
      num_steps: after so many steps a sequence is over.
      filler: what stands after it.
    """

    lengths: Tokens
    num_steps: int
    filler: int


class Places(Protocol):
    """Where sequences that grow are: in which step, and how many tokens of it there are."""

    steps: npt.NDArray[np.int64]
    tokens_in_step: npt.NDArray[np.int64]


class Injection:
    """Notes that sequences are given at the start of each of some steps, before the model goes on.

    Source: `_inject_melody` of Magenta's generator of polyphony.
    """

    def __init__(self, notes: Sequence[Sequence[int]], first_step: int) -> None:
        """Sets the notes.

        Args:
          notes: tokens of each step.
          first_step: the step that gets the first of them.
        """
        longest = max(map(len, notes), default=0)
        # A row more and a column more: before and after these steps, and once a step has its notes, nothing is given.
        self._given = np.full((len(notes) + 1, longest + 1), -1)
        for row, tokens in enumerate(notes):
            self._given[row, : len(tokens)] = tokens
        self._first_step = first_step

    def next_tokens(self, places: Places) -> Tokens:
        """The token that each sequence is given next, -1 where the model chooses: [sequences]."""
        step = places.steps - self._first_step
        row = np.where((step >= 0) & (step < len(self._given)), step, len(self._given) - 1)
        return self._given[row, np.minimum(places.tokens_in_step, self._given.shape[1] - 1)]

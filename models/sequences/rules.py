"""Rules of what may follow in a sequence, whatever the model thinks of it."""

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Rules(Protocol):
    """An automaton that reads sequences token by token. Its states are numbers."""

    @property
    def start(self) -> int:
        """The state before the first token."""

    def after(self, state: int, token: int) -> int:
        """The state after one more token; one that is not allowed leads to a state in which nothing is."""

    def allowed(self, state: int, num_left: int) -> npt.NDArray[np.bool_]:
        """The tokens that may follow so that the sequence can still be completed: [num_tokens].

        Args:
          state: of the sequence so far.
          num_left: how many tokens may follow, the next one too.
        """

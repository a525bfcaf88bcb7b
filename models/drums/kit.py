"""Kinds of drums: which pitches of General MIDI's percussion are one kind, and what is struck together as one token.

Bit k of a token says whether kind k is struck. Source: `MultiDrumOneHotEncoding` of note-seq.
"""

import dataclasses
import functools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

NUM_PITCHES = 128


@dataclasses.dataclass(frozen=True)
class Kit:
    """The kinds of drums that a model tells apart.

    Attributes:
      names: of the kinds.
      pitches: of each kind; the first is what it is played as.
    """

    names: tuple[str, ...]
    pitches: tuple[tuple[int, ...], ...]

    @property
    def num_tokens(self) -> int:
        """Different sets of kinds, the empty one too."""
        return 1 << len(self.pitches)

    @functools.cached_property
    def bits(self) -> npt.NDArray[np.int64]:
        """The token of each pitch alone, 0 where it is of no kind: [128]."""
        bits = np.zeros(NUM_PITCHES, np.int64)
        for kind, pitches in enumerate(self.pitches):
            bits[list(pitches)] = 1 << kind
        return bits

    @functools.cached_property
    def symbols(self) -> tuple[str, ...]:
        """What each token is written as: the pitches that it is played as, such as `36+42`; `-` for silence."""
        return tuple("+".join(map(str, self.played(token))) or "-" for token in range(self.num_tokens))

    @functools.cached_property
    def num_struck(self) -> npt.NDArray[np.int64]:
        """How many kinds each token strikes: [num_tokens]."""
        tokens = np.arange(self.num_tokens)
        return sum((tokens >> kind & 1 for kind in range(len(self.pitches))), np.zeros(self.num_tokens, np.int64))

    def token(self, pitches: Iterable[int]) -> int:
        """The token of what is struck together; pitches of no kind are left out.

        Raises:
          ValueError: if a pitch is not a whole number from 0 to 127.
        """
        token = 0
        for pitch in pitches:
            if not isinstance(pitch, int | np.integer) or not 0 <= pitch < NUM_PITCHES:
                raise ValueError(f"the drum {pitch!r} is no pitch from 0 to 127")
            token |= int(self.bits[pitch])
        return token

    def played(self, token: int) -> tuple[int, ...]:
        """The pitches that a token is played as, ascending."""
        return tuple(sorted(pitches[0] for kind, pitches in enumerate(self.pitches) if token >> kind & 1))


_NINE = {
    "bass drum": (36, 35),
    "snare": (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
    "closed hi-hat": (42, 22, 44, 54, 68, 69, 70, 71, 73, 78, 80),
    "open hi-hat": (46, 26, 67, 72, 74, 79, 81),
    "low tom": (45, 29, 41, 43, 61, 64, 84),
    "middle tom": (48, 47, 60, 63, 77, 86, 87),
    "high tom": (50, 30, 62, 76, 83),
    "crash": (49, 52, 55, 57, 58),
    "ride": (51, 53, 59, 82),
}

NINE_DRUMS = Kit(tuple(_NINE), tuple(_NINE.values()))
"""Magenta's drum kit."""

ANY_DRUM = Kit(("drum",), ((39, *(pitch for pitch in range(NUM_PITCHES) if pitch != 39)),))
"""One kind for all drums, played as a hand clap."""

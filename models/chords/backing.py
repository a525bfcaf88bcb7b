"""Chords that a melody is made over, as they are typed."""

import dataclasses

import numpy as np

from etude.models.chords.chord import CHORDS
from etude.models.chords.figure import NO_CHORD, chord_numbers, read_figure
from etude.models.errors import UsageError
from etude.models.sequences.domain import Columns

DEFAULT_CHORDS = "C G Am F C G F C"
"""Magenta's."""

DEFAULT_STEPS_PER_CHORD = 16
"""Magenta's: a bar of 4/4."""


@dataclasses.dataclass(frozen=True)
class BackingChords:
    """Chords of one length, which begin again where they are over.

    Attributes:
      figures: at least one.
      steps_per_chord: steps of each.
    """

    figures: tuple[str, ...]
    steps_per_chord: int

    def __post_init__(self) -> None:
        """Checks both.

        Raises:
          UsageError: if there are none, or they have no length.
        """
        if not self.figures:
            raise UsageError(f"--backing-chords holds no chord; give some, such as '{DEFAULT_CHORDS}'")
        if self.steps_per_chord < 1:
            raise UsageError(f"--steps-per-chord must be at least 1, not {self.steps_per_chord}")

    def __str__(self) -> str:
        """As it was typed."""
        return " ".join(self.figures)

    @property
    def num_steps(self) -> int:
        """Steps until they begin again."""
        return len(self.figures) * self.steps_per_chord

    def columns(self, num_steps: int) -> Columns:
        """The chord of each of so many steps."""
        places = np.arange(num_steps) // self.steps_per_chord % len(self.figures)
        return {CHORDS: chord_numbers(self.figures)[places]}

    def changes(self, num_steps: int) -> list[tuple[int, str]]:
        """At which of so many steps which chord begins."""
        figures = [self.figures[place % len(self.figures)] for place in range(-(-num_steps // self.steps_per_chord))]
        return [
            (place * self.steps_per_chord, figure)
            for place, figure in enumerate(figures)
            if figure != (figures[place - 1] if place else NO_CHORD)
        ]


def backing_chords(text: str, steps_per_chord: int = DEFAULT_STEPS_PER_CHORD) -> BackingChords:
    """Reads chords that are typed with spaces between them.

    Raises:
      UsageError: if there is none, or one is not understood; the message names it.
    """
    figures = tuple(text.split())
    unknown = [figure for figure in figures if not read_figure(figure).is_known]
    if unknown:
        raise UsageError(
            f"--backing-chords: {unknown[0]!r} is no chord that is understood; write chords such as C Am7 F#dim Bbmaj7/D, "
            "and N.C. for none"
        )
    return BackingChords(figures, steps_per_chord)

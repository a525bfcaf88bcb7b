"""Polyphony: the notes of all voices step by step, as Polyphony RNN has them."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.errors import UsageError
from etude.models.melodies.extraction import Rejection
from etude.models.melodies.melody import MAX_STEPS_PER_QUARTER
from etude.models.polyphony import events
from etude.models.polyphony.extraction import LONG, PolyphonyOptions, extract_polyphony
from etude.models.representations.notes_of_piece import columns_of, quantised_parts
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted, Representation
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class Polyphony(PolyphonyOptions, Representation):
    """All notes of a piece of one instrument, extracted as Magenta does, but for drums, which are left out.

    Attributes:
      steps_per_quarter: steps in a quarter note.
    """

    steps_per_quarter: int = 4

    name: ClassVar[str] = "polyphony"
    unit: ClassVar[str] = "token"
    has_symbols: ClassVar[bool] = False
    default_transpositions: ClassVar[tuple[int, ...]] = tuple(range(-4, 5))

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is out of range, or none of its choices.
        """
        ranges = {
            "steps_per_quarter": (1, MAX_STEPS_PER_QUARTER),
            "min_steps": (0, 1_000_000),
            "max_steps": (0, 1_000_000),
        }
        for name, (lowest, highest) in ranges.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise UsageError(f"--option {name} must be a whole number from {lowest} to {highest}, not {value!r}")
        if self.long not in LONG:
            raise UsageError(f"--option long must be {' or '.join(LONG)}, not {self.long!r}")

    def whole(self) -> "Polyphony":
        """See base class."""
        return dataclasses.replace(self, min_steps=0, max_steps=0)

    @property
    def fixed_symbols(self) -> tuple[str, ...]:
        """See base class."""
        return events.SYMBOLS

    def extract(self, piece: Piece) -> Extracted:
        """A sequence a part. Attributes: the grid, `num_notes`, and `transposition` in semitones."""
        result = Extracted([], [])
        columns = columns_of(piece)
        programs = np.fromiter((note.program for note in piece.sequence.notes), np.int64, len(columns.pitch))
        num_truncated = 0
        # What tells notes apart here is their program.
        for index, part in quantised_parts(
            piece, columns._replace(instrument=programs), self.steps_per_quarter, result.rejections
        ):
            found = extract_polyphony(part, self, index)
            if isinstance(found, Rejection):
                result.rejections.append(found)
            elif found is not None:
                attributes = {
                    "steps_per_quarter": self.steps_per_quarter,
                    "steps_per_bar": part.steps_per_bar,
                    "num_notes": int(events.is_note(found.tokens).sum()),
                    "transposition": 0,
                }
                result.sequences.append(Sequence(found.tokens, str(index), attributes=attributes))
                num_truncated += found.is_cut
        if not result.sequences and not result.rejections:
            result.rejections.append(Rejection("drums" if columns.is_drum.any() else "no-notes"))
        return result._replace(num_truncated=num_truncated)

    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> list[Any]:
        """Magenta's events: type and pitch of each."""
        return [events.event_of(token) for token in tokens.tolist()]

    def transposed(self, sequence: Sequence, semitones: int) -> Sequence | None:
        """See base class."""
        moved = events.transposed(np.asarray(sequence.tokens, np.int64), semitones)
        if moved is None:
            return None
        attributes = {**sequence.attributes, "transposition": semitones}
        return dataclasses.replace(sequence, tokens=moved, id=f"{sequence.id}:{semitones:+d}", attributes=attributes)

    def content(self, sequence: Sequence) -> bytes:
        """What a copy in another key shares: the sequence with its highest note as 127."""
        tokens = np.asarray(sequence.tokens, np.int64)
        highest = int(events.pitches_of(tokens).max(initial=-1))
        moved = tokens if highest < 0 else events.transposed(tokens, 127 - highest)
        assert moved is not None
        return super().content(dataclasses.replace(sequence, tokens=moved))

"""Drum tracks: one token a step, which says what is struck."""

import dataclasses
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.drums.extraction import DrumOptions, extract_drum_tracks
from etude.models.drums.kit import ANY_DRUM, NINE_DRUMS, Kit
from etude.models.errors import UsageError
from etude.models.melodies.extraction import MOST_BARS, Rejection
from etude.models.melodies.melody import MAX_STEPS_PER_QUARTER
from etude.models.representations.notes_of_piece import columns_of, quantised_parts
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted, Representation
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class Drums(DrumOptions, Representation):
    """Drum tracks of nine kinds of drums, extracted as Magenta does; tracks that are called drums are drums, too.

    Attributes:
      steps_per_quarter: steps in a quarter note.
      all_notes: whether all notes are taken for drums, as in primers.
    """

    steps_per_quarter: int = 4
    all_notes: bool = False

    name: ClassVar[str] = "drums"
    unit: ClassVar[str] = "step"
    has_symbols: ClassVar[bool] = False
    kit: ClassVar[Kit] = NINE_DRUMS

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is out of range.
        """
        ranges = {
            "steps_per_quarter": (1, MAX_STEPS_PER_QUARTER),
            "min_bars": (0, MOST_BARS),
            "max_steps": (0, 1_000_000),
            "gap_bars": (0, MOST_BARS),
            "discard_steps": (0, 1_000_000),
        }
        for name, (lowest, highest) in ranges.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or not lowest <= value <= highest:
                raise UsageError(f"--option {name} must be from {lowest} to {highest}, not {value!r}")

    def whole(self) -> "Drums":
        """See base class."""
        return dataclasses.replace(self, min_bars=0, max_steps=0, gap_bars=MOST_BARS, discard_steps=0, whole_bars=False)

    @property
    def fixed_symbols(self) -> tuple[str, ...]:
        """See base class."""
        return self.kit.symbols

    def extract(self, piece: Piece) -> Extracted:
        """The drum tracks. Attributes: the grid, and `num_notes`, the drums struck after the first step."""
        result = Extracted([], [])
        columns = columns_of(piece)
        heard = columns.velocity != 0
        columns = type(columns)(*(values[heard] for values in columns))
        num_truncated = 0
        for index, part in quantised_parts(piece, columns, self.steps_per_quarter, result.rejections):
            found = extract_drum_tracks(part, self.kit, self, index, self.all_notes)
            result.rejections.extend(found.rejections)
            for track in found.tracks:
                attributes = {
                    "steps_per_quarter": self.steps_per_quarter,
                    "steps_per_bar": part.steps_per_bar,
                    "num_notes": int(self.kit.num_struck[track.tokens[1:]].sum()),
                }
                result.sequences.append(Sequence(track.tokens, str(len(result.sequences)), attributes=attributes))
                num_truncated += track.full_length > len(track.tokens)
        if not result.sequences and not result.rejections:
            result.rejections.append(Rejection("no-drums"))
        return result._replace(num_truncated=num_truncated)

    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> list[tuple[int, ...]]:
        """The pitches that are struck at each step."""
        return [self.kit.played(token) for token in tokens.tolist()]


@dataclasses.dataclass(frozen=True)
class OneDrum(Drums):
    """Drum tracks in which any drum is the same, on a grid of eighth notes."""

    steps_per_quarter: int = 2

    name: ClassVar[str] = "one_drum"
    kit: ClassVar[Kit] = ANY_DRUM

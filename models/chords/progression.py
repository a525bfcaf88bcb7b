"""The chord of every step of a melody, from the chord symbols of its piece.

The rules are those of note-seq's `ChordProgression.from_quantized_sequence` on the parts between changes of tempo and
metre, each of which starts with the chord that sounds there.
"""

import bisect
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from etude.models.chords.figure import NO_CHORD
from etude.models.melodies.quantisation import Part, part_times, steps_of

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

CHORD_SYMBOL = 1
"""note-seq's type of a text annotation."""


class CoincidentChordsError(Exception):
    """Two chords start at one step: the message names both."""


@dataclasses.dataclass(frozen=True)
class Progression:
    """Where chords begin.

    Attributes:
      steps: ascending.
      figures: of the chord that begins at each step.
    """

    steps: tuple[int, ...]
    figures: tuple[str, ...]

    def between(self, start: int, end: int) -> list[str]:
        """The chord of every step from `start` to before `end`.

        Raises:
          CoincidentChordsError: if two different chords begin at one of these steps.
        """
        first, last = bisect.bisect_left(self.steps, start), bisect.bisect_left(self.steps, end)
        changes = dict(zip((start,), (self.figures[first - 1] if first else NO_CHORD,), strict=True))
        for index in range(first, last):
            step, figure = self.steps[index], self.figures[index]
            if index > first and self.steps[index - 1] == step and changes[step] != figure:
                raise CoincidentChordsError(f"{changes[step]} and {figure} at step {step}")
            changes[step] = figure
        bounds = [*changes, end]
        lengths = np.diff(bounds).tolist()
        return [figure for figure, length in zip(changes.values(), lengths, strict=True) for _ in range(length)]


def has_chords(sequence: "NoteSequence") -> bool:
    """Whether a piece has chord symbols."""
    return any(note.annotation_type == CHORD_SYMBOL for note in sequence.text_annotations)


def progressions(sequence: "NoteSequence", parts: list[Part], steps_per_quarter: int) -> Iterator[Progression]:
    """The chord symbols of every part of a piece.

    Args:
      sequence: the piece.
      parts: of `split_at_time_changes`.
      steps_per_quarter: steps in a quarter note.
    """
    symbols = sorted(
        ((note.time, note.text) for note in sequence.text_annotations if note.annotation_type == CHORD_SYMBOL),
        key=lambda symbol: symbol[0],
    )
    times = [time for time, _ in symbols]
    for part, (start, end) in zip(parts, part_times(sequence), strict=True):
        first, last = bisect.bisect_right(times, start), bisect.bisect_left(times, end)
        inside = [(0.0, symbols[first - 1][1])] if first else []
        inside += [(time - start, figure) for time, figure in symbols[first:last]]
        seconds = np.array([time for time, _ in inside], np.float64)
        steps = steps_of(seconds, part.quarters_per_minute, steps_per_quarter).astype(np.int64)
        yield Progression(tuple(steps.tolist()), tuple(figure for _, figure in inside))

"""What a reader found: a piece, or the reason why there is none."""

import dataclasses

from etude.pipelines.readers.note_sequences import NoteSequence


@dataclasses.dataclass(frozen=True)
class Rejected:
    """Why a piece cannot be used.

    Attributes:
      reason: a name out of `etude.pipelines.reasons`.
      detail: what exactly was met.
    """

    reason: str
    detail: str = ""


@dataclasses.dataclass
class Reading:
    """A piece of a file, or the reason why there is none. Exactly one of `sequence` and `rejected` is set.

    Attributes:
      sequence: the piece.
      rejected: why it cannot be used.
      reference_number: the tune's number (ABC's `X:`), 0 if it has none.
      title: the tune's title, if it has one.
      line: the line of the file that the tune starts on, from 1; 0 if the format has no lines.
      text: what an ABC tune was written as.
      bar_starts: where its bars begin, in characters of the text.
      bars: what became of its bars, if rests were to keep them, see `etude.models.melodies.pickups.OUTCOMES`; empty if not.
    """

    sequence: NoteSequence | None = None
    rejected: Rejected | None = None
    reference_number: int = 0
    title: str = ""
    line: int = 0
    text: str = ""
    bar_starts: tuple[int, ...] = ()
    bars: str = ""

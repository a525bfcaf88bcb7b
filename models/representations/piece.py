"""A piece of music, as representations take it."""

import dataclasses
from typing import TYPE_CHECKING

from etude.models.melodies.note_columns import NoteColumns
from etude.models.storage.texts import Text

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence


@dataclasses.dataclass(frozen=True)
class Piece:
    """A piece of music.

    Attributes:
      sequence: its notes; `id` names the piece.
      text: what it was written as, if that was ABC.
      contents: hashes of its tracks' notes, 16 bytes each, once `SplitByContent` has seen it.
      split: "train", "eval" or "test", once `SplitByContent` has seen it.
      columns: its notes as arrays, if somebody needed them before.
    """

    sequence: "NoteSequence"
    text: Text | None = None
    contents: tuple[bytes, ...] = ()
    split: str = ""
    columns: NoteColumns | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.sequence.id)

"""How pieces travel between workers. Whoever takes `Piece` from here has its coder registered."""

import struct
import zlib

from apache_beam.coders import Coder, registry

from etude.models.representations.piece import Piece
from etude.models.storage.texts import Text
from etude.pipelines.readers.note_sequences import NoteSequence

__all__ = ["Piece", "PieceCoder"]

_HEAD = struct.Struct("<III")
_CONTENT_BYTES = 16


class PieceCoder(Coder):  # type: ignore[misc]
    """A piece as few bytes: runners keep many of them, some several times over."""

    def encode(self, value: Piece) -> bytes:
        """Its compressed parts."""
        notes = value.sequence.SerializeToString(deterministic=True)
        text = value.text.encode() if value.text is not None else b""
        contents = b"".join(value.contents)
        head = _HEAD.pack(len(notes), len(text), len(contents))
        return zlib.compress(b"".join([head, notes, text, contents, value.split.encode()]), 1)

    def decode(self, encoded: bytes) -> Piece:
        """The piece again."""
        data = zlib.decompress(encoded)
        num_notes, num_text, num_contents = _HEAD.unpack_from(data)
        text_start = _HEAD.size + num_notes
        contents_start = text_start + num_text
        split_start = contents_start + num_contents
        return Piece(
            sequence=NoteSequence.FromString(data[_HEAD.size : text_start]),
            text=Text.decode(data[text_start:contents_start]) if num_text else None,
            contents=tuple(data[at : at + _CONTENT_BYTES] for at in range(contents_start, split_start, _CONTENT_BYTES)),
            split=data[split_start:].decode(),
        )

    def is_deterministic(self) -> bool:
        """One piece has one encoding."""
        return True


registry.register_coder(Piece, PieceCoder)

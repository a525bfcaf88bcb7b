"""The ABC that a piece was written in, kept beside its notes under the same id.

A record is a `tensorflow.Example` (the context of a SequenceExample is the same on the wire): `id` and `text` (bytes),
`bar_starts` (int64, one a bar).
"""

import dataclasses

from google.protobuf.message import DecodeError

from etude.models.storage import sequence_example_pb2


@dataclasses.dataclass(frozen=True)
class Text:
    """A tune as it was written.

    Attributes:
      id: the name of its piece.
      text: the lines of the tune, headers too.
      bar_starts: where its bars begin, in characters of the text.
    """

    id: str
    text: str
    bar_starts: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """The record that stores it; the same bytes every time."""
        example = sequence_example_pb2.SequenceExample()
        feature = example.context.feature
        feature["id"].bytes_list.value.append(self.id.encode("utf-8", "surrogateescape"))
        feature["text"].bytes_list.value.append(self.text.encode("utf-8", "replace"))
        feature["bar_starts"].int64_list.value.extend(self.bar_starts)
        return example.SerializeToString(deterministic=True)

    @classmethod
    def decode(cls, record: bytes) -> "Text":
        """The text that `encode` stored.

        Raises:
          ValueError: if the record is none.
        """
        try:
            feature = sequence_example_pb2.SequenceExample.FromString(record).context.feature
        except DecodeError as error:
            raise ValueError("the record is not an Example") from error
        if "id" not in feature or "text" not in feature or not feature["text"].bytes_list.value:
            raise ValueError("the record has no features 'id' and 'text'")
        return cls(
            feature["id"].bytes_list.value[0].decode("utf-8", "surrogateescape"),
            feature["text"].bytes_list.value[0].decode("utf-8", "replace"),
            tuple(feature["bar_starts"].int64_list.value),
        )

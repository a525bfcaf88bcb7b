"""A representation that lives wholly in a test: the letters of a tune's text, with an end."""

import dataclasses
from typing import ClassVar

from etude.models.melodies.extraction import Rejection
from etude.models.representations.representation import Extracted, Representation
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary

END = "<end>"


@dataclasses.dataclass(frozen=True)
class Letters(Representation):
    """What is after the header, sign by sign."""

    max_tokens: int = 1000

    name: ClassVar[str] = "letters"
    unit: ClassVar[str] = "character"
    reads_text: ClassVar[bool] = True

    def extract(self, piece):
        if piece.text is None:
            return Extracted([], [Rejection("no-notes", "it was not written as ABC")])
        body = piece.text.text[piece.text.bar_starts[0] :]
        return Extracted(
            [Sequence((*body[: self.max_tokens], END), "0", attributes={"bars": len(piece.text.bar_starts)})], []
        )

    def fit(self, counts):
        return Vocabulary.fitted(counts, marks=[END])

    def render(self, tokens, vocabulary=None):
        return "".join(vocabulary.decode(tokens)).removesuffix(END)

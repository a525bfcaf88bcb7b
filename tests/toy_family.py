"""A family and two representations that live wholly in a test: the core knows nothing of them.

A tune's text becomes signs, with a mark at either end. The family's encoding sees the last sign and whether it came two
steps ago, too, and can say "the same as two steps ago"; it is trained on a stream in chunks, whose state is carried. All
else is the core's.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding, EncodingStream
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters
from etude.models.melodies.extraction import Rejection
from etude.models.representations.representation import Extracted, Representation
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary
from etude.models.sequences.domain import END, START

BACK = 2
"""The alias stands for the token of so many steps ago, and for the start before that."""

OTHERS = tuple(chr(0x100 + number) for number in range(300))
"""Signs that no tune holds, so that the vocabulary is large."""


@dataclasses.dataclass(frozen=True)
class Signs(Representation):
    """What is after the header of a tune, sign by sign."""

    max_tokens: int = 1000

    name: ClassVar[str] = "signs"
    unit: ClassVar[str] = "sign"
    covers: ClassVar[str] = "body"
    reads_text: ClassVar[bool] = True

    def extract(self, piece):
        if piece.text is None:
            return Extracted([], [Rejection("no-notes", "it was not written as ABC")])
        body = piece.text.text[piece.text.bar_starts[0] :].rstrip()
        symbols = (START, *self.symbols(body)[: self.max_tokens], END)
        num_notes = sum(sign.upper() in "ABCDEFG" for sign in body)
        return Extracted([Sequence(symbols, "0", attributes={"num_notes": num_notes})], [])

    def symbols(self, body):
        return tuple(body)

    def fit(self, counts):
        return Vocabulary.fitted(counts, marks=(START, END, *OTHERS))

    def render(self, tokens, vocabulary=None):
        return "".join(symbol for symbol in vocabulary.decode(tokens) if symbol not in (START, END))


@dataclasses.dataclass(frozen=True)
class Pairs(Signs):
    """The same, two signs a token."""

    name: ClassVar[str] = "pairs"
    unit: ClassVar[str] = "pair"

    def symbols(self, body):
        return tuple(body[start : start + 2].replace(" ", "_") for start in range(0, len(body), 2))


class ToyEncoding(Encoding):
    """Sees the last token and whether it came two steps ago, too; can say "the same as two steps ago"."""

    num_aliases = 1

    def __init__(self, num_tokens, end_token):
        self.num_tokens, self.end_token = num_tokens, end_token
        self.input_size = num_tokens + 1

    def token_labels(self, tokens):
        if ((tokens < 0) | (tokens >= self.num_tokens)).any():
            raise ValueError(f"there are {self.num_tokens} tokens")
        return np.asarray(tokens, np.int64)

    def label_tokens(self):
        return np.arange(self.num_tokens)

    def aliases(self, tokens, attributes):
        padded = np.concatenate([np.zeros((len(tokens), BACK), np.int64), tokens], axis=1)
        return padded[:, : tokens.shape[1], None]

    def inputs(self, tokens, attributes):
        return self.assemble(tokens, self.aliases(tokens, attributes)[..., 0])

    def assemble(self, tokens, earlier):
        one_hots = np.eye(self.num_tokens, dtype=np.float32)[tokens]
        return np.concatenate([one_hots, (tokens == earlier)[..., None]], axis=-1, dtype=np.float32)

    def token_masks(self, tokens):
        return {"odd": tokens % 2 == 1}

    def stream(self, batch_size, attributes):
        return ToyStream(self, batch_size)


class ToyStream(EncodingStream):
    def __init__(self, encoding, batch_size):
        self._encoding = encoding
        self._last = np.zeros((batch_size, BACK), np.int64)

    def append(self, tokens):
        inputs = self._encoding.assemble(tokens, self._last[:, 0])
        self._last = np.concatenate([self._last[:, 1:], tokens[:, None]], axis=1)
        return inputs

    def aliases(self):
        return self._last[:, :1]


def make_encoding(configuration):
    return ToyEncoding(len(configuration.vocabulary), configuration.vocabulary.index(END))


FAMILY = Family(
    name="toy",
    title="Toy",
    summary="Sees the last sign, and whether it came before.",
    defaults=Configuration(
        "toy",
        hyperparameters=Hyperparameters(
            cell="gru", batches="stream", chunk_steps=30, batch_size=8, rnn_layer_sizes=(8,), learning_rate=0.02
        ),
    ),
    make_encoding=make_encoding,
    representation="tests.toy_family:Signs",
)
PAIRED = dataclasses.replace(
    FAMILY,
    name="paired",
    title="Paired",
    defaults=Configuration(
        "paired", hyperparameters=Hyperparameters(batch_size=8, rnn_layer_sizes=(8,), learning_rate=0.02)
    ),
    representation="tests.toy_family:Pairs",
)

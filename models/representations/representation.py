"""What a representation is: how a piece becomes sequences of tokens, how they are stored, and what they turn into."""

import abc
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.extraction import Rejection
from etude.models.representations.piece import Piece
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary
from etude.models.storage.sequence_examples import decode_sequence, encode_sequence

TUNE = "tune"
"""What the sequences of datasets of exact tunes cover, whatever their representation."""


class Extracted(NamedTuple):
    """What a piece gave.

    Attributes:
      sequences: their ids tell them apart within the piece.
      rejections: what gave no sequence, with the reason.
      num_truncated: sequences that were cut to the longest length.
      remarks: what else is to be said of sequences, by names out of `etude.pipelines.reasons`, and of how many.
    """

    sequences: list[Sequence]
    rejections: list[Rejection]
    num_truncated: int = 0
    remarks: Mapping[str, int] = MappingProxyType({})


class Representation(abc.ABC):
    """How a piece becomes tokens and back. Instances are frozen dataclasses, whose fields are its options.

    A representation may only reject: which pieces there are, and the side that each is on, is decided before.

    Attributes:
      name: what the command line calls it.
      unit: what one token stands for: "step", "character", "token".
      has_symbols: whether tokens are symbols that a fitted vocabulary numbers; else they are numbers already.
      reads_text: whether it looks at what a piece was written as.
      carries_tunes: whether its sequences carry all of a tune that `etude.models.abc.exact` lets through.
      default_transpositions: semitones by which training sequences are moved unless something else is asked for.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = "token"
    has_symbols: ClassVar[bool] = True
    reads_text: ClassVar[bool] = False
    carries_tunes: ClassVar[bool] = False
    default_transpositions: ClassVar[tuple[int, ...]] = (0,)

    @property
    def covers(self) -> str:
        """What of a piece its sequences cover, with its options, such as "tune"; empty if they compare with no other's.

        Models of representations that cover the same are compared by what whole pieces cost them.
        """
        return ""

    @property
    def fixed_symbols(self) -> tuple[str, ...]:
        """What its tokens are written as, where they are numbers already and each has a sign; empty if they have none."""
        return ()

    def whole(self) -> "Representation":
        """The same without limits of length, for pieces that are scored or continued."""
        return self

    @abc.abstractmethod
    def extract(self, piece: Piece) -> Extracted:
        """The sequences of a piece. The same piece gives the same; a strange piece is a rejection, no error."""

    @abc.abstractmethod
    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> Any:
        """What a sequence of tokens stands for: a text, or the events of a melody."""

    def fit(self, counts: Mapping[str, int]) -> Vocabulary | None:
        """The vocabulary for the symbols of the train split; None if tokens are numbers already.

        Args:
          counts: how often each symbol occurs in train; empty if tokens are numbers already.
        """
        return Vocabulary.fitted(counts) if counts else None

    def transposed(self, sequence: Sequence, semitones: int) -> Sequence | None:
        """A copy in another key, or None if a note would leave the range.

        Raises:
          UsageError: if the representation cannot be transposed.
        """
        raise UsageError(f"--transpose: sequences of {self.name} cannot be transposed")

    def encode(self, sequence: Sequence) -> bytes:
        """The SequenceExample that stores a sequence whose tokens are numbers; the same bytes every time."""
        tokens = np.asarray(sequence.tokens)
        return encode_sequence(tokens, sequence.id, sequence.source, sequence.attributes, sequence.columns)

    def decode(self, record: bytes) -> Sequence:
        """The sequence that `encode` stored.

        Raises:
          ValueError: if the record is none.
        """
        return Sequence(*decode_sequence(record))

    def content(self, sequence: Sequence) -> bytes:
        """16 bytes that two sequences share if they are copies."""
        return hashlib.sha256(repr(_plain(sequence)).encode()).digest()[:16]

    def digest(self, sequence: Sequence) -> bytes:
        """SHA-256 over what is stored of a sequence apart from names."""
        stored: list[Any] = [_plain(sequence), sorted(sequence.attributes.items())]
        stored += [(name, values.tolist()) for name, values in sorted(sequence.columns.items())]
        return hashlib.sha256(repr(tuple(stored)).encode()).digest()

    def run_numbers(self, sequence: Sequence) -> npt.NDArray[np.uint64]:
        """A sequence as the numbers by whose runs two sets are compared: one for each token."""
        if isinstance(sequence.tokens, tuple):
            digests = (hashlib.sha256(symbol.encode()).digest() for symbol in sequence.tokens)
            return np.array([int.from_bytes(digest[:8], "big") for digest in digests], np.uint64)
        return sequence.tokens.astype(np.uint64)

    def num_notes(self, sequence: Sequence) -> int:
        """Notes of a sequence, as far as the representation can tell; 0 if it cannot.

        The attribute `num_notes` that `extract` may give a sequence also makes bits a note of its figures.
        """
        return sequence.attributes.get("num_notes", 0)

    def options(self) -> dict[str, str]:
        """Its options, by name, each as JSON."""
        names: list[str] = [field.name for field in dataclasses.fields(self)] if dataclasses.is_dataclass(self) else []
        return {name: json.dumps(getattr(self, name)) for name in names}

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "Representation":
        """The representation with options that `options` gave; a value that is no JSON is a word.

        Raises:
          EtudeError: if it has no such options.
        """
        try:
            return cls(**{name: _value(value) for name, value in options.items()})
        except (TypeError, ValueError) as error:
            raise EtudeError(
                f"the representation {cls.name} cannot have the options {dict(options)}: {error}"
            ) from error


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _plain(sequence: Sequence) -> list[Any]:
    return list(sequence.tokens) if isinstance(sequence.tokens, tuple) else sequence.tokens.tolist()

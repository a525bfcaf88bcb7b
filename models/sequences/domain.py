"""Which sequences a model knows."""

import abc
import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from etude.models.errors import UsageError
from etude.models.sequences.batch import Tokens
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.notes import NO_NOTES, Notes
from etude.models.sequences.rules import Rules
from etude.models.sequences.sequence_set import SequenceSet

MELODY = "melody"
"""The representation whose tokens are events."""

LEAD_SHEET = "lead_sheet"
"""The representation of melodies that have a chord under every step."""

MELODIC = (MELODY, LEAD_SHEET)
"""The representations whose sequences are melodies: what reads melodies can read them."""

Known = TypeVar("Known", bound=SequenceSet)

Columns = Mapping[str, Tokens]

START, END, UNKNOWN = "<start>", "<end>", "<unknown>"
"""Symbols of vocabularies that stand for no text."""


class TuneSpan(NamedTuple):
    """Where the notes of a tune lie among its tokens.

    Attributes:
      first: the token after the first note's pitch; metre, key and that pitch stand before it.
      last: the token after the pitch of the last note; its length and the end follow.
      num_notes: notes after the first.
    """

    first: int
    last: int
    num_notes: int


class Domain(abc.ABC):
    """The sequences that a model knows, and how others are brought among them.

    Likelihoods are comparable within one domain only; domains that are the same are equal.

    Attributes:
      noun: what a sequence of the domain is called.
      unit: what one of its tokens stands for.
      suffix: of a file that holds one.
      has_notes: whether sequences are notes, which can be played; else they are text.
      are_drums: whether the notes are drums.
      restarts: whether generation may begin anew after a primer, and is given the primer's notes step by step.
    """

    noun: ClassVar[str] = "sequence"
    suffix: ClassVar[str] = "txt"
    has_notes: ClassVar[bool] = False
    are_drums: ClassVar[bool] = False
    restarts: ClassVar[bool] = False
    unit: str = "step"

    @property
    def plural(self) -> str:
        """What several sequences of the domain are called."""
        return f"{self.noun[:-1]}ies" if self.noun.endswith("y") else f"{self.noun}s"

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """In words, for reports: the same for equal domains only."""

    @property
    @abc.abstractmethod
    def default_primer(self) -> Tokens:
        """What a generated sequence starts with unless something else is given: at least one token."""

    @abc.abstractmethod
    def parse(self, given: Any) -> Tokens:
        """The tokens of a sequence that a user gave.

        Raises:
          ValueError: if it is none; the message says why.
        """

    def parse_whole(self, text: str) -> Tokens:
        """The tokens of a whole sequence that is written as text, with its end if it has one.

        Raises:
          ValueError: if it is none; the message says why.
        """
        return self.parse(text)

    @abc.abstractmethod
    def render(self, tokens: Tokens) -> str | None:
        """A sequence as text; None where it has no text."""

    def notes(self, tokens: Tokens) -> Notes:
        """The notes that a sequence stands for; none where it is text."""
        return NO_NOTES

    @property
    def step_lengths(self) -> Tokens | None:
        """By how many steps each token moves on, [num_tokens]; None where every token is a step, or there are none."""
        return None

    @property
    def filler(self) -> int:
        """What stands after a sequence that has all its steps, where `step_lengths` tells them."""
        return 0

    def num_steps(self, tokens: Tokens) -> int:
        """How many steps a sequence lasts."""
        return len(tokens)

    def num_given_steps(self, tokens: Tokens) -> int:
        """In how many first steps of a sequence the notes of a primer begin, and none of what follows."""
        return self.num_steps(tokens)

    def first_steps(self, tokens: Tokens, number: int) -> Tokens:
        """The tokens of the first steps of a sequence."""
        return tokens[:number]

    def continued_form(self, tokens: Tokens) -> Tokens:
        """A sequence as it can be gone on from."""
        return tokens

    def notes_by_step(self, tokens: Tokens) -> list[list[int]]:
        """The tokens of the notes of each whole step, where generation `restarts`."""
        return []

    def tokens_of(self, notes: Notes, num_steps: int) -> Tokens:
        """The tokens of notes in so many steps, as a primer, where sequences are notes.

        Raises:
          ValueError: if the domain has no such tokens.
        """
        raise ValueError(f"notes are no {self.noun}")

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """The tokens that end a sequence, one after the other; none where sequences have no end of their own."""
        return ()

    @property
    def bar_rules(self) -> Rules | None:
        """What may follow in a sequence so that its bars are complete in the end; None where tokens do not tell."""
        return None

    def symbol(self, token: int) -> str:
        """What one token is called."""
        return str(token)

    def features(self, tokens: Tokens, attributes: Mapping[str, int]) -> Mapping[str, npt.NDArray[np.float64]]:
        """What the music has at each token of a sequence, for what units of a network are held against.

        Args:
          tokens: [steps].
          attributes: of the sequence.

        Returns:
          Numbers by the name of what they tell, [steps] each; NaN where there is no such thing.
        """
        return {}

    def tune_span(self, tokens: Tokens, attributes: Mapping[str, int]) -> TuneSpan | None:
        """Where the notes of a tune lie; None of a sequence that is no tune, or has a symbol that is unknown.

        Args:
          tokens: of a tune that `etude.models.abc.exact` let through.
          attributes: of the sequence.
        """
        return None

    def breakdowns(self, sequences: SequenceSet) -> Sequence[Breakdown]:
        """How reports divide the steps of sequences, besides the divisions that all sequences have."""
        return ()

    def enter(self, tokens: Tokens) -> tuple[Tokens, int]:
        """A sequence as the model knows it, and by how many semitones it was transposed."""
        return tokens, 0

    def enter_all(self, sequences: Known) -> Known:
        """Many sequences as the model knows them."""
        return sequences.map(lambda tokens: self.enter(tokens)[0])

    def enter_columns(self, columns: Columns, semitones: int) -> Columns:
        """What is known of each token of a sequence that `enter` transposed by so many semitones."""
        return columns

    def complete_columns(self, columns: Columns, num_steps: int) -> Columns:
        """What is known of each of so many steps, where a user gave some of it.

        Raises:
          ValueError: if it is of fewer steps; the message says so.
        """
        return {}

    def parse_columns(self, given: Any) -> Columns:
        """What a user gave of each token of a sequence besides it, which `parse` leaves out: [steps] by name."""
        return {}

    def leave(self, tokens: Tokens, semitones: int) -> Tokens:
        """The way back from `enter`."""
        return tokens

    def canonical(self, tokens: Tokens) -> Tokens:
        """A sequence in the one form that it is stored in; of the same length."""
        return tokens


def parse_given(domain: Domain, given: Any, what: str) -> Tokens:
    """The tokens of a sequence that a user gave, with the error that users are given.

    Args:
      domain: of the sequence.
      given: as `Domain.parse` takes it.
      what: how to call it in the message, such as "the primer".

    Raises:
      UsageError: if it is none.
    """
    try:
        return domain.parse(given)
    except (OverflowError, TypeError, ValueError) as error:
        raise UsageError(f"{what} is not a {domain.noun}: {error}") from error


@dataclasses.dataclass(frozen=True)
class VocabularyDomain(Domain):
    """All sequences over a vocabulary.

    Attributes:
      representation: whose tokens they are.
      symbols: of the tokens, by number.
      start: the token that sequences start with.
      separator: between the symbols of a text.
      marks: tokens that the text leaves out.
      end: the token that sequences end with; None where they have no end of their own.
      unit: what a token stands for.
    """

    representation: str
    symbols: tuple[str, ...]
    start: int = 0
    separator: str = ""
    marks: tuple[int, ...] = ()
    end: int | None = None
    unit: str = "token"

    @property
    def name(self) -> str:
        """See base class."""
        return f"{self.representation}, {len(self.symbols)} tokens"

    @property
    def default_primer(self) -> Tokens:
        """See base class."""
        return np.array([self.start])

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """See base class."""
        return () if self.end is None else (self.end,)

    def parse(self, given: Any) -> Tokens:
        """A list of tokens' numbers or symbols; or a text whose symbols are single characters or are separated.

        A text does not write the mark that sequences start with, so it is put before it.
        """
        return self._started(given, -1) if isinstance(given, str) else self._tokens(given, -1)

    def parse_whole(self, text: str) -> Tokens:
        """See base class; symbols that are not in the vocabulary become its unknown."""
        tokens = self._started(text, self._numbers.get(UNKNOWN, -1))
        return tokens if self.end is None else np.append(tokens, self.end)

    def symbol(self, token: int) -> str:
        """See base class."""
        return self.symbols[token]

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    def _started(self, text: str, unknown: int) -> Tokens:
        symbols = text.split(self.separator) if self.separator else list(text)
        tokens = self._tokens(symbols, unknown)
        return np.concatenate([[self.start], tokens]) if self.start in self.marks else tokens

    def _tokens(self, given: Iterable[Any], unknown: int) -> Tokens:
        tokens = []
        for item in given:
            token = self._numbers.get(item, unknown) if isinstance(item, str) else int(item)
            if not 0 <= token < len(self.symbols):
                raise ValueError(f"{item!r} is not in the vocabulary of {len(self.symbols)} tokens")
            tokens.append(token)
        return np.array(tokens, dtype=np.int64)

    def render(self, tokens: Tokens) -> str | None:
        """See base class."""
        return self.separator.join(self.symbols[token] for token in tokens.tolist() if token not in self.marks)

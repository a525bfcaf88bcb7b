"""Tunes as folk-rnn's tokens."""

import dataclasses
import json
from typing import ClassVar

import numpy as np

from etude.models.abc.problems import AbcError
from etude.models.abc.tokens import text_of, tokenise
from etude.models.configuration import Configuration, domain_of
from etude.models.sequences.batch import Tokens
from etude.models.sequences.domain import UNKNOWN, VocabularyDomain


@dataclasses.dataclass(frozen=True)
class TokenDomain(VocabularyDomain):
    """Tunes as folk-rnn's tokens.

    Attributes:
      into_c: whether tunes are written into C.
    """

    noun: ClassVar[str] = "tune"
    suffix: ClassVar[str] = "abc"
    into_c: bool = False

    @classmethod
    def of(cls, configuration: Configuration) -> "TokenDomain":
        """The domain of a configuration."""
        plain = domain_of(configuration)
        values = {field.name: getattr(plain, field.name) for field in dataclasses.fields(VocabularyDomain)}
        into_c = json.loads(configuration.representation_options.get("key", '"C"')) == "C"
        return cls(**values, into_c=into_c)

    def _started(self, text: str, unknown: int) -> Tokens:
        """The tokens of ABC, or of tokens with spaces between them, as folk-rnn writes them."""
        words = text.split()
        if not all(word in self._numbers for word in words):
            try:
                words = tokenise(text, self.into_c)
            except AbcError as error:
                raise ValueError(f"it is neither ABC nor a list of tokens: {error.message}") from error
        return np.concatenate([[self.start], self._tokens(words, unknown)])

    def render(self, tokens: Tokens) -> str:
        """See base class; an unknown token is `?`, which ABC reserves."""
        symbols = (self.symbols[token] for token in tokens.tolist() if token not in self.marks)
        return text_of("?" if symbol == UNKNOWN else symbol for symbol in symbols)

"""Tunes as folk-rnn's tokens."""

import dataclasses
import functools
import json

import numpy as np

from etude.models.abc.features import Features, sign_features
from etude.models.abc.problems import AbcError
from etude.models.abc.rules import TokenRules
from etude.models.abc.tokens import text_of, tokenise
from etude.models.abc.tune_domain import TuneDomain
from etude.models.configuration import Configuration, vocabulary_domain
from etude.models.melodies.quantisation import UnusableError
from etude.models.sequences.batch import Tokens


@dataclasses.dataclass(frozen=True)
class TokenDomain(TuneDomain):
    """Tunes as folk-rnn's tokens.

    Attributes:
      into_c: whether tunes are written into C.
    """

    into_c: bool = False

    @classmethod
    def of(cls, configuration: Configuration) -> "TokenDomain":
        """The domain of a configuration."""
        key = json.loads(configuration.representation_options.get("key", '"C"'))
        return vocabulary_domain(configuration, cls, into_c=key == "C")

    @functools.cached_property
    def bar_rules(self) -> TokenRules:
        """See base class."""
        return TokenRules(self.symbols)

    def _started(self, text: str, unknown: int) -> Tokens:
        """The tokens of ABC, or of tokens with spaces between them, as folk-rnn writes them."""
        words = text.split()
        if not all(word in self._numbers for word in words):
            try:
                words = tokenise(text, self.into_c)
            except (AbcError, UnusableError) as error:
                raise ValueError(f"it is neither ABC with tokens nor a list of tokens: {error}") from error
        return np.concatenate([[self.start], self._tokens(words, unknown)])

    def _features(self, signs: list[str], num_header: int) -> Features:
        """See base class."""
        return sign_features(signs, num_header)

    def render(self, tokens: Tokens) -> str:
        """See base class; an unknown token is `?`, which ABC reserves."""
        return text_of(self._signs(tokens))

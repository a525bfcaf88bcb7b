"""Tunes as characters."""

import dataclasses
import functools

import numpy as np

from etude.models.abc.features import Features, text_features
from etude.models.abc.rules import CharacterRules
from etude.models.abc.tune_domain import TuneDomain
from etude.models.configuration import Configuration, vocabulary_domain
from etude.models.sequences.batch import Tokens
from etude.models.sequences.domain import END, START

START_TEXT, END_TEXT = f"{START}\n", f"{END}\n"
"""The marks where they are text."""

SPACE = " "


@dataclasses.dataclass(frozen=True)
class CharacterDomain(TuneDomain):
    """Tunes as characters; the marks are tokens, or text where they are not in the vocabulary."""

    @classmethod
    def of(cls, configuration: Configuration) -> "CharacterDomain":
        """The domain of a configuration."""
        return vocabulary_domain(configuration, cls)

    @property
    def has_text_marks(self) -> bool:
        """Whether the marks are text."""
        return START not in self.symbols

    @property
    def default_primer(self) -> Tokens:
        """See base class."""
        return self._tokens(START_TEXT, -1) if self.has_text_marks else np.array([self.start])

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """See base class."""
        # Without all its characters, the mark is never written.
        is_text = self.has_text_marks and set(END_TEXT) <= set(self.symbols)
        return tuple(self._tokens(END_TEXT, -1).tolist()) if is_text else super().end_tokens

    @functools.cached_property
    def bar_rules(self) -> CharacterRules:
        """See base class."""
        return CharacterRules(self.symbols, *((START_TEXT, END_TEXT) if self.has_text_marks else ([START], [END])))

    def parse_whole(self, text: str) -> Tokens:
        """See base class."""
        return super().parse_whole(text + END_TEXT if self.has_text_marks else text)

    def render(self, tokens: Tokens) -> str:
        """See base class; an unknown character is `?`, which ABC reserves."""
        text = "".join(self._signs(tokens))
        return text.removeprefix(START_TEXT).removesuffix(END_TEXT) if self.has_text_marks else text

    def _features(self, signs: list[str], num_header: int) -> Features:
        """See base class."""
        # A mark that is one token is as long as a character here.
        text = "".join(sign or SPACE for sign in signs)
        if self.has_text_marks and text.endswith(END_TEXT):
            text = text.removesuffix(END_TEXT) + SPACE * len(END_TEXT)
        return text_features(text, num_header)

    def _started(self, text: str, unknown: int) -> Tokens:
        return self._tokens([*(START_TEXT if self.has_text_marks else [START]), *text], unknown)

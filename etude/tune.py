"""Tunes as text that know how they look and sound."""

import dataclasses
import functools
import html
import pathlib
from typing import TYPE_CHECKING

from etude.models.errors import EtudeError
from etude.models.generation import GeneratedSequence
from etude.pipelines.rendering.music import Music
from etude.playable import Playable, written

if TYPE_CHECKING:
    from etude.models.abc.validity import Validity


@dataclasses.dataclass(frozen=True, repr=False)
class Tune(Playable, GeneratedSequence):
    """A generated tune: its text and likelihoods; and, where the text can be read, its notes, repeats played out.

    >>> print(tune.text, tune.validity.bars)  # doctest: +SKIP

    Attributes:
      title: of pictures and scores.
    """

    title: str = dataclasses.field(kw_only=True)

    @functools.cached_property
    def validity(self) -> "Validity":
        """How far the text is valid ABC."""
        from etude.models.abc.validity import validity

        return validity(self.text or "")

    @functools.cached_property
    def music(self) -> Music:  # type: ignore[override]
        """Its notes, with tempo, metre and key.

        Raises:
          EtudeError: if the text cannot be read; the message says why.
        """
        from etude.models.abc.problems import AbcError
        from etude.models.abc.reading import read_text
        from etude.pipelines.rendering.tunes import tune_music

        try:
            return tune_music(read_text(self.text or ""))
        except AbcError as error:
            raise EtudeError(f"{self.title} cannot be played: {error.message}") from error

    def to_abc(self, path: str | pathlib.Path | None = None) -> str:
        """The text as the model wrote it, whether it can be read or not."""
        return written((self.text or "").encode(), path).decode()

    def _repr_html_(self) -> str:
        """What a notebook shows: the text, and picture and sound where it can be read."""
        text = f"<pre>{html.escape(self.text or '')}</pre>"
        return super()._repr_html_() + text if self.validity.parses else text

    def _description(self) -> str:
        problem = f", {self.validity.problem}" if self.validity.problem else ""
        return f"{self.title}: {len(self.tokens)} tokens, log-likelihood {self.log_likelihood:.2f}{problem}"

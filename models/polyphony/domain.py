"""Polyphony: several notes at once."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration, vocabulary_domain
from etude.models.melodies.features import Features, grid_features
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, STEPS_PER_BAR, STEPS_PER_QUARTER
from etude.models.polyphony import events
from etude.models.polyphony.extraction import tokens_of_notes
from etude.models.sequences.batch import Batch, Tokens
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import VocabularyDomain
from etude.models.sequences.notes import Notes
from etude.models.sequences.sequence_set import SequenceSet

_KINDS = ("end of a step", "new note", "note that goes on", "end of the piece")
_MOST_NOTES = 5


@dataclasses.dataclass(frozen=True)
class PolyphonyDomain(VocabularyDomain):
    """Sequences of polyphony."""

    noun: ClassVar[str] = "polyphonic sequence"
    suffix: ClassVar[str] = "mid"
    has_notes: ClassVar[bool] = True
    restarts: ClassVar[bool] = True

    @classmethod
    def of(cls, configuration: Configuration) -> "PolyphonyDomain":
        """The domain of a configuration."""
        return vocabulary_domain(configuration, cls)

    def parse(self, given: Any) -> Tokens:
        """See base class: a list of Magenta's events, `[[0, None], [3, 60], [2, None]]`; tokens as numbers will do."""
        if isinstance(given, str):
            return super().parse(given)
        items = list(given)
        if all(isinstance(item, int | np.integer | str) for item in items):
            return self._tokens(items, -1)
        return events.tokens_of(items)

    def render(self, tokens: Tokens) -> None:
        """Polyphony is written as MIDI, not as text."""

    def notes(self, tokens: Tokens) -> Notes:
        """See base class."""
        return events.notes_of(tokens)

    @property
    def filler(self) -> int:
        """See base class."""
        return events.END

    @functools.cached_property
    def step_lengths(self) -> Tokens:
        """See base class: one at the end of a step."""
        return (np.arange(events.NUM_TOKENS) == events.STEP_END).astype(np.int64)

    def num_steps(self, tokens: Tokens) -> int:
        """See base class."""
        return events.num_steps(tokens)

    def continued_form(self, tokens: Tokens) -> Tokens:
        """See base class: without its end, its last step whole."""
        return events.continued_form(tokens)

    def tokens_of(self, notes: Notes, num_steps: int) -> Tokens:
        """See base class."""
        return tokens_of_notes(notes, num_steps)

    def notes_by_step(self, tokens: Tokens) -> list[list[int]]:
        """See base class."""
        return events.steps_of(tokens)

    def first_steps(self, tokens: Tokens, number: int) -> Tokens:
        """See base class."""
        ends = np.flatnonzero(tokens == events.STEP_END)
        return tokens if number > len(ends) else tokens[: ends[number - 1] + 1 if number else 1]

    def features(self, tokens: Tokens, attributes: Mapping[str, int]) -> Features:
        """See base class: the place of its step in the bar, its kind and its pitch."""
        quarter = attributes.get(STEPS_PER_QUARTER, DEFAULT_STEPS_PER_QUARTER)
        ends, pitches = tokens == events.STEP_END, events.pitches_of(tokens)
        return {
            **grid_features(np.cumsum(ends) - ends, attributes.get(STEPS_PER_BAR, 4 * quarter), quarter),
            "end of a step": ends.astype(np.float64),
            "new note": events.is_note(tokens).astype(np.float64),
            "note that goes on": (tokens >= events.CONTINUED).astype(np.float64),
            "pitch": np.where(pitches >= 0, pitches, np.nan),
        }

    def breakdowns(self, sequences: SequenceSet) -> Sequence[Breakdown]:
        """See base class: kinds of events, and how many notes sound at the step."""
        names = (*map(str, range(_MOST_NOTES)), f"{_MOST_NOTES} or more")
        return (
            Breakdown("event", "Kind of the true event", _KINDS, _kind),
            Breakdown("notes_a_step", "Notes that sound at the step", names, _notes_of_step),
        )


def _kind(batch: Batch) -> npt.NDArray[np.int64]:
    tokens = batch.tokens[:, 1:]
    kinds = np.where(tokens < events.CONTINUED, 1, 2)
    return np.where(tokens >= events.NEW, kinds, np.array([-1, 3, 0])[np.minimum(tokens, events.STEP_END)])


def _notes_of_step(batch: Batch) -> npt.NDArray[np.int64]:
    tokens = batch.tokens
    is_end = tokens == events.STEP_END
    step = np.cumsum(is_end, axis=1) - is_end
    cells = np.arange(len(tokens))[:, None] * tokens.shape[1] + step
    counts = np.bincount(cells.ravel(), weights=(tokens >= events.NEW).ravel(), minlength=tokens.size)
    return np.minimum(counts[cells].astype(np.int64), _MOST_NOTES)[:, 1:]

"""Pieces for a keyboard: several notes at once."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration, vocabulary_domain
from etude.models.melodies.features import Features, grid_features
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, STEPS_PER_BAR, STEPS_PER_QUARTER
from etude.models.notes_and_chords.forms import Form, Musical, form_of
from etude.models.notes_and_chords.keyboard import keyboard_notes
from etude.models.sequences.batch import Batch, Tokens
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import VocabularyDomain
from etude.models.sequences.notes import Notes
from etude.models.sequences.sequence_set import SequenceSet

_DEFAULT_FORM = Musical(DEFAULT_STEPS_PER_QUARTER)


@dataclasses.dataclass(frozen=True)
class KeyboardDomain(VocabularyDomain):
    """Pieces for a keyboard, in words of one form.

    Attributes:
      form: how notes are written.
    """

    noun: ClassVar[str] = "keyboard piece"
    suffix: ClassVar[str] = "mid"
    has_notes: ClassVar[bool] = True

    form: Form = _DEFAULT_FORM

    @classmethod
    def of(cls, configuration: Configuration) -> "KeyboardDomain":
        """The domain of a configuration."""
        return vocabulary_domain(configuration, cls, form=form_of(configuration))

    @property
    def filler(self) -> int:
        """See base class."""
        return self.start if self.end is None else self.end

    @functools.cached_property
    def step_lengths(self) -> Tokens:
        """See base class."""
        return np.array([self.form.offset_of(symbol) for symbol in self.symbols], np.int64)

    def parse(self, given: Any) -> Tokens:
        """See base class: words in a text or a list; tokens as numbers will do. The start is put before them."""
        tokens = super().parse(given)
        return tokens if len(tokens) and tokens[0] == self.start else np.concatenate([[self.start], tokens])

    def render(self, tokens: Tokens) -> None:
        """Pieces are written as MIDI, not as text."""

    def notes(self, tokens: Tokens) -> Notes:
        """See base class."""
        return self.form.notes_of(self._words(tokens))

    def num_steps(self, tokens: Tokens) -> int:
        """See base class: up to the end of the last note."""
        notes = self.notes(tokens)
        return max(int((notes.onsets + notes.durations).max(initial=0)), self._onset(tokens))

    def num_given_steps(self, tokens: Tokens) -> int:
        """See base class: up to the last onset, since what follows may begin while its note sounds on."""
        return int(self.notes(tokens).onsets.max(initial=-1)) + 1

    def first_steps(self, tokens: Tokens, number: int) -> Tokens:
        """See base class."""
        lengths = self.step_lengths[tokens]
        after = np.cumsum(lengths) - (lengths if self.form.moves_after else 0) >= number
        return tokens[: int(after.argmax()) if after.any() else len(tokens)]

    def continued_form(self, tokens: Tokens) -> Tokens:
        """See base class: with its start, without its end."""
        ends = np.flatnonzero(tokens == self.end)
        kept = tokens[: ends[0]] if len(ends) else tokens
        return kept if len(kept) and kept[0] == self.start else np.concatenate([[self.start], kept])

    def tokens_of(self, notes: Notes, num_steps: int) -> Tokens:
        """See base class.

        Raises:
          ValueError: if a word of them is not in the vocabulary, which has those of the training pieces.
        """
        played = keyboard_notes(notes.onsets, notes.pitches, notes.onsets + notes.durations, notes.velocities)
        loud = np.full_like(played.onsets, 100) if played.velocities is None else played.velocities
        return self._started(self.separator.join(self.form.words_of(played._replace(velocities=loud))), -1)

    def features(self, tokens: Tokens, attributes: Mapping[str, int]) -> Features:
        """See base class: the place in the bar, and what kind of word it is."""
        quarter = attributes.get(STEPS_PER_QUARTER, DEFAULT_STEPS_PER_QUARTER)
        steps = np.cumsum(self.step_lengths[tokens])
        kinds = self._kinds[tokens]
        return {
            **grid_features(steps, attributes.get(STEPS_PER_BAR, 4 * quarter), quarter),
            **{name: (kinds == number).astype(np.float64) for number, name in enumerate(self._kind_names)},
        }

    def breakdowns(self, sequences: SequenceSet) -> Sequence[Breakdown]:
        """See base class: kinds of words."""

        def kind(batch: Batch) -> npt.NDArray[np.int64]:
            return self._kinds[batch.tokens[:, 1:]]

        return (Breakdown("word", "Kind of the true word", self._kind_names, kind),)

    @functools.cached_property
    def _kind_names(self) -> tuple[str, ...]:
        return (*dict.fromkeys(filter(None, map(self.form.kind_of, self.symbols))), "end of the piece")

    @functools.cached_property
    def _kinds(self) -> Tokens:
        names = {name: number for number, name in enumerate(self._kind_names)}
        kinds = np.array([names.get(self.form.kind_of(symbol), -1) for symbol in self.symbols], np.int64)
        if self.end is not None:
            kinds[self.end] = len(self._kind_names) - 1
        return kinds

    def _words(self, tokens: Tokens) -> list[str]:
        return [self.symbols[token] for token in tokens.tolist()]

    def _onset(self, tokens: Tokens) -> int:
        return int(self.step_lengths[tokens].sum())

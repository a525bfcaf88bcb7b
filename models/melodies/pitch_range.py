"""The key and range that a model knows melodies in."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from etude.models.melodies.features import Features, melody_features
from etude.models.melodies.melody import (
    DEFAULT_STEPS_PER_QUARTER,
    MIN_PITCH,
    NO_EVENT,
    STEPS_PER_BAR,
    STEPS_PER_QUARTER,
    Events,
    as_events,
    squash,
    transpose,
)
from etude.models.melodies.notes import notes_of
from etude.models.melodies.pitches import pitch_name
from etude.models.sequences.domain import Domain, TuneSpan
from etude.models.sequences.notes import Notes


@dataclasses.dataclass(frozen=True)
class PitchRange(Domain):
    """Melodies in a key and range. Likelihoods are comparable within one pitch range only.

    Attributes:
      min_note: lowest pitch.
      max_note: the pitch above the highest.
      transpose_to_key: the major key; None where melodies keep theirs.
    """

    noun: ClassVar[str] = "melody"
    suffix: ClassVar[str] = "mid"
    has_notes: ClassVar[bool] = True

    min_note: int
    max_note: int
    transpose_to_key: int | None

    @property
    def name(self) -> str:
        """See base class."""
        key = "own key" if self.transpose_to_key is None else f"key {self.transpose_to_key}"
        return f"pitches {self.min_note} to {self.max_note - 1}, {key}"

    @property
    def default_primer(self) -> Events:
        """A single middle C, Magenta's default."""
        return np.array([60])

    def parse(self, given: Any) -> Events:
        """See base class: a list of events in [-2, 127]."""
        return as_events(given)

    def render(self, tokens: Events) -> None:
        """Melodies are written as MIDI, not as text."""

    def notes(self, tokens: Events) -> Notes:
        """See base class. A note ends at the next note-on or note-off, or with the melody."""
        return notes_of(tokens)

    def symbol(self, token: int) -> str:
        """See base class."""
        return pitch_name(token) if token >= MIN_PITCH else "no event" if token == NO_EVENT else "note-off"

    def features(self, tokens: Events, attributes: Mapping[str, int]) -> Features:
        """See base class."""
        steps_per_quarter = attributes.get(STEPS_PER_QUARTER, DEFAULT_STEPS_PER_QUARTER)
        return melody_features(tokens, attributes.get(STEPS_PER_BAR, 4 * steps_per_quarter), steps_per_quarter)

    def enter(self, tokens: Events) -> tuple[Events, int]:
        """See base class. Source: Magenta squashes every melody before it is encoded."""
        return squash(tokens, self.min_note, self.max_note, self.transpose_to_key)

    def leave(self, tokens: Events, semitones: int) -> Events:
        """See base class."""
        return transpose(tokens, -semitones)

    def tune_span(self, tokens: Events, attributes: Mapping[str, int]) -> TuneSpan | None:
        """See base class."""
        onsets = np.flatnonzero(tokens >= MIN_PITCH)
        return TuneSpan(int(onsets[0]) + 1, int(onsets[-1]) + 1, len(onsets) - 1) if len(onsets) > 1 else None

    def canonical(self, tokens: Events) -> Events:
        """After a start without a note a search may add note-offs; they are dropped, as wherever melodies are read."""
        return tokens if tokens[0] >= MIN_PITCH else as_events(tokens)

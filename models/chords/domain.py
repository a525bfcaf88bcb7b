"""Which melodies over chords a model knows."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from etude.models.chords.chord import CHORDS, QUALITIES, pitch_classes, qualities, transpose_chords
from etude.models.chords.figure import chord_numbers
from etude.models.melodies.melody import MIN_PITCH, PITCHES_PER_OCTAVE, Events, as_events
from etude.models.melodies.pitch_range import PitchRange
from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import Columns
from etude.models.sequences.sequence_set import SequenceSet, packed

Known = TypeVar("Known", bound=SequenceSet)


@dataclasses.dataclass(frozen=True)
class LeadSheetRange(PitchRange):
    """Melodies in a key and range, and the chord of each of their steps in that key.

    The chords are given, never predicted.
    """

    def parse(self, given: Any) -> Events:
        """A list of events in [-2, 127], or of pairs of an event and the figure of its chord."""
        if not _has_chords(given):
            return as_events(given)
        if not all(isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[1], str) for item in given):
            raise ValueError("it takes an event and a chord for each step, such as [60, 'Am7'], or events alone")
        return as_events([item[0] for item in given])

    def parse_columns(self, given: Any) -> Columns:
        """The chords of a list of pairs; of a list of events, none."""
        return {
            CHORDS: chord_numbers(item[1] for item in given) if _has_chords(given) else np.zeros(len(given), np.int64)
        }

    def enter_all(self, sequences: Known) -> Known:
        """See base class: chords move with the melody."""
        entered = [self.enter(sequences.tokens(index)) for index in range(len(sequences))]
        chords = [
            packed(transpose_chords(sequences.column(CHORDS, index), semitones))
            for index, (_, semitones) in enumerate(entered)
        ]
        nothing = np.zeros(0, np.int8)
        return dataclasses.replace(
            sequences,
            flat=np.concatenate([nothing, *(packed(events) for events, _ in entered)]),
            columns={**sequences.columns, CHORDS: np.concatenate([nothing, *chords])},
        )

    def enter_columns(self, columns: Columns, semitones: int) -> Columns:
        """See base class."""
        return {**columns, CHORDS: transpose_chords(columns[CHORDS], semitones)}

    def complete_columns(self, columns: Columns, num_steps: int) -> Columns:
        """See base class: without chords, there are none."""
        chords = columns.get(CHORDS, np.zeros(num_steps, np.int64))
        if len(chords) < num_steps:
            raise ValueError(f"there are chords for {len(chords)} steps of {num_steps}")
        return {CHORDS: chords[:num_steps]}

    def breakdowns(self, sequences: SequenceSet) -> Sequence[Breakdown]:
        """By the chord under a step, and by whether a note is one of its chord."""
        return (
            Breakdown("chord", "Chord under the step", ("no chord", *QUALITIES), chord_kind),
            Breakdown(
                "chord_tone",
                "Notes beside their chord",
                ("in the chord", "not in the chord", "without a chord"),
                chord_tone,
            ),
        )


def chord_kind(batch: Batch) -> Events:
    """The quality of the chord under each predicted step plus one; 0 where there is none."""
    return qualities(batch.attributes[CHORDS][:, 1:]) + 1


def chord_tone(batch: Batch) -> Events:
    """Whether each predicted note is in its chord (0), not in it (1), or has none (2); -1 where no note begins."""
    events, chords = batch.tokens[:, 1:], batch.attributes[CHORDS][:, 1:]
    is_in = np.take_along_axis(pitch_classes(chords), events[..., None] % PITCHES_PER_OCTAVE, axis=-1)[..., 0]
    kinds = np.where(chords == 0, 2, np.where(is_in, 0, 1))
    return np.where(events >= MIN_PITCH, kinds, -1)


def _has_chords(given: Any) -> bool:
    return len(given) > 0 and isinstance(given[0], list | tuple)

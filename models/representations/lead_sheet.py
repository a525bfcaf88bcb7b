"""Melodies over chords, as Improv RNN has them: the events of a melody, and beside each the chord under it."""

import collections
import dataclasses
import hashlib
from collections.abc import Sequence as Collection
from typing import ClassVar

import numpy as np

from etude.models.chords.chord import CHORDS, NONE, OTHER, qualities, transpose_chords
from etude.models.chords.figure import chord_numbers, read_figure
from etude.models.chords.inference import inferred_progressions
from etude.models.chords.progression import CoincidentChordsError, Progression, has_chords, progressions
from etude.models.melodies.extraction import ExtractedMelody, Rejection, extract
from etude.models.melodies.melody import Melody, transpose
from etude.models.melodies.quantisation import split_at_time_changes
from etude.models.representations.melody import MelodyRepresentation
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted
from etude.models.representations.sequence import Sequence
from etude.models.sequences.domain import LEAD_SHEET
from etude.models.storage.sequence_examples import context_integers, encode_melody

INFERRED = "chords_inferred"
"""The attribute of a lead sheet that is 1 where its chords were inferred from its piece's notes."""


@dataclasses.dataclass(frozen=True)
class LeadSheetRepresentation(MelodyRepresentation):
    """Melodies with a chord under every step, extracted as Magenta does.

    A chord that some encodings do not know costs nothing: they see the triad of its root.

    Attributes:
      require_chords: whether melodies without any chord are rejected.
      infer_chords: whether a piece without chord symbols is given chords that are inferred from its notes.
    """

    name: ClassVar[str] = LEAD_SHEET
    carries_tunes: ClassVar[bool] = False
    default_transpositions: ClassVar[tuple[int, ...]] = tuple(range(-6, 6))

    min_unique_pitches: int = 3
    require_chords: bool = True
    infer_chords: bool = True

    def extract(self, piece: Piece) -> Extracted:
        """The melodies of every track that have chords."""
        extraction = extract(piece.sequence, self, piece.columns)
        if not extraction.melodies:
            return Extracted([], extraction.rejections)
        is_inferred = self.infer_chords and not has_chords(piece.sequence)
        by_part = self._progressions(piece, is_inferred)
        rejections = list(extraction.rejections)
        seen: collections.Counter[int] = collections.Counter()
        remarks: collections.Counter[str] = collections.Counter()
        kept = []
        for melody in extraction.melodies:
            try:
                figures = by_part[melody.part].between(melody.start_step, melody.start_step + len(melody.events))
            except CoincidentChordsError as error:
                rejections.append(_rejection("coincident-chords", str(error), melody))
                continue
            chords = chord_numbers(figures)
            if self.require_chords and not (chords != NONE).any():
                rejections.append(_rejection("no-chords", "", melody))
                continue
            remarks += _remarks(figures, is_inferred)
            attributes = {
                "steps_per_quarter": self.steps_per_quarter,
                "steps_per_bar": melody.steps_per_bar,
                "transposition": 0,
                INFERRED: int(is_inferred),
            }
            place = f"{melody.instrument}:{seen[melody.instrument]}"
            seen[melody.instrument] += 1
            kept.append((melody, Sequence(melody.events, place, attributes=attributes, columns={CHORDS: chords})))
        num_truncated = sum(melody.full_length > len(melody.events) for melody, _ in kept)
        return Extracted([sequence for _, sequence in kept], rejections, num_truncated, dict(remarks))

    def _progressions(self, piece: Piece, is_inferred: bool) -> list[Progression]:
        if is_inferred:
            return list(inferred_progressions(piece.sequence, self.steps_per_quarter))
        parts = split_at_time_changes(piece.sequence, piece.columns)
        return list(progressions(piece.sequence, parts, self.steps_per_quarter))

    def transposed(self, sequence: Sequence, semitones: int) -> Sequence:
        """A copy in another key; notes that leave 0 to 127 come back by octaves, as in Magenta."""
        return dataclasses.replace(
            sequence,
            tokens=transpose(np.asarray(sequence.tokens, np.int64), semitones),
            id=f"{sequence.id}:{semitones:+d}",
            attributes={**sequence.attributes, "transposition": semitones},
            columns={CHORDS: transpose_chords(sequence.columns[CHORDS], semitones)},
        )

    def encode(self, sequence: Sequence) -> bytes:
        """As `encode_melody`, with the feature list `chords`, and whether they are inferred."""
        known = dict(sequence.attributes)
        is_inferred = known.pop(INFERRED, 0)
        melody = Melody(np.asarray(sequence.tokens), sequence.id, sequence.source, **known, columns=sequence.columns)
        return encode_melody(melody, {INFERRED: is_inferred})

    def decode(self, record: bytes) -> Sequence:
        """As `decode_melody`, with chords."""
        sequence = super().decode(record)
        is_inferred = context_integers(record).get(INFERRED, 0)
        return dataclasses.replace(sequence, attributes={**sequence.attributes, INFERRED: is_inferred})

    def digest(self, sequence: Sequence) -> bytes:
        """SHA-256 over the music, its chords and its grid."""
        chords = ",".join(map(str, sequence.columns[CHORDS].tolist()))
        return hashlib.sha256(super().digest(sequence) + chords.encode()).digest()


def _rejection(reason: str, detail: str, melody: ExtractedMelody) -> Rejection:
    return Rejection(reason, detail, melody.part, melody.instrument, melody.start_step)


def _remarks(figures: Collection[str], is_inferred: bool) -> collections.Counter[str]:
    """What is to be said of the chords of a lead sheet, each once."""
    found = {
        "chords-inferred": is_inferred,
        "chords-not-understood": not all(read_figure(figure).is_known for figure in figures),
        "chords-without-triad": bool((qualities(chord_numbers(set(figures))) == OTHER).any()),
    }
    return collections.Counter(name for name, is_so in found.items() if is_so)

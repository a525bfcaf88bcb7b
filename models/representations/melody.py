"""Melodies as Melody RNN has them: one token a step, a note-on, a note-off or nothing."""

import collections
import dataclasses
import hashlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.melodies.content import content_hash, interval_numbers
from etude.models.melodies.extraction import ExtractionOptions, extract
from etude.models.melodies.melody import MAX_PITCH, MIN_PITCH, Events, Melody
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted, Representation
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary
from etude.models.storage.sequence_examples import decode_melody, encode_melody

_ATTRIBUTES = ("steps_per_quarter", "steps_per_bar", "transposition")


@dataclasses.dataclass(frozen=True)
class MelodyRepresentation(ExtractionOptions, Representation):
    """Melodies, extracted exactly as Magenta does; the options are those of extraction."""

    name: ClassVar[str] = "melody"
    unit: ClassVar[str] = "step"
    has_symbols: ClassVar[bool] = False
    carries_tunes: ClassVar[bool] = True

    def extract(self, piece: Piece) -> Extracted:
        """The melodies of every track."""
        extraction = extract(piece.sequence, self, piece.columns)
        seen: collections.Counter[int] = collections.Counter()
        sequences = []
        for melody in extraction.melodies:
            attributes = dict(zip(_ATTRIBUTES, (self.steps_per_quarter, melody.steps_per_bar, 0), strict=True))
            place = f"{melody.instrument}:{seen[melody.instrument]}"
            sequences.append(Sequence(melody.events, place, attributes=attributes))
            seen[melody.instrument] += 1
        num_truncated = sum(melody.full_length > len(melody.events) for melody in extraction.melodies)
        return Extracted(sequences, extraction.rejections, num_truncated)

    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> list[int]:
        """The events."""
        return tokens.tolist()

    def fit(self, counts: Mapping[str, int]) -> None:
        """Events are numbers already."""

    def transposed(self, sequence: Sequence, semitones: int) -> Sequence | None:
        """A copy in another key, or None if that takes a note out of 0 to 127."""
        events = _events(sequence)
        moved = events[events >= MIN_PITCH] + semitones
        if ((moved < MIN_PITCH) | (moved > MAX_PITCH)).any():
            return None
        return dataclasses.replace(
            sequence,
            tokens=np.where(events >= MIN_PITCH, events + semitones, events),
            id=f"{sequence.id}:{semitones:+d}",
            attributes={**sequence.attributes, "transposition": semitones},
        )

    def encode(self, sequence: Sequence) -> bytes:
        """As `encode_melody`: a feature list `events`."""
        known = {name: sequence.attributes[name] for name in _ATTRIBUTES}
        return encode_melody(Melody(_events(sequence), sequence.id, sequence.source, **known, columns=sequence.columns))

    def decode(self, record: bytes) -> Sequence:
        """As `decode_melody`."""
        melody = decode_melody(record)
        attributes = {name: getattr(melody, name) for name in _ATTRIBUTES}
        return Sequence(melody.events, melody.id, melody.source, attributes, melody.columns)

    def content(self, sequence: Sequence) -> bytes:
        """Intervals and rhythm: a copy in another key is a copy."""
        return content_hash(_events(sequence))[:16]

    def digest(self, sequence: Sequence) -> bytes:
        """SHA-256 over the music and its grid."""
        events = ",".join(map(str, _events(sequence).tolist()))
        text = f"{sequence.attributes['steps_per_bar']} {sequence.attributes['steps_per_quarter']} {events}"
        return hashlib.sha256(text.encode()).digest()

    def run_numbers(self, sequence: Sequence) -> npt.NDArray[np.uint64]:
        """Notes, each as its interval and its duration."""
        return interval_numbers(_events(sequence))

    def num_notes(self, sequence: Sequence) -> int:
        """Note-ons."""
        return int((_events(sequence) >= MIN_PITCH).sum())


def _events(sequence: Sequence) -> Events:
    return np.asarray(sequence.tokens, np.int64)

"""The encoding of a melody over chords: the chord under the step that is predicted, then what the melody is seen as.

Source: `ConditionalEventSequenceEncoderDecoder` of note-seq. The first step's chord is in no input.
"""

import dataclasses
from typing import Self

import numpy as np
import numpy.typing as npt

from etude.models.chords.chord import CHORDS, Numbers
from etude.models.encodings.chords import CHORD_INPUTS, ChordInputs, Vectors
from etude.models.encodings.encoding import EncodingStream, Inputs, as_vectors
from etude.models.encodings.lookback import LookbackHyperparameters
from etude.models.encodings.melody import MelodyEncoding
from etude.models.hyperparameters import Hyperparameters, value
from etude.models.melodies.melody import Events
from etude.models.sequences.batch import Attributes

_CHORDS = value(
    "triads", "how chords are seen: triads (49), major_minor (25), pitches (root, pitches and bass: 37), or none"
)


@dataclasses.dataclass(frozen=True)
class ChordHyperparameters(Hyperparameters):
    """Those of a network, and how it sees chords."""

    chords: str = _CHORDS

    def __post_init__(self) -> None:
        """Checks every value."""
        super().__post_init__()
        self.require("chords", self.chords in CHORD_INPUTS, " or ".join(CHORD_INPUTS))


@dataclasses.dataclass(frozen=True)
class ChordLookbackHyperparameters(LookbackHyperparameters):
    """Those of a network that looks back, and how it sees chords."""

    chords: str = _CHORDS

    def __post_init__(self) -> None:
        """Checks every value."""
        super().__post_init__()
        self.require("chords", self.chords in CHORD_INPUTS, " or ".join(CHORD_INPUTS))


class LeadSheetEncoding(MelodyEncoding):
    """Sees the chord of the next step beside what another encoding sees of the melody, and predicts as that one does."""

    def __init__(self, melody: MelodyEncoding, chords: ChordInputs) -> None:
        """Puts both side by side."""
        self.melody = melody
        self.chords = chords
        self.no_event_label = melody.no_event_label
        super().__init__(melody.min_note, melody.max_note, melody.lookback_distances, melody.lookback_unit)
        self.input_size = chords.size + melody.input_size

    def label_tokens(self) -> Events:
        """See base class."""
        return self.melody.label_tokens()

    def inputs(self, tokens: Events, attributes: Attributes) -> Inputs:
        """See base class. The attribute `CHORDS` holds the chord of each step, [batch, steps or more].

        After the last step that has a chord, that chord goes on.
        """
        chords = attributes[CHORDS]
        coming = chords[:, np.minimum(np.arange(1, tokens.shape[1] + 1), chords.shape[1] - 1)]
        melody = as_vectors(self.melody.inputs(tokens, attributes), self.melody.input_size)
        return np.concatenate([self.chords.vectors(coming), melody], axis=-1, dtype=np.float32)

    def stream(self, batch_size: int, attributes: Attributes) -> "LeadSheetStream":
        """See base class."""
        return LeadSheetStream(self, batch_size, attributes)


@dataclasses.dataclass(frozen=True)
class _Coming:
    """The chords of every step as they are seen, which sequences that go on from one another share.

    Attributes:
      vectors: [batch, steps, size].
    """

    vectors: Vectors

    def at(self, rows: npt.NDArray[np.int64], step: int) -> Vectors:
        """Those of a step, or of the last one, [rows, size]."""
        return self.vectors[rows, min(step, self.vectors.shape[1] - 1)]


class LeadSheetStream(EncodingStream):
    """Keeps the stream of the melody, and which chords each sequence has."""

    def __init__(self, encoding: LeadSheetEncoding, batch_size: int, attributes: Attributes) -> None:
        """Starts with no events."""
        chords: Numbers = attributes[CHORDS]
        self._size = encoding.melody.input_size
        self._melody = encoding.melody.stream(batch_size, attributes)
        self._coming = _Coming(encoding.chords.vectors(chords))
        self._rows = np.arange(batch_size) % len(chords)
        self._position = 0

    def append(self, tokens: Events) -> Inputs:
        """See base class."""
        self._position += 1
        melody = as_vectors(self._melody.append(tokens), self._size)
        return np.concatenate([self._coming.at(self._rows, self._position), melody], axis=-1, dtype=np.float32)

    def aliases(self) -> Events:
        """See base class."""
        return self._melody.aliases()

    def take(self, indices: npt.NDArray[np.int64]) -> Self:
        """See base class."""
        taken = super().take(indices)
        taken._melody = self._melody.take(indices)
        return taken

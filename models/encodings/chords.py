"""Chords as inputs of a network.

Source: `chords_encoder_decoder` of note-seq. A chord that one of them does not know there, which cost the whole lead sheet,
is seen as the triad of its root.
"""

import abc

import numpy as np
import numpy.typing as npt

from etude.models.chords.chord import (
    AUGMENTED,
    DIMINISHED,
    MAJOR,
    MINOR,
    NONE,
    OTHER,
    Numbers,
    basses,
    chord_number,
    pitch_classes,
    roots,
    triad_qualities,
)
from etude.models.encodings.encoding import one_hot
from etude.models.melodies.melody import PITCHES_PER_OCTAVE

Vectors = npt.NDArray[np.float32]

_TRIADS = {MAJOR: (0, 4, 7), MINOR: (0, 3, 7), AUGMENTED: (0, 4, 8), DIMINISHED: (0, 3, 6)}


class ChordInputs(abc.ABC):
    """How a network sees chords.

    Attributes:
      size: numbers of a chord.
    """

    size: int

    @abc.abstractmethod
    def vectors(self, chords: Numbers) -> Vectors:
        """[..., size] from [...]."""

    @abc.abstractmethod
    def chords(self, vectors: Vectors) -> Numbers:
        """Chords that are seen as these vectors: [...] from [..., size].

        Raises:
          ValueError: if a vector is none of a chord.
        """


class TriadInputs(ChordInputs):
    """One of 49, or of 25: no chord, then the major, minor, augmented and diminished triads from C."""

    def __init__(self, qualities: int = 4) -> None:
        """Sets how many qualities are told apart: 4, or 2, where what is diminished is minor and augmented major."""
        self._qualities = qualities
        self.size = 1 + qualities * PITCHES_PER_OCTAVE

    def classes(self, chords: Numbers) -> Numbers:
        """The place of the one: [...]."""
        quality = triad_qualities(chords)
        if self._qualities == 2:
            quality = np.where(quality == DIMINISHED, MINOR, np.where(quality == AUGMENTED, MAJOR, quality))
        return np.where(chords == NONE, 0, 1 + roots(chords) + PITCHES_PER_OCTAVE * quality)

    def vectors(self, chords: Numbers) -> Vectors:
        """See base class."""
        return one_hot(self.classes(chords), self.size)

    def chords(self, vectors: Vectors) -> Numbers:
        """See base class: triads."""
        classes = vectors.argmax(axis=-1)
        if not np.array_equal(one_hot(classes, self.size), vectors):
            raise ValueError("a chord is none of the triads")
        known = [NONE]
        for quality in range(self._qualities):
            known += [chord_number(root, root, _TRIADS[quality], quality) for root in range(PITCHES_PER_OCTAVE)]
        return np.array(known)[classes]


class PitchInputs(ChordInputs):
    """37 numbers: 1 for no chord; else the root, the pitch classes, and the bass, each 12 from C."""

    size = 1 + 3 * PITCHES_PER_OCTAVE

    def vectors(self, chords: Numbers) -> Vectors:
        """See base class."""
        different, places = np.unique(chords, return_inverse=True)
        table = np.concatenate(
            [
                (different == NONE)[:, None],
                one_hot(roots(different), PITCHES_PER_OCTAVE),
                pitch_classes(different),
                one_hot(basses(different), PITCHES_PER_OCTAVE),
            ],
            axis=1,
            dtype=np.float32,
        )
        table[different == NONE, 1:] = 0
        return table[places.reshape(chords.shape)]

    def chords(self, vectors: Vectors) -> Numbers:
        """See base class."""
        root, bass = vectors[..., 1:13].argmax(axis=-1), vectors[..., 25:].argmax(axis=-1)
        rows = zip(
            root.ravel(), bass.ravel(), vectors[..., 13:25].reshape(-1, 12), vectors[..., 0].ravel(), strict=True
        )
        found = [
            NONE
            if is_none
            else chord_number(int(first), int(low), np.flatnonzero(np.roll(held, -first)).tolist(), OTHER)
            for first, low, held, is_none in rows
        ]
        chords = np.array(found, np.int64).reshape(root.shape)
        if not np.array_equal(self.vectors(chords), vectors):
            raise ValueError("a chord has not one root and one bass")
        return chords


class NoInputs(ChordInputs):
    """Nothing: what a network knows without chords says what they are worth."""

    size = 0

    def vectors(self, chords: Numbers) -> Vectors:
        """See base class."""
        return np.zeros((*chords.shape, 0), np.float32)

    def chords(self, vectors: Vectors) -> Numbers:
        """See base class."""
        return np.zeros(vectors.shape[:-1], np.int64)


CHORD_INPUTS: dict[str, ChordInputs] = {
    "none": NoInputs(),
    "triads": TriadInputs(),
    "major_minor": TriadInputs(2),
    "pitches": PitchInputs(),
}
"""By the names that the hyperparameter `chords` takes."""

"""How pitches are written in a key."""

import dataclasses

from etude.models.melodies.scales import Key

_SIGNATURE = "FCGDAEB"


@dataclasses.dataclass(frozen=True)
class Spelling:
    """How a pitch is written.

    Attributes:
      letter: C to B.
      accidental: in semitones, -2 to 2.
      octave: 4 is that of middle C.
      is_in_signature: whether the key signature says the accidental already.
    """

    letter: str
    accidental: int
    octave: int
    is_in_signature: bool

    @classmethod
    def of(cls, pitch: int, key: Key) -> "Spelling":
        """The spelling of a pitch in a key."""
        letter, accidental = key.spell(pitch % 12)
        place = _SIGNATURE.index(letter)
        in_signature = 1 if place < key.sharps else -1 if 6 - place < -key.sharps else 0
        return cls(letter, accidental, (pitch - accidental) // 12 - 1, accidental == in_signature)

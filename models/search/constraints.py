"""What a musician asks of a melody: a range, a scale, no rests, an ending on the tonic."""

import dataclasses

import numpy as np
import numpy.typing as npt

from etude.models.encodings.melody import MelodyEncoding
from etude.models.errors import UsageError
from etude.models.melodies.melody import MAX_PITCH, MIN_PITCH, NOTE_OFF, PITCHES_PER_OCTAVE
from etude.models.melodies.pitches import pitch_class_name

Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Constraints:
    """What the notes after the primer may be, all as they sound.

    Attributes:
      min_pitch: the lowest pitch.
      max_pitch: the highest pitch.
      pitch_classes: pitch classes that may sound, 0 (C) to 11 (B); None for all.
      note_offs: whether a note may end before the next begins; without, there are no rests.
      final_pitch_class: of the last note; None for any.
    """

    min_pitch: int = MIN_PITCH
    max_pitch: int = MAX_PITCH
    pitch_classes: tuple[int, ...] | None = None
    note_offs: bool = True
    final_pitch_class: int | None = None

    def __post_init__(self) -> None:
        """Checks the range.

        Raises:
          UsageError: if it is no range of MIDI pitches.
        """
        if not MIN_PITCH <= self.min_pitch <= self.max_pitch <= MAX_PITCH:
            raise UsageError(
                f"the pitch range must go upwards within [{MIN_PITCH}, {MAX_PITCH}], not from {self.min_pitch} to "
                f"{self.max_pitch}"
            )

    @property
    def restrict(self) -> bool:
        """Whether they exclude anything."""
        return self != Constraints()

    def allowed_events(self, encoding: MelodyEncoding, transpose_amount: int) -> Mask:
        """Which events may follow, in the order of the event labels: [num_tokens].

        Args:
          encoding: the model's.
          transpose_amount: semitones from sounding pitches to the model's.

        Raises:
          UsageError: if no pitch of the model is left.
        """
        events = encoding.label_tokens()
        sounding = events - transpose_amount
        allowed = (sounding >= self.min_pitch) & (sounding <= self.max_pitch)
        if self.pitch_classes is not None:
            allowed &= np.isin(sounding % PITCHES_PER_OCTAVE, self.pitch_classes)
        self._check(allowed & (events >= 0), encoding, transpose_amount, "the pitch range and the scale")
        return np.where(events >= 0, allowed, self.note_offs | (events != NOTE_OFF))

    def final_notes(self, encoding: MelodyEncoding, transpose_amount: int) -> Mask | None:
        """Which events may be the last note, in the order of the event labels: [num_tokens]; None for any.

        Raises:
          UsageError: if there is none.
        """
        if self.final_pitch_class is None:
            return None
        events = encoding.label_tokens()
        final = (events - transpose_amount) % PITCHES_PER_OCTAVE == self.final_pitch_class
        final &= self.allowed_events(encoding, transpose_amount) & (events >= 0)
        name = pitch_class_name(self.final_pitch_class)
        self._check(final, encoding, transpose_amount, f"an ending on {name}, with the pitch range and the scale,")
        return final

    def _check(self, pitches: Mask, encoding: MelodyEncoding, transpose_amount: int, what: str) -> None:
        if pitches.any():
            return
        classes = (
            "all pitch classes" if self.pitch_classes is None else " ".join(map(pitch_class_name, self.pitch_classes))
        )
        low, high = encoding.min_note - transpose_amount, encoding.max_note - 1 - transpose_amount
        raise UsageError(
            f"{what} leave no pitch: {self.min_pitch} to {self.max_pitch}, {classes}; in the key of this primer the model "
            f"knows the pitches {low} to {high}. Widen the range or choose another scale or primer"
        )

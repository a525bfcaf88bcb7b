"""Melodies that know how they look and sound."""

import dataclasses

from etude.models.generation import GeneratedSequence
from etude.pipelines.rendering.music import Music
from etude.playable import Playable


@dataclasses.dataclass(frozen=True, repr=False)
class Melody(Playable, GeneratedSequence):
    """A generated melody: its events and likelihoods, and its notes in the key of its primer.

    >>> melody.to_midi("melody.mid")  # doctest: +SKIP

    Attributes:
      music: its notes, with tempo, metre and key; `dataclasses.replace(melody.music, qpm=90)` gives it another tempo.
      title: of pictures, scores and ABC.
    """

    music: Music = dataclasses.field(kw_only=True)
    title: str = dataclasses.field(kw_only=True)

    def _description(self) -> str:
        num_notes = len(self.music.notes)
        return (
            f"{self.title}: {num_notes} note{'s' * (num_notes != 1)} in {self.music.num_steps} steps, "
            f"log-likelihood {self.log_likelihood:.2f}"
        )

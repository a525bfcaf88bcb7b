"""Drum tracks: what is struck at each step."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration, vocabulary_domain
from etude.models.drums.kit import ANY_DRUM, NINE_DRUMS, Kit
from etude.models.melodies.features import Features, bar_features
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, STEPS_PER_BAR, STEPS_PER_QUARTER
from etude.models.sequences.batch import Batch, Tokens
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import VocabularyDomain
from etude.models.sequences.notes import Notes
from etude.models.sequences.sequence_set import SequenceSet

_BASS_DRUM = 36


@dataclasses.dataclass(frozen=True)
class DrumDomain(VocabularyDomain):
    """Drum tracks for a kit.

    Attributes:
      kit: the kinds of drums.
    """

    noun: ClassVar[str] = "drum track"
    suffix: ClassVar[str] = "mid"
    has_notes: ClassVar[bool] = True
    are_drums: ClassVar[bool] = True

    kit: Kit = NINE_DRUMS

    @classmethod
    def of(cls, configuration: Configuration) -> "DrumDomain":
        """The domain of a configuration, whose vocabulary tells its kit."""
        kit = ANY_DRUM if len(configuration.vocabulary) == ANY_DRUM.num_tokens else NINE_DRUMS
        return vocabulary_domain(configuration, cls, kit=kit)

    @property
    def default_primer(self) -> Tokens:
        """A stroke of the bass drum, Magenta's default."""
        return np.array([self.kit.token([_BASS_DRUM])])

    def parse(self, given: Any) -> Tokens:
        """See base class: a list of the pitches struck at each step, `[[36, 42], [], [42]]`; tokens as numbers will do."""
        if isinstance(given, str):
            return super().parse(given)
        numbers = (int, np.integer)
        steps = [step if isinstance(step, numbers) else self.kit.token(step) for step in given]
        return self._tokens(steps, -1)

    def render(self, tokens: Tokens) -> None:
        """Drum tracks are written as MIDI, not as text."""

    def notes(self, tokens: Tokens) -> Notes:
        """See base class: every stroke lasts a step, as in Magenta."""
        struck = [(step, pitch) for step, token in enumerate(tokens.tolist()) for pitch in self.kit.played(token)]
        onsets, pitches = np.array(struck, np.int64).reshape(-1, 2).T
        return Notes(onsets, pitches, np.ones_like(onsets))

    def features(self, tokens: Tokens, attributes: Mapping[str, int]) -> Features:
        """See base class: places in the bar, how many drums are struck, and each of the kit."""
        steps_per_quarter = attributes.get(STEPS_PER_QUARTER, DEFAULT_STEPS_PER_QUARTER)
        steps_per_bar = attributes.get(STEPS_PER_BAR, 4 * steps_per_quarter)
        num_struck = self.kit.num_struck[tokens]
        found = {
            **bar_features(tokens, steps_per_bar, steps_per_quarter),
            "rest": (num_struck == 0).astype(np.float64),
            "drums struck": num_struck.astype(np.float64),
        }
        if self.kit != ANY_DRUM:
            found |= {name: (tokens >> kind & 1).astype(np.float64) for kind, name in enumerate(self.kit.names)}
        return found

    def breakdowns(self, sequences: SequenceSet) -> Sequence[Breakdown]:
        """See base class: how many drums a step has, and whether it has each."""
        most = min(int(self.kit.num_struck.max()), 3)
        names = ("silence", "one drum", "two drums", "three or more")[: most + 1]
        together = Breakdown(
            "drums", "Drums of the step", names, lambda batch: np.minimum(self.kit.num_struck[batch.tokens[:, 1:]], 3)
        )
        kinds = enumerate(self.kit.names) if most > 1 else ()
        return [together, *(_with_drum(kind, name) for kind, name in kinds)]


def _with_drum(kind: int, name: str) -> Breakdown:
    def index(batch: Batch) -> npt.NDArray[np.int64]:
        return batch.tokens[:, 1:] >> kind & 1

    key = name.replace(" ", "_").replace("-", "_")
    return Breakdown(f"drum_{key}", f"Steps by their {name}", ("without", "with"), index)

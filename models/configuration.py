"""The whole of what defines a model: its family, range, key and hyperparameters."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from etude.models.chords.domain import LeadSheetRange
from etude.models.encodings.encoding import Encoding
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.encodings.tokens import TokenEncoding
from etude.models.hyperparameters import Hyperparameters
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, MAX_STEPS_PER_QUARTER
from etude.models.melodies.pitch_range import PitchRange
from etude.models.sequences.domain import END, LEAD_SHEET, MELODIC, MELODY, START, UNKNOWN, Domain, VocabularyDomain


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One model. With its weights, nothing else is needed to use it.

    Attributes:
      config: name of the family.
      min_note: lowest pitch of its range.
      max_note: the pitch above the highest of its range.
      transpose_to_key: the major key that melodies are transposed into (0 is C); None keeps their key.
      steps_per_quarter: steps in a quarter note.
      hyperparameters: the family's own dataclass of numbers.
      representation: name of that whose sequences it reads. What follows is that of the dataset that it is trained on:
      vocabulary: symbols of the tokens, by number; empty where they are numbers already, as the events of melodies.
      representation_options: of the representation, by name, each as JSON; empty for melodies.
      unit: what one token stands for: "step", "character", "token".
    """

    config: str
    min_note: int = 48
    max_note: int = 84
    transpose_to_key: int | None = 0
    steps_per_quarter: int = DEFAULT_STEPS_PER_QUARTER
    hyperparameters: Any = dataclasses.field(default_factory=Hyperparameters)
    representation: str = MELODY
    vocabulary: tuple[str, ...] = ()
    representation_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unit: str = "step"

    def __post_init__(self) -> None:
        """Checks range, key and steps.

        Raises:
          ValueError: if the range is not within [0, 128) or under an octave, the key is not in [0, 12), or there are
            fewer than 1 or more than 960 steps in a quarter note.
        """
        if not self.min_note >= 0 or self.max_note > 128 or self.max_note - self.min_note < 12:
            raise ValueError(f"the range [{self.min_note}, {self.max_note}) is not an octave or more within [0, 128)")
        if self.transpose_to_key is not None and not 0 <= self.transpose_to_key < 12:
            raise ValueError(f"transpose_to_key must be from 0 (C) to 11 (B), not {self.transpose_to_key}")
        if not 1 <= self.steps_per_quarter <= MAX_STEPS_PER_QUARTER:
            raise ValueError(
                f"steps_per_quarter must be from 1 to {MAX_STEPS_PER_QUARTER}, not {self.steps_per_quarter}"
            )

    @property
    def steps_per_whole_note(self) -> int:
        """Steps in a whole note, which is a bar of 4/4."""
        return 4 * self.steps_per_quarter


def pitch_range(configuration: Configuration) -> PitchRange:
    """The pitch range of a configuration of melodies: with chords, if it is trained on lead sheets."""
    kind = LeadSheetRange if configuration.representation == LEAD_SHEET else PitchRange
    return kind(configuration.min_note, configuration.max_note, configuration.transpose_to_key)


Known = TypeVar("Known", bound=VocabularyDomain)


def domain_of(configuration: Configuration) -> Domain:
    """The domain of a configuration of any representation."""
    if configuration.representation in MELODIC:
        return pitch_range(configuration)
    return vocabulary_domain(configuration, VocabularyDomain)


def vocabulary_domain(configuration: Configuration, kind: type[Known], **values: Any) -> Known:
    """The domain of a configuration of a representation with a vocabulary.

    Args:
      configuration: of the model.
      kind: of the domain.
      **values: what this kind has besides.
    """
    symbols = configuration.vocabulary
    separator = "" if all(len(symbol) == 1 for symbol in symbols if symbol not in (START, END, UNKNOWN)) else " "
    return kind(
        configuration.representation,
        symbols,
        start=symbols.index(START) if START in symbols else 0,
        separator=separator,
        marks=tuple(number for number, symbol in enumerate(symbols) if symbol in (START, END)),
        end=symbols.index(END) if END in symbols else None,
        unit=configuration.unit,
        **values,
    )


def encoding_of(configuration: Configuration) -> Encoding:
    """The encoding that reads a token and predicts the next one, for any representation."""
    if configuration.representation in MELODIC:
        return OneHotEncoding(configuration.min_note, configuration.max_note)
    symbols = configuration.vocabulary
    return TokenEncoding(len(symbols), symbols.index(END) if END in symbols else None)

"""Tunes as characters."""

import dataclasses
from typing import ClassVar

from etude.models.configuration import Configuration, domain_of
from etude.models.sequences.domain import VocabularyDomain


@dataclasses.dataclass(frozen=True)
class CharacterDomain(VocabularyDomain):
    """Tunes as characters."""

    noun: ClassVar[str] = "tune"
    suffix: ClassVar[str] = "abc"

    @classmethod
    def of(cls, configuration: Configuration) -> "CharacterDomain":
        """The domain of a configuration."""
        plain = domain_of(configuration)
        return cls(**{field.name: getattr(plain, field.name) for field in dataclasses.fields(VocabularyDomain)})

"""How the things that were compared are called, in prose and in the names of figures."""

import dataclasses

from etude.models.evaluation.figures import EVENT
from etude.models.sequences.domain import Domain


@dataclasses.dataclass(frozen=True)
class Words:
    """How the sequences of a domain are called.

    Attributes:
      group: of the figures over tokens, such as `event.loss`.
      token: what is predicted.
      step: what is counted.
      sequence: one of them.
      sequences: several.
    """

    group: str = EVENT
    token: str = "event"
    step: str = "step"
    sequence: str = "melody"
    sequences: str = "melodies"

    @property
    def are_melodies(self) -> bool:
        """Whether they are melodies, whose figures and files have the names that they always had."""
        return self.group == EVENT

    @property
    def steps(self) -> str:
        """Several of what is counted."""
        return f"{self.step}s"

    @property
    def tokens(self) -> str:
        """Several of what is predicted."""
        return f"{self.token}s"

    @property
    def loss(self) -> str:
        """The name of the figure that ranks."""
        return f"{self.group}.loss"

    @property
    def domain_key(self) -> str:
        """What a domain is called in JSON and CSV."""
        return "pitch_range" if self.are_melodies else "domain"

    @property
    def num_sequences_key(self) -> str:
        """What their number is called in JSON."""
        return "num_melodies" if self.are_melodies else "num_sequences"


MELODIES = Words()


def words_of(domain: Domain, group: str) -> Words:
    """The words for the sequences of a domain, whose figures over tokens are called `group`."""
    if group == EVENT:
        return MELODIES
    return Words(group, domain.unit, domain.unit, domain.noun, domain.plural)

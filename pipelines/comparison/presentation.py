"""What a report says beside the figures."""

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Presentation:
    """The frame of a report.

    Attributes:
      title: of the page.
      question: what the comparison asks.
      command: the command that makes the same report again.
      sources: the music that the dataset was made of, if known.
      published: figures that others published, by name of the configuration.
      published_notes: what differs between theirs and ours.
    """

    title: str = "Comparison of melody models"
    question: str = "Which configuration predicts melodies best?"
    command: str = ""
    sources: Sequence[str] = ()
    published: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    published_notes: Sequence[str] = ()

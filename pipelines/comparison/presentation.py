"""What a report says beside the figures."""

import dataclasses
from collections.abc import Mapping, Sequence

from etude.models.generation import GenerationOptions


@dataclasses.dataclass(frozen=True)
class Label:
    """How a configuration is called: its name, and its title in words (empty for one made from the name)."""

    name: str
    title: str = ""


@dataclasses.dataclass(frozen=True)
class Sweep:
    """One setting around a base, all else equal.

    Attributes:
      title: of the setting, in words.
      points: the label of each value and the name of the configuration that has it, in order; one of them may be the base.
    """

    title: str
    points: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Sampling:
    """A way to sample, which is judged beside others.

    Attributes:
      label: what it is called.
      num_tunes: tunes of each run, one from each of as many headers.
      options: how each is made, with its length after the header.
    """

    label: str
    num_tunes: int
    options: GenerationOptions


@dataclasses.dataclass(frozen=True)
class Presentation:
    """The frame of a report.

    Attributes:
      title: of the page; empty for one made from what is compared.
      question: what the comparison asks; empty for which configuration predicts best.
      command: the command that makes the same report again.
      labels: how the configurations are called, by the name of each run's folder; those without get names of their own.
      sources: the music that the dataset was made of, if known.
      published: figures that others published, by name of the configuration: "accuracy", "loss" and "perplexity" over
        labels, and "path_log_likelihood" of generated melodies.
      notes: what has to be known of the comparison; beside published figures, what differs between theirs and ours.
      contrasts: pairs of configurations, by name, that the question is about; the answer begins with them.
      sweeps: settings that were varied one at a time, with a plot each; the answer names the best values.
      floor: the name of a configuration that all others have to beat; the comparison counts only if they do and their
        training has levelled off. Empty where nothing is asked for.
      is_to_level: whether the comparison counts only if training has levelled off, without such a configuration.
    """

    title: str = ""
    question: str = ""
    command: str = ""
    labels: Mapping[str, Label] = dataclasses.field(default_factory=dict)
    sources: Sequence[str] = ()
    published: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()
    contrasts: Sequence[tuple[str, str]] = ()
    sweeps: Sequence[Sweep] = ()
    floor: str = ""
    is_to_level: bool = False

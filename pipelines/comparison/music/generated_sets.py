"""The melodies and texts that models generated, read from the folders of `etude generate`."""

import dataclasses
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from etude.models.configuration import Configuration
from etude.models.errors import EtudeError
from etude.models.melodies.melody import Events
from etude.models.sequences.domain import Domain
from etude.pipelines.comparison.configurations import ComparedConfiguration, short_name
from etude.pipelines.generation.generate import GENERATED_FILE, read_generated
from etude.pipelines.rendering.music import Grid, Music


@dataclasses.dataclass(frozen=True)
class Example:
    """A generated melody, or other sequence of notes.

    Attributes:
      file: its MIDI file.
      events: in the model's key, primer included; of others than melodies, tokens.
      num_primer_events: how many of them are the primer.
      steps_per_bar: of its metre.
      steps_per_quarter: of the model that made it.
      log_likelihood: of the canonical labels, under the model that made it, in nats.
      event_log_likelihood: of the events.
      path_log_likelihood: of the labels that were drawn; None where none were.
      qpm: quarter notes a minute.
      domain: of the model.
      prelude: a primer that sounds before; None where there is none.
    """

    file: str
    events: Events
    num_primer_events: int
    steps_per_bar: int
    steps_per_quarter: int
    log_likelihood: float
    event_log_likelihood: float
    path_log_likelihood: float | None
    qpm: float
    domain: Domain
    prelude: Events | None = None

    @property
    def music(self) -> Music:
        """What is rendered of it, in the model's key."""
        return Grid(self.steps_per_quarter, self.steps_per_bar, self.qpm).sequence_music(
            self.domain, self.events, self.num_primer_events, self.prelude
        )

    @property
    def num_steps(self) -> int:
        """Its length, with what sounds before."""
        return self.music.num_steps


@dataclasses.dataclass(frozen=True)
class TextExample:
    """A generated text.

    Attributes:
      file: its file.
      text: primer included.
      num_tokens: of its sequence.
      token_log_likelihood: of the tokens, under the model that made it, in nats.
    """

    file: str
    text: str
    num_tokens: int
    token_log_likelihood: float


@dataclasses.dataclass(frozen=True)
class GeneratedSet:
    """The melodies, or texts, of one folder.

    Attributes:
      name: of the folder.
      configuration: name of the configuration that made them.
      model: short name of the model that made them.
      examples: the melodies.
      texts: the texts.
    """

    name: str
    configuration: str
    model: str
    examples: tuple[Example, ...]
    texts: tuple[TextExample, ...] = ()


def read_generated_sets(
    folders: Sequence[pathlib.Path], configurations: Sequence[ComparedConfiguration]
) -> list[GeneratedSet]:
    """Reads folders of melodies; each must be of one of the compared models.

    Raises:
      EtudeError: if a folder has no melodies, is damaged, or is of a model that is not compared.
    """
    owners = {run.name: configuration for configuration in configurations for run in configuration.runs}
    return [_read(folder, owners) for folder in folders]


def _read(folder: pathlib.Path, owners: Mapping[str, ComparedConfiguration]) -> GeneratedSet:
    path = folder / GENERATED_FILE
    lines = read_generated(path)
    if not lines:
        raise EtudeError(f"{folder} has no melodies (no {GENERATED_FILE}); make some with 'etude generate'")
    try:
        models = {short_name(pathlib.Path(line["model"])) for line in lines}
    except (KeyError, TypeError) as error:
        raise _damaged(path, error) from error
    if len(models) > 1 or not models <= owners.keys():
        raise EtudeError(
            f"what is in {folder} was made by {', '.join(sorted(models))}, but a folder for each of these is expected: "
            f"{', '.join(owners)}"
        )
    model = models.pop()
    owner = owners[model]
    examples: tuple[Example, ...] = ()
    texts: tuple[TextExample, ...] = ()
    try:
        if owner.domain.has_notes:
            examples = tuple(_example(line, owner.configuration, owner.domain) for line in lines)
        else:
            texts = tuple(
                TextExample(line["file"], str(line["text"]), len(line["tokens"]), _figure(line["token_log_likelihood"]))
                for line in lines
            )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    return GeneratedSet(folder.name, owner.name, model, examples, texts)


def _example(line: Mapping[str, Any], configuration: Configuration, domain: Domain) -> Example:
    unit = "event" if "events" in line else "token"
    path_log_likelihood = line.get("path_log_likelihood")
    steps_per_bar = int(line.get("steps_per_bar", configuration.steps_per_whole_note))
    if steps_per_bar < 1:
        raise ValueError(f"bars of {steps_per_bar} steps")
    return Example(
        file=line["file"],
        events=domain.parse(line[f"{unit}s"]),
        num_primer_events=int(line[f"num_primer_{unit}s"]),
        steps_per_bar=steps_per_bar,
        steps_per_quarter=configuration.steps_per_quarter,
        log_likelihood=_figure(line["log_likelihood"]),
        event_log_likelihood=_figure(line[f"{unit}_log_likelihood"]),
        path_log_likelihood=None if path_log_likelihood is None else _figure(path_log_likelihood),
        qpm=_figure(line["qpm"]),
        domain=domain,
        prelude=domain.parse(line["prelude"]) if "prelude" in line else None,
    )


def _figure(value: Any) -> float:
    """A finite number; ValueError or TypeError if it is none."""
    if not math.isfinite(float(value)):
        raise ValueError(f"a figure of {value}")
    return float(value)


def _damaged(path: pathlib.Path, error: Exception) -> EtudeError:
    return EtudeError(f"{path} is damaged: {error!r}; generate the melodies again")

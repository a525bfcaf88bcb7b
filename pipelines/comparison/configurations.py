"""The models that are compared: loaded, checked against the dataset, and grouped into configurations."""

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from etude.models.configuration import Configuration
from etude.models.dataset import check_fits
from etude.models.errors import EtudeError
from etude.models.hyperparameters import Hyperparameters
from etude.models.model import Model, load
from etude.models.registry import family
from etude.models.sequences.domain import MELODIC, Domain
from etude.models.storage import run_pb2
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.comparison.datasets import Dataset
from etude.pipelines.comparison.presentation import Label

_MAX_SETTINGS = 2
"""In a name; a model that differs in more is called after its folder."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One trained model.

    Attributes:
      path: as given.
      model: the model.
      stored: what its run directory says; None for a model without one.
    """

    path: pathlib.Path
    model: Model
    stored: run_pb2.Run | None

    @property
    def name(self) -> str:
        """A short name, the same as in the melodies that it generates."""
        return short_name(self.path)

    @property
    def seed(self) -> int | None:
        """The seed that it was trained with, if known."""
        return self.stored.seed if self.stored else None


@dataclasses.dataclass(frozen=True)
class ComparedConfiguration:
    """A configuration in the comparison: models that differ in their seed alone.

    Attributes:
      name: short, and different from all others.
      title: in words.
      runs: by seed.
    """

    name: str
    title: str
    runs: tuple[Run, ...]

    @property
    def configuration(self) -> Configuration:
        """What its models share."""
        return self.runs[0].model.configuration

    @property
    def domain(self) -> Domain:
        """The sequences that its models know."""
        return self.runs[0].model.domain


def short_name(path: pathlib.Path) -> str:
    """The name of a run's folder; bundles are often called the same, and get the folder's name before theirs."""
    return f"{path.parent.name}/{path.name}" if path.suffix == ".mag" else path.name


def load_runs(
    paths: Sequence[pathlib.Path],
    datasets: Mapping[str, Dataset],
    checkpoint: str,
    allow_other_training_data: bool,
) -> list[Run]:
    """Loads models and checks that they may be compared on datasets.

    Args:
      paths: the models.
      datasets: by the name of their representation.
      checkpoint: "best", "latest" or the number of a step.
      allow_other_training_data: whether they may have been trained on others.

    Raises:
      EtudeError: if there is no model, a model is missing, was trained on other data, reads what no dataset holds, or has
        other steps.
    """
    if not paths:
        raise EtudeError("there is nothing to compare; give at least one run directory")
    runs = []
    for path in paths:
        model = load(path, checkpoint)
        # Where no dataset is of its representation, any shows what is the matter.
        dataset = datasets.get(model.configuration.representation) or next(iter(datasets.values()))
        check_fits(model.configuration, path, dataset.path)
        trained_on, fingerprint = model.training_fingerprint, dataset.description.fingerprint
        if trained_on and trained_on != fingerprint and not allow_other_training_data:
            things = model.domain.plural
            raise EtudeError(
                f"{path} was trained on a dataset with fingerprint {trained_on}, but {dataset.path} has fingerprint "
                f"{fingerprint}: its eval {things} may have been training {things} of this model. Compare on "
                "the dataset that it was trained on, or add --allow-other-training-data"
            )
        runs.append(Run(path, model, RunDirectory(path).read() if path.is_dir() else None))
    return runs


def group(runs: Sequence[Run], labels: Mapping[str, Label] | None = None) -> list[ComparedConfiguration]:
    """Puts models that differ in their seed alone together, in the order of their first appearance.

    Models that share their seed, too, are copies of each other; each of them stands for itself.

    Args:
      runs: the models.
      labels: how to call configurations, by the names of their models' folders; models of one label are one
        configuration, even if they trained for different numbers of steps.
    """
    labels = labels or {}
    groups: dict[Label | bytes, list[Run]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(labels.get(run.name) or _identity(run, number), []).append(run)
    members: list[list[Run]] = []
    for found in groups.values():
        has_copies = len({run.seed for run in found}) < len(found)
        members += [[run] for run in found] if has_copies else [sorted(found, key=lambda run: run.seed or 0)]
    names = _names(members, labels)
    return [
        ComparedConfiguration(name, _title(name, found[0], labels), tuple(found))
        for name, found in zip(names, members, strict=True)
    ]


def _identity(run: Run, number: int) -> bytes:
    """The same for models that differ in their seed alone."""
    if run.stored is None:
        return f"model {number}".encode()
    identity = run_pb2.Run()
    identity.CopyFrom(run.stored)
    identity.ClearField("seed")
    identity.ClearField("versions")
    identity.dataset.ClearField("path")
    return identity.SerializeToString(deterministic=True)


def _names(members: Sequence[Sequence[Run]], labels: Mapping[str, Label]) -> list[str]:
    """What the label says, or the family with whatever sets a configuration apart from others of its family."""
    settings = [_settings(found[0]) for found in members]
    names = []
    for mine, found in zip(settings, members, strict=True):
        if found[0].name in labels:
            names.append(labels[found[0].name].name)
            continue
        others = [setting for setting in settings if setting["config"] == mine["config"]]
        differing = [name for name in mine if any(other.get(name, mine[name]) != mine[name] for other in others)]
        shown = [f"{name}={mine[name]}" for name in differing]
        names.append(", ".join([mine["config"], *(shown if len(shown) <= _MAX_SETTINGS else [found[0].name])]))
    return [
        name if names.count(name) == 1 else f"{name}, {found[0].name}"
        for name, found in zip(names, members, strict=True)
    ]


def _settings(run: Run) -> dict[str, str]:
    configuration = run.model.configuration
    of_melodies = ("min_note", "max_note", "transpose_to_key") if configuration.representation in MELODIC else ()
    values = {
        "config": configuration.config,
        "representation": configuration.representation,
        **{name: getattr(configuration, name) for name in of_melodies},
        **dataclasses.asdict(configuration.hyperparameters),
        **({"num_steps": run.stored.num_steps} if run.stored else {}),
    }
    return {name: str(value) for name, value in values.items()}


def _title(name: str, run: Run, labels: Mapping[str, Label]) -> str:
    if (label := labels.get(run.name)) and label.title:
        return label.title
    config = run.model.configuration.config
    return name.replace(config, family(config).title, 1)


def changed_hyperparameters(configuration: Configuration) -> dict[str, object]:
    """The hyperparameters that are not the defaults of the family."""
    defaults: Hyperparameters = family(configuration.config).defaults.hyperparameters
    values = dataclasses.asdict(configuration.hyperparameters)
    return {name: value for name, value in values.items() if value != getattr(defaults, name)}


def domains(configurations: Iterable[ComparedConfiguration]) -> list[Domain]:
    """The domains of configurations, in the order of their first appearance; likelihoods compare within one only."""
    return list(dict.fromkeys(configuration.domain for configuration in configurations))

"""Every model and every baseline, evaluated on the very same steps."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from etude.models.configuration import encoding_of
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.statistics import Breakdown, Sums
from etude.models.melodies.melody_set import MelodySet
from etude.models.progress import Progress, silent
from etude.models.sequences.domain import Domain
from etude.models.sequences.sequence_set import SequenceSet
from etude.pipelines.comparison.baselines import Baseline, fit_baselines
from etude.pipelines.comparison.breakdowns import breakdowns
from etude.pipelines.comparison.configurations import ComparedConfiguration, domains


@dataclasses.dataclass(frozen=True)
class ConfigurationMeasurement:
    """A configuration and the sums of each of its models, in the order of its runs."""

    configuration: ComparedConfiguration
    sums: tuple[Sums, ...]


@dataclasses.dataclass(frozen=True)
class BaselineMeasurement:
    """A baseline and its sums."""

    baseline: Baseline
    sums: Sums


@dataclasses.dataclass(frozen=True)
class DomainMeasurement:
    """All that was measured on the sequences of one domain.

    Attributes:
      domain: what its models know.
      sequences: of the split that is evaluated, as the models know them.
      train: the training sequences, as the models know them.
      breakdowns: how steps were put into categories.
      configurations: the configurations.
      baselines: fitted on `train`.
    """

    domain: Domain
    sequences: SequenceSet
    train: SequenceSet
    breakdowns: Sequence[Breakdown]
    configurations: Sequence[ConfigurationMeasurement]
    baselines: Sequence[BaselineMeasurement]

    @property
    def unit(self) -> str:
        """What a token is called in figures."""
        return self.configurations[0].configuration.runs[0].model.encoding.unit


class Splits(NamedTuple):
    """The sequences of one representation: those of the split that is evaluated, and those of train, as extracted."""

    evaluated: SequenceSet
    train: SequenceSet


def measure(
    configurations: Sequence[ComparedConfiguration], data: Mapping[str, Splits], progress: Progress = silent
) -> list[DomainMeasurement]:
    """Evaluates all models of all configurations and all baselines.

    Args:
      configurations: the configurations.
      data: the sequences of each representation by its name, of the same pieces: `MelodySet` for melodies.
      progress: called after every batch of every model.
    """
    num_models = sum(len(configuration.runs) for configuration in configurations)
    done = 0
    result = []
    for domain in domains(configurations):
        members = [configuration for configuration in configurations if configuration.domain == domain]
        shared = members[0].configuration
        sequences, train = _within(domain, data[shared.representation])
        divisions = breakdowns(sequences, shared.steps_per_quarter) if isinstance(sequences, MelodySet) else []
        measured = []
        for configuration in members:
            sums = []
            for run in configuration.runs:
                report = _part(progress, done, num_models, len(sequences), f"evaluating {run.path}")
                model = run.model
                sums.append(evaluate(model.encoding, sequences, model.predict, divisions, report))
                done += 1
            measured.append(ConfigurationMeasurement(configuration, tuple(sums)))
        models = [run.model for configuration in members for run in configuration.runs]
        knows_no_event = any(model.encoding.label_masks().get("no_event", np.zeros(0)).any() for model in models)
        encoding = encoding_of(shared)
        baselines = [
            BaselineMeasurement(baseline, evaluate(encoding, sequences, baseline.predict, divisions))
            for baseline in fit_baselines(encoding, train, knows_no_event)
        ]
        result.append(DomainMeasurement(domain, sequences, train, divisions, measured, baselines))
    return result


def _within(domain: Domain, splits: Splits) -> Splits:
    """The sequences as the models of a domain know them."""
    return Splits(*(sequences.map(lambda tokens: domain.enter(tokens)[0]) for sequences in splits))


def _part(progress: Progress, models_done: int, num_models: int, num_melodies: int, remark: str) -> Progress:
    """Progress within one of several models, in melodies over all of them."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(models_done * num_melodies + done, num_models * num_melodies, remark)

    return report

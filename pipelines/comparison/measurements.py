"""Every model and every baseline, evaluated on the very same steps."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from etude.models.configuration import encoding_of
from etude.models.encodings.encoding import Encoding
from etude.models.encodings.tokens import TokenEncoding
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.statistics import Sums
from etude.models.melodies.melody_set import MelodySet
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import MELODIC, Domain
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.sequences.tune_span import span_breakdown
from etude.pipelines.comparison.baselines import Baseline, fit_baselines
from etude.pipelines.comparison.breakdowns import breakdowns, breakdowns_of_tokens
from etude.pipelines.comparison.configurations import ComparedConfiguration, domains
from etude.pipelines.comparison.datasets import Splits
from etude.pipelines.comparison.words import Words, words_of


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

    @property
    def words(self) -> Words:
        """How the sequences are called."""
        return words_of(self.domain, self.unit)

    @property
    def representation(self) -> str:
        """What the sequences are of."""
        return self.configurations[0].configuration.configuration.representation


def measure(
    configurations: Sequence[ComparedConfiguration],
    data: Mapping[str, Splits],
    progress: Progress = silent,
    are_tunes: bool = False,
) -> list[DomainMeasurement]:
    """Evaluates all models of all configurations and all baselines.

    Args:
      configurations: the configurations.
      data: the sequences of each representation by its name, of the same pieces: `MelodySet` for melodies.
      progress: called after every batch of every model.
      are_tunes: whether the sequences are exact tunes, what whose notes cost is added up besides.
    """
    num_models = sum(len(configuration.runs) for configuration in configurations)
    done = 0
    result = []
    for domain in domains(configurations):
        members = [configuration for configuration in configurations if configuration.domain == domain]
        shared = members[0].configuration
        sequences, train = _within(domain, data[shared.representation])
        models = [run.model for configuration in members for run in configuration.runs]
        divisions = _divisions(sequences, models[0])
        spans = [span_breakdown(domain)] if are_tunes else []
        measured = []
        for configuration in members:
            sums = []
            for run in configuration.runs:
                report = _part(progress, done, num_models, len(sequences), f"evaluating {run.path}")
                model = run.model
                sums.append(evaluate(model.encoding, sequences, model.predict, [*divisions, *spans], report))
                done += 1
            measured.append(ConfigurationMeasurement(configuration, tuple(sums)))
        knows_no_event = any(model.encoding.label_masks().get("no_event", np.zeros(0)).any() for model in models)
        encoding = plain_encoding(models[0])
        baselines = [
            BaselineMeasurement(baseline, evaluate(encoding, sequences, baseline.predict, divisions))
            for baseline in fit_baselines(encoding, train, knows_no_event)
        ]
        result.append(DomainMeasurement(domain, sequences, train, divisions, measured, baselines))
    return result


def _divisions(sequences: SequenceSet, model: Model) -> list[Breakdown]:
    if isinstance(sequences, MelodySet):
        of_melodies = breakdowns(sequences, model.configuration.steps_per_quarter)
        return [*of_melodies, *model.domain.breakdowns(sequences)]
    words = words_of(model.domain, model.encoding.unit)
    return [*breakdowns_of_tokens(words, model.encoding), *model.domain.breakdowns(sequences)]


def plain_encoding(model: Model) -> Encoding:
    """An encoding without aliases for the tokens of a model, with the same kinds of tokens."""
    if model.configuration.representation in MELODIC:
        return encoding_of(model.configuration)
    num_tokens = model.encoding.num_tokens
    kinds = model.encoding.token_masks(np.arange(num_tokens)[None])
    return TokenEncoding(num_tokens, model.encoding.end_token, {name: mask[0] for name, mask in kinds.items()})


def _within(domain: Domain, splits: Splits) -> Splits:
    """The sequences as the models of a domain know them."""
    return Splits(*map(domain.enter_all, splits))


def _part(progress: Progress, models_done: int, num_models: int, num_sequences: int, remark: str) -> Progress:
    """Progress within one of several models, in sequences over all of them."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(models_done * num_sequences + done, num_models * num_sequences, remark)

    return report

"""Every model and every baseline, evaluated on the very same steps."""

import dataclasses
from collections.abc import Sequence

from etude.models.dataset import squash_all
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.statistics import Breakdown, Sums
from etude.models.melodies.melody_set import MelodySet
from etude.models.progress import Progress, silent
from etude.pipelines.comparison.baselines import Baseline, fit_baselines
from etude.pipelines.comparison.breakdowns import breakdowns
from etude.pipelines.comparison.configurations import ComparedConfiguration, PitchRange, pitch_ranges


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
class PitchRangeMeasurement:
    """All that was measured on melodies in one key and range.

    Attributes:
      pitch_range: the key and range.
      melodies: of the split that is evaluated, in this pitch range.
      train: the training melodies, in this pitch range.
      breakdowns: how steps were put into categories.
      configurations: the configurations.
      baselines: fitted on `train`.
    """

    pitch_range: PitchRange
    melodies: MelodySet
    train: MelodySet
    breakdowns: Sequence[Breakdown]
    configurations: Sequence[ConfigurationMeasurement]
    baselines: Sequence[BaselineMeasurement]

    @property
    def unit(self) -> str:
        """What a token is called in figures."""
        return self.configurations[0].configuration.runs[0].model.encoding.unit


def measure(
    configurations: Sequence[ComparedConfiguration], melodies: MelodySet, train: MelodySet, progress: Progress = silent
) -> list[PitchRangeMeasurement]:
    """Evaluates all models of all configurations and all baselines.

    Args:
      configurations: the configurations.
      melodies: to evaluate on, as extracted.
      train: to fit baselines on, as extracted.
      progress: called after every batch of every model.
    """
    num_models = sum(len(configuration.runs) for configuration in configurations)
    done = 0
    result = []
    for pitch_range in pitch_ranges(configurations):
        members = [configuration for configuration in configurations if configuration.pitch_range == pitch_range]
        squashed, squashed_train = (squash_all(melody, members[0].configuration) for melody in (melodies, train))
        divisions = breakdowns(squashed, members[0].configuration.steps_per_quarter)
        measured = []
        for configuration in members:
            sums = []
            for run in configuration.runs:
                report = _part(progress, done, num_models, len(melodies), f"evaluating {run.path}")
                model = run.model
                sums.append(evaluate(model.encoding, squashed, model.predict, divisions, report))
                done += 1
            measured.append(ConfigurationMeasurement(configuration, tuple(sums)))
        knows_no_event = any(
            run.model.encoding.label_masks() for configuration in members for run in configuration.runs
        )
        encoding = OneHotEncoding(pitch_range.min_note, pitch_range.max_note)
        baselines = [
            BaselineMeasurement(baseline, evaluate(encoding, squashed, baseline.predict, divisions))
            for baseline in fit_baselines(encoding, squashed_train, knows_no_event)
        ]
        result.append(PitchRangeMeasurement(pitch_range, squashed, squashed_train, divisions, measured, baselines))
    return result


def _part(progress: Progress, models_done: int, num_models: int, num_melodies: int, remark: str) -> Progress:
    """Progress within one of several models, in melodies over all of them."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(models_done * num_melodies + done, num_models * num_melodies, remark)

    return report

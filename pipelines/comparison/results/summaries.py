"""From measurements to results: figures with intervals, paired tests and breakdowns."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.evaluation.figures import table
from etude.pipelines.comparison.baselines import Baseline
from etude.pipelines.comparison.configurations import ComparedConfiguration, Run, changed_hyperparameters
from etude.pipelines.comparison.measurements import ConfigurationMeasurement, DomainMeasurement
from etude.pipelines.comparison.results.results import (
    BaselineResult,
    BreakdownResult,
    CategoryResult,
    ConfigurationResult,
    Figures,
    PairResult,
    RunResult,
    Spread,
)
from etude.pipelines.comparison.statistics.bootstrap import interval
from etude.pipelines.comparison.statistics.figures import (
    Estimate,
    Resampled,
    over_seeds,
    resample_category_figures,
    resample_figures,
)
from etude.pipelines.comparison.statistics.significance import ALPHA, TestResult, holm, sign_flip_test
from etude.pipelines.comparison.words import Words


@dataclasses.dataclass(frozen=True)
class Summary:
    """What follows from all measurements."""

    configurations: list[ConfigurationResult]
    baselines: list[BaselineResult]
    pairs: list[PairResult]
    breakdowns: list[BreakdownResult]


def summarise(measurements: Sequence[DomainMeasurement]) -> Summary:
    """Computes every figure, pair and breakdown."""
    configurations: list[ConfigurationResult] = []
    baselines: list[BaselineResult] = []
    compared: list[_Pair] = []
    divided: list[BreakdownResult] = []
    for measurement in measurements:
        resampled = {}
        unit = measurement.unit
        loss = f"{unit}.loss"
        simple = {measured.baseline.name: resample_figures(measured.sums, unit) for measured in measurement.baselines}
        for measured in measurement.configurations:
            by_seed = [resample_figures(sums, unit) for sums in measured.sums]
            resampled[measured.configuration.name] = over_seeds(by_seed, stream=len(configurations))
            best_baseline = min(simple, key=lambda name: float(simple[name][loss].value))
            over_baseline = _difference(simple[best_baseline], resampled[measured.configuration.name], loss)
            mean = resampled[measured.configuration.name]
            over = over_baseline.estimate()
            configurations.append(_configuration(measured, by_seed, mean, best_baseline, over, measurement.words))
        baselines += [
            _baseline(measurement, measured.baseline, simple[measured.baseline.name])
            for measured in measurement.baselines
        ]
        for first, second in itertools.combinations(measurement.configurations, 2):
            compared.append(_pair(first, second, resampled, unit))
        divided += _breakdowns(measurement)
    corrected = holm([pair.test.p_value for pair in compared])
    pairs = [pair.result(p_value) for pair, p_value in zip(compared, corrected, strict=True)]
    return Summary(configurations, baselines, pairs, divided)


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Two configurations before the correction for the number of tests; the first is the better one."""

    first: ComparedConfiguration
    second: ComparedConfiguration
    nats_per_step: Resampled
    bits_per_note: Resampled | None
    test: TestResult

    def result(self, p_value_corrected: float) -> PairResult:
        nats = self.nats_per_step.estimate()
        excludes_zero = nats.interval is not None and nats.interval[0] > 0
        return PairResult(
            first=self.first.name,
            second=self.second.name,
            domain=self.first.domain.name,
            nats_per_step=nats,
            bits_per_note=self.bits_per_note.estimate() if self.bits_per_note else Estimate(None),
            p_value=self.test.p_value,
            p_value_corrected=p_value_corrected,
            is_exact=self.test.is_exact,
            is_told_apart=p_value_corrected < ALPHA and excludes_zero,
        )


def _pair(
    one: ConfigurationMeasurement,
    other: ConfigurationMeasurement,
    resampled: Mapping[str, Mapping[str, Resampled]],
    unit: str,
) -> _Pair:
    losses = [float(resampled[measured.configuration.name][f"{unit}.loss"].value) for measured in (one, other)]
    first, second = (one, other) if losses[0] <= losses[1] else (other, one)
    better, worse = resampled[first.configuration.name], resampled[second.configuration.name]
    nats = _difference(worse, better, f"{unit}.loss")
    of_notes = f"{unit}.bits_per_note"
    bits = _difference(worse, better, of_notes) if of_notes in worse else None
    test = sign_flip_test(_mean_log_likelihood(first) - _mean_log_likelihood(second))
    return _Pair(first.configuration, second.configuration, nats, bits, test)


def _difference(one: Mapping[str, Resampled], other: Mapping[str, Resampled], name: str) -> Resampled:
    """A figure of one less that of the other, resample by resample."""
    return Resampled(one[name].value - other[name].value, one[name].resampled - other[name].resampled)


def _mean_log_likelihood(measured: ConfigurationMeasurement) -> npt.NDArray[np.float64]:
    """Log-likelihood of the tokens of each sequence, the mean over seeds: [sequences]."""
    mean: npt.NDArray[np.float64] = np.mean([sums["token_log_likelihood"] for sums in measured.sums], axis=0)
    return mean


def _configuration(
    measured: ConfigurationMeasurement,
    by_seed: Sequence[Mapping[str, Resampled]],
    mean: Mapping[str, Resampled],
    best_baseline: str,
    over_baseline: Estimate,
    words: Words,
) -> ConfigurationResult:
    compared = measured.configuration
    configuration = compared.configuration
    lengths = {run.stored.num_steps if run.stored else None for run in compared.runs}
    return ConfigurationResult(
        name=compared.name,
        title=compared.title,
        config=configuration.config,
        domain=compared.domain.name,
        hyperparameters=dataclasses.asdict(configuration.hyperparameters),
        changed=list(changed_hyperparameters(configuration)),
        num_training_steps=lengths.pop() if len(lengths) == 1 else None,
        figures=_estimates(mean),
        spread=_spread(by_seed) if len(by_seed) > 1 else {},
        best_baseline=best_baseline,
        nats_over_baseline=over_baseline,
        runs=[_run(run, found) for run, found in zip(compared.runs, by_seed, strict=True)],
        words=words,
        representation=configuration.representation,
    )


def _run(run: Run, resampled: Mapping[str, Resampled]) -> RunResult:
    return RunResult(
        name=run.name,
        path=str(run.path),
        seed=run.seed,
        step=run.model.step,
        training_fingerprint=run.model.training_fingerprint,
        figures=_estimates(resampled),
    )


def _spread(by_seed: Sequence[Mapping[str, Resampled]]) -> dict[str, Spread]:
    values = {name: [float(found[name].value) for found in by_seed] for name in by_seed[0]}
    return {
        name: Spread(float(np.mean(found)), float(np.std(found, ddof=1)), min(found), max(found))
        for name, found in values.items()
    }


def _baseline(measurement: DomainMeasurement, baseline: Baseline, resampled: Mapping[str, Resampled]) -> BaselineResult:
    estimates = dict(_estimates(resampled))
    if not baseline.has_likelihood:
        figures = table(measurement.unit).items()
        estimates |= {name: Estimate(None) for name, figure in figures if figure.is_likelihood}
    return BaselineResult(
        baseline.name,
        baseline.title,
        baseline.summary,
        measurement.domain.name,
        estimates,
        measurement.words,
        measurement.representation,
    )


def _breakdowns(measurement: DomainMeasurement) -> list[BreakdownResult]:
    result = []
    unit = measurement.unit
    for breakdown in measurement.breakdowns:
        found: dict[str, Mapping[str, Resampled]] = {}
        for stream, configuration in enumerate(measurement.configurations):
            by_seed = [resample_category_figures(sums, breakdown.name, unit) for sums in configuration.sums]
            found[configuration.configuration.name] = over_seeds(by_seed, stream)
        for baseline in measurement.baselines:
            found[baseline.baseline.name] = resample_category_figures(baseline.sums, breakdown.name, unit)
        without_loss = {
            baseline.baseline.name for baseline in measurement.baselines if not baseline.baseline.has_likelihood
        }
        steps = measurement.configurations[0].sums[0].of(breakdown.name)["num_steps"].sum(axis=0)
        categories = [
            CategoryResult(
                category,
                int(steps[index]),
                {
                    name: _of_category(one[f"{unit}.loss"], index)
                    for name, one in found.items()
                    if name not in without_loss
                },
                {name: _of_category(one[f"{unit}.accuracy"], index) for name, one in found.items()},
            )
            for index, category in enumerate(breakdown.categories)
            if steps[index]
        ]
        result.append(BreakdownResult(breakdown.name, breakdown.title, measurement.domain.name, categories))
    return result


def _of_category(resampled: Resampled, index: int) -> Estimate:
    value = float(resampled.value[index])
    return Estimate(value, interval(resampled.resampled[:, index]))


def _estimates(resampled: Mapping[str, Resampled]) -> Figures:
    return {name: one.estimate() for name, one in resampled.items()}

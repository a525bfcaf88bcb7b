"""From measurements to results: figures with intervals, paired tests and breakdowns."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.pipelines.comparison.entrants import Entrant, Entry, changed_hyperparameters
from etude.pipelines.comparison.floors import Floor
from etude.pipelines.comparison.measurements import EntryMeasurement, SpaceMeasurement
from etude.pipelines.comparison.results.results import (
    BreakdownResult,
    CategoryResult,
    ConfigurationResult,
    Figures,
    FloorResult,
    PairResult,
    RunResult,
    Spread,
)
from etude.pipelines.comparison.statistics.bootstrap import interval
from etude.pipelines.comparison.statistics.figures import (
    LIKELIHOOD_FIGURES,
    Estimate,
    Resampled,
    over_seeds,
    resample_category_figures,
    resample_figures,
)
from etude.pipelines.comparison.statistics.significance import ALPHA, TestResult, holm, sign_flip_test


@dataclasses.dataclass(frozen=True)
class Summary:
    """What follows from all measurements."""

    configurations: list[ConfigurationResult]
    floors: list[FloorResult]
    pairs: list[PairResult]
    breakdowns: list[BreakdownResult]


def summarise(measurements: Sequence[SpaceMeasurement]) -> Summary:
    """Computes every figure, pair and breakdown."""
    configurations: list[ConfigurationResult] = []
    floors: list[FloorResult] = []
    compared: list[_Pair] = []
    divided: list[BreakdownResult] = []
    for measurement in measurements:
        space = measurement.space.name
        resampled = {}
        simple = {measured.floor.name: resample_figures(measured.sums.melodies) for measured in measurement.floors}
        for measured in measurement.entries:
            by_seed = [resample_figures(sums.melodies) for sums in measured.sums]
            resampled[measured.entry.name] = over_seeds(by_seed, stream=len(configurations))
            best_floor = min(simple, key=lambda name: float(simple[name]["event.loss"].value))
            over_floor = _difference(simple[best_floor], resampled[measured.entry.name], "event.loss")
            mean = resampled[measured.entry.name]
            configurations.append(_configuration(measured, by_seed, mean, best_floor, over_floor.estimate()))
        floors += [_floor(measured.floor, simple[measured.floor.name], space) for measured in measurement.floors]
        for first, second in itertools.combinations(measurement.entries, 2):
            compared.append(_pair(first, second, resampled))
        divided += _breakdowns(measurement)
    corrected = holm([pair.test.p_value for pair in compared])
    pairs = [pair.result(p_value) for pair, p_value in zip(compared, corrected, strict=True)]
    return Summary(configurations, floors, pairs, divided)


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Two configurations before the correction for the number of tests; the first is the better one."""

    first: Entry
    second: Entry
    advantage: Mapping[str, Resampled]
    test: TestResult

    def result(self, p_value_corrected: float) -> PairResult:
        nats = self.advantage["event.loss"].estimate()
        excludes_zero = nats.interval is not None and nats.interval[0] > 0
        return PairResult(
            first=self.first.name,
            second=self.second.name,
            space=self.first.space.name,
            nats_per_step=nats,
            bits_per_note=self.advantage["event.bits_per_note"].estimate(),
            p_value=self.test.p_value,
            p_value_corrected=p_value_corrected,
            is_exact=self.test.is_exact,
            is_told_apart=p_value_corrected < ALPHA and excludes_zero,
        )


def _pair(one: EntryMeasurement, other: EntryMeasurement, resampled: Mapping[str, Mapping[str, Resampled]]) -> _Pair:
    losses = [float(resampled[measured.entry.name]["event.loss"].value) for measured in (one, other)]
    first, second = (one, other) if losses[0] <= losses[1] else (other, one)
    better, worse = resampled[first.entry.name], resampled[second.entry.name]
    advantage = {name: _difference(worse, better, name) for name in ("event.loss", "event.bits_per_note")}
    test = sign_flip_test(_mean_log_likelihood(first) - _mean_log_likelihood(second))
    return _Pair(first.entry, second.entry, advantage, test)


def _difference(one: Mapping[str, Resampled], other: Mapping[str, Resampled], name: str) -> Resampled:
    """A figure of one less that of the other, resample by resample."""
    return Resampled(one[name].value - other[name].value, one[name].resampled - other[name].resampled)


def _mean_log_likelihood(measured: EntryMeasurement) -> npt.NDArray[np.float64]:
    """Event log-likelihood of each melody, the mean over seeds: [melodies]."""
    return np.mean([sums.melodies.event_log_likelihood for sums in measured.sums], axis=0)


def _configuration(
    measured: EntryMeasurement,
    by_seed: Sequence[Mapping[str, Resampled]],
    mean: Mapping[str, Resampled],
    best_floor: str,
    over_floor: Estimate,
) -> ConfigurationResult:
    entry = measured.entry
    configuration = entry.configuration
    lengths = {entrant.run.num_steps if entrant.run else None for entrant in entry.entrants}
    return ConfigurationResult(
        name=entry.name,
        title=entry.title,
        config=configuration.config,
        space=entry.space.name,
        hyperparameters=dataclasses.asdict(configuration.hyperparameters),
        changed=list(changed_hyperparameters(configuration)),
        num_training_steps=lengths.pop() if len(lengths) == 1 else None,
        figures=_estimates(mean),
        spread=_spread(by_seed) if len(by_seed) > 1 else {},
        best_floor=best_floor,
        nats_over_floor=over_floor,
        runs=[_run(entrant, found) for entrant, found in zip(entry.entrants, by_seed, strict=True)],
    )


def _run(entrant: Entrant, resampled: Mapping[str, Resampled]) -> RunResult:
    return RunResult(
        name=entrant.name,
        path=str(entrant.path),
        seed=entrant.seed,
        step=entrant.model.step,
        training_fingerprint=entrant.model.training_fingerprint,
        figures=_estimates(resampled),
    )


def _spread(by_seed: Sequence[Mapping[str, Resampled]]) -> dict[str, Spread]:
    values = {name: [float(found[name].value) for found in by_seed] for name in by_seed[0]}
    return {
        name: Spread(float(np.mean(found)), float(np.std(found, ddof=1)), min(found), max(found))
        for name, found in values.items()
    }


def _floor(floor: Floor, resampled: Mapping[str, Resampled], space: str) -> FloorResult:
    estimates = dict(_estimates(resampled))
    if not floor.has_likelihood:
        estimates |= dict.fromkeys(LIKELIHOOD_FIGURES, Estimate(None))
    return FloorResult(floor.name, floor.title, floor.summary, space, estimates)


def _breakdowns(measurement: SpaceMeasurement) -> list[BreakdownResult]:
    result = []
    for breakdown in measurement.breakdowns:
        found: dict[str, Mapping[str, Resampled]] = {}
        for stream, entry in enumerate(measurement.entries):
            by_seed = [resample_category_figures(sums.categories[breakdown.name]) for sums in entry.sums]
            found[entry.entry.name] = over_seeds(by_seed, stream)
        for floor in measurement.floors:
            found[floor.floor.name] = resample_category_figures(floor.sums.categories[breakdown.name])
        without_loss = {one.floor.name for one in measurement.floors if not one.floor.has_likelihood}
        steps = measurement.entries[0].sums[0].categories[breakdown.name][..., 0].sum(axis=0)
        categories = [
            CategoryResult(
                category,
                int(steps[index]),
                {name: _of_category(one["loss"], index) for name, one in found.items() if name not in without_loss},
                {name: _of_category(one["accuracy"], index) for name, one in found.items()},
            )
            for index, category in enumerate(breakdown.categories)
            if steps[index]
        ]
        result.append(BreakdownResult(breakdown.name, breakdown.title, measurement.space.name, categories))
    return result


def _of_category(resampled: Resampled, index: int) -> Estimate:
    value = float(resampled.value[index])
    return Estimate(value, interval(resampled.resampled[:, index]))


def _estimates(resampled: Mapping[str, Resampled]) -> Figures:
    return {name: one.estimate() for name, one in resampled.items()}

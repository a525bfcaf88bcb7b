"""Results as tidy CSV: one row a number."""

import csv
import io
from collections.abc import Iterator

from etude.pipelines.comparison.results.results import Results
from etude.pipelines.comparison.statistics.figures import Estimate

COLUMNS = ("kind", "name", "config", "seed", "space", "breakdown", "category", "figure", "value", "low", "high")

Row = dict[str, object]


def to_csv(results: Results) -> str:
    """All figures; `low` and `high` bound the 95% interval."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in (
        *_configurations(results),
        *_floors(results),
        *_pairs(results),
        *_breakdowns(results),
        *_music(results),
    ):
        writer.writerow(row)
    return text.getvalue()


def _configurations(results: Results) -> Iterator[Row]:
    for one in results.configurations:
        common = {"name": one.name, "config": one.config, "space": one.space}
        for figure, estimate in one.figures.items():
            yield {"kind": "configuration", **common, "figure": figure, **_numbers(estimate)}
        for run in one.runs:
            for figure, estimate in run.figures.items():
                yield {"kind": "run", **common, "name": run.name, "seed": run.seed, "figure": figure} | _numbers(
                    estimate
                )
        for figure, value in results.published.get(one.name, {}).items():
            yield {"kind": "published", **common, "figure": figure, "value": value}


def _floors(results: Results) -> Iterator[Row]:
    for one in results.floors:
        for figure, estimate in one.figures.items():
            yield {"kind": "floor", "name": one.name, "space": one.space, "figure": figure, **_numbers(estimate)}


def _pairs(results: Results) -> Iterator[Row]:
    for one in results.pairs:
        common = {"kind": "pair", "name": f"{one.first} - {one.second}", "space": one.space}
        yield {**common, "figure": "nats_per_step", **_numbers(one.nats_per_step)}
        yield {**common, "figure": "bits_per_note", **_numbers(one.bits_per_note)}
        yield {**common, "figure": "p_value", "value": one.p_value}
        yield {**common, "figure": "p_value_corrected", "value": one.p_value_corrected}


def _breakdowns(results: Results) -> Iterator[Row]:
    for one in results.breakdowns:
        for category in one.categories:
            common = {"kind": "breakdown", "space": one.space, "breakdown": one.name, "category": category.category}
            yield {**common, "figure": "num_steps", "value": category.num_steps}
            for figure, estimates in (("event.loss", category.loss), ("event.accuracy", category.accuracy)):
                for name, estimate in estimates.items():
                    yield {**common, "name": name, "figure": figure, **_numbers(estimate)}


def _music(results: Results) -> Iterator[Row]:
    for result in results.music:
        for one in result.sets:
            common = {"kind": "music", "name": one.name, "space": result.space}
            for measure, estimate in one.measures.items():
                yield {**common, "figure": measure, **_numbers(estimate)}
            for kind, found in (("relative", one.relative), ("distribution", one.distributions)):
                for measure, likeness in found.items():
                    for figure, value in likeness._asdict().items():
                        yield {**common, "breakdown": kind, "category": measure, "figure": figure, "value": value}
            for n, share in one.copied.items():
                yield {**common, "figure": f"copied_{n}", "value": share}
            for figure, value in one.likelihoods.items():
                yield {**common, "figure": figure, "value": value}


def _numbers(estimate: Estimate) -> Row:
    if estimate.value is None:
        return {}
    low, high = (round(bound, 10) for bound in estimate.interval) if estimate.interval else ("", "")
    return {"value": round(estimate.value, 10), "low": low, "high": high}

"""Results as tidy CSV: one row a number."""

import csv
import io
from collections.abc import Iterator

from etude.pipelines.comparison.results.results import Results
from etude.pipelines.comparison.statistics.figures import Estimate

COLUMNS = ("kind", "name", "config", "seed", "domain", "breakdown", "category", "figure", "value", "low", "high")

Row = dict[str, object]


def to_csv(results: Results) -> str:
    """All figures; `low` and `high` bound the 95% interval.

    The column of domains is called `pitch_range` where all are of melodies.
    """
    text = io.StringIO()
    keys = {results.words(domain).domain_key for domain in results.domains()}
    key = keys.pop() if len(keys) == 1 else "domain"
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writerow({name: key if name == "domain" else name for name in COLUMNS})
    for row in (
        *_configurations(results),
        *_baselines(results),
        *_pairs(results),
        *_pieces(results),
        *_breakdowns(results),
        *_music(results),
    ):
        writer.writerow(row)
    return text.getvalue()


def _configurations(results: Results) -> Iterator[Row]:
    for configuration in results.configurations:
        common = {"name": configuration.name, "config": configuration.config, "domain": configuration.domain}
        for figure, estimate in configuration.figures.items():
            yield {"kind": "configuration", **common, "figure": figure, **_numbers(estimate)}
        for run in configuration.runs:
            for figure, estimate in run.figures.items():
                yield {"kind": "run", **common, "name": run.name, "seed": run.seed, "figure": figure} | _numbers(
                    estimate
                )
        for figure, value in results.published.get(configuration.name, {}).items():
            yield {"kind": "published", **common, "figure": figure, "value": value}


def _baselines(results: Results) -> Iterator[Row]:
    for baseline in results.baselines:
        for figure, estimate in baseline.figures.items():
            yield {
                "kind": "baseline",
                "name": baseline.name,
                "domain": baseline.domain,
                "figure": figure,
                **_numbers(estimate),
            }


def _pairs(results: Results) -> Iterator[Row]:
    for pair in results.pairs:
        common = {"kind": "pair", "name": f"{pair.first} - {pair.second}", "domain": pair.domain}
        yield {**common, "figure": "nats_per_step", **_numbers(pair.nats_per_step)}
        yield {**common, "figure": "bits_per_note", **_numbers(pair.bits_per_note)}
        yield {**common, "figure": "p_value", "value": pair.p_value}
        yield {**common, "figure": "p_value_corrected", "value": pair.p_value_corrected}


def _pieces(results: Results) -> Iterator[Row]:
    for result in results.pieces:
        for name, figures in result.figures.items():
            for figure, estimate in figures.items():
                yield {
                    "kind": "pieces",
                    "name": name,
                    "category": result.covers,
                    "figure": figure,
                    **_numbers(estimate),
                }
        for floor in result.floors:
            common = {"kind": "floor", "name": f"{floor.title} of {floor.representation}", "category": result.covers}
            for figure, estimate in floor.figures.items():
                yield {**common, "figure": figure, **_numbers(estimate)}
        for pair in result.pairs:
            common = {"kind": "pieces-pair", "name": f"{pair.first} - {pair.second}", "category": result.covers}
            yield {**common, "figure": "nats_per_piece", **_numbers(pair.nats_per_piece)}
            yield {**common, "figure": "bits_per_note", **_numbers(pair.bits_per_note)}
            yield {**common, "figure": "p_value", "value": pair.p_value}
            yield {**common, "figure": "p_value_corrected", "value": pair.p_value_corrected}


def _breakdowns(results: Results) -> Iterator[Row]:
    for breakdown in results.breakdowns:
        for category in breakdown.categories:
            common = {
                "kind": "breakdown",
                "domain": breakdown.domain,
                "breakdown": breakdown.name,
                "category": category.category,
            }
            yield {**common, "figure": "num_steps", "value": category.num_steps}
            group = results.words(breakdown.domain).group
            for figure, estimates in ((f"{group}.loss", category.loss), (f"{group}.accuracy", category.accuracy)):
                for name, estimate in estimates.items():
                    yield {**common, "name": name, "figure": figure, **_numbers(estimate)}


def _music(results: Results) -> Iterator[Row]:
    for result in results.music:
        for generated_set in result.sets:
            common = {"kind": "music", "name": generated_set.name, "domain": result.domain}
            for measure, estimate in generated_set.measures.items():
                yield {**common, "figure": measure, **_numbers(estimate)}
            for kind, found in (("relative", generated_set.relative), ("distribution", generated_set.distributions)):
                for measure, similarity in found.items():
                    for figure, value in similarity._asdict().items():
                        yield {**common, "breakdown": kind, "category": measure, "figure": figure, "value": value}
            for n, share in generated_set.copied.items():
                yield {**common, "figure": f"copied_{n}", "value": share}
            for figure, value in generated_set.likelihoods.items():
                yield {**common, "figure": figure, "value": value}


def _numbers(estimate: Estimate) -> Row:
    if estimate.value is None:
        return {}
    low, high = (round(bound, 10) for bound in estimate.interval) if estimate.interval else ("", "")
    return {"value": round(estimate.value, 10), "low": low, "high": high}

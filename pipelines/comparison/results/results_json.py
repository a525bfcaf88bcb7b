"""Results as JSON, under the names that all commands use for figures."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from etude.models.evaluation.figures import nested
from etude.pipelines.comparison.results.results import (
    BaselineResult,
    BreakdownResult,
    ConfigurationResult,
    DatasetResult,
    Figures,
    MusicResult,
    PairResult,
    Results,
    RunResult,
)

_DECIMALS = 10
"""Enough for every use, and few enough to be the same wherever sums are added in another order."""


def to_json(results: Results) -> str:
    """The whole of the results, always in the same order."""
    return json.dumps(_results(results), indent=2, ensure_ascii=False) + "\n"


def _results(results: Results) -> dict[str, Any]:
    several = {"datasets": [_dataset(one) for one in results.datasets]} if len(results.datasets) > 1 else {}
    pieces = {"pieces": [_plain(dataclasses.asdict(one)) for one in results.pieces]} if results.pieces else {}
    samples = {"samples": [_plain(dataclasses.asdict(one)) for one in results.samples]} if results.samples else {}
    return {
        "version": results.version,
        "command": results.command,
        "checkpoint": results.checkpoint,
        "verdict": dataclasses.asdict(results.verdict),
        "dataset": _dataset(results.dataset),
        **several,
        "configurations": [_configuration(one, _split(results, one.domain)) for one in results.configurations],
        "baselines": [_baseline(one, _split(results, one.domain)) for one in results.baselines],
        "pairs": [_in_domain(results, one) for one in results.pairs],
        **pieces,
        **samples,
        "breakdowns": [_in_domain(results, one) for one in results.breakdowns],
        "music": [_music(generated_set) for generated_set in results.music],
        "published": {name: dict(figures) for name, figures in results.published.items()},
    }


def _dataset(result: DatasetResult) -> dict[str, Any]:
    """A dataset; of melodies without what goes without saying."""
    values = dataclasses.asdict(result)
    representation, words = values.pop("representation"), result.words
    del values["words"]
    if words.are_melodies:
        return values
    del values["steps_per_quarter"]
    renamed = {words.num_sequences_key if name == "num_melodies" else name: value for name, value in values.items()}
    return {"representation": representation, **renamed}


def _split(results: Results, domain: str) -> dict[str, Any]:
    """What was evaluated."""
    dataset = results.dataset_of(domain)
    return {
        "split": dataset.split,
        results.words(domain).num_sequences_key: dataset.num_melodies,
        "num_steps": dataset.num_steps,
    }


def _in_domain(results: Results, result: PairResult | BreakdownResult) -> dict[str, Any]:
    """All of a result, its domain under the name that it has."""
    key = results.words(result.domain).domain_key
    return {key if name == "domain" else name: _plain(value) for name, value in dataclasses.asdict(result).items()}


def _configuration(result: ConfigurationResult, split: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "config": result.config,
        result.words.domain_key: result.domain,
        "hyperparameters": _plain(dict(result.hyperparameters)),
        "changed": list(result.changed),
        "num_training_steps": result.num_training_steps,
        **split,
        **_figures(result.figures),
        "seeds": nested({name: _plain(dataclasses.asdict(one)) for name, one in result.spread.items()}),
        "best_baseline": result.best_baseline,
        "nats_over_baseline": _plain(dataclasses.asdict(result.nats_over_baseline)),
        "runs": [_run(run, result.config, split) for run in result.runs],
    }


def _run(result: RunResult, config: str, split: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "config": config,
        "name": result.name,
        "model": result.path,
        "seed": result.seed,
        "step": result.step,
        "training_fingerprint": result.training_fingerprint,
        **split,
        **_figures(result.figures),
    }


def _baseline(result: BaselineResult, split: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "summary": result.summary,
        result.words.domain_key: result.domain,
        **split,
        **_figures(result.figures),
    }


def _music(result: MusicResult) -> dict[str, Any]:
    return {
        "pitch_range": result.domain,
        "num_steps": result.num_steps,
        "sets": [
            {
                "name": generated_set.name,
                "num_melodies": generated_set.num_melodies,
                "measures": {
                    name: _plain(dataclasses.asdict(estimate)) for name, estimate in generated_set.measures.items()
                },
                "relative": {name: _plain(similarity._asdict()) for name, similarity in generated_set.relative.items()},
                "distributions": {
                    name: _plain(similarity._asdict()) for name, similarity in generated_set.distributions.items()
                },
                "copied": {str(n): _plain(share) for n, share in generated_set.copied.items()},
                **_plain(generated_set.likelihoods),
            }
            for generated_set in result.sets
        ],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    """The figures themselves, and their intervals under the same names in `intervals`."""
    values = {name: _plain(one.value) for name, one in figures.items()}
    intervals = {name: _plain(one.interval) for name, one in figures.items()}
    return {**nested(values), "intervals": nested(intervals)}


def _plain(value: Any) -> Any:
    """Numbers rounded, all the way down."""
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

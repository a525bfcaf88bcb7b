"""The result of a comparison as a table for a terminal."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

FIGURES = {
    "loss": "label.loss",
    "perplexity": "label.perplexity",
    "accuracy": "label.accuracy",
    "log-likelihood": "log_likelihood",
    "event loss": "event.loss",
}
"""Column and figure."""


def read_results(path: pathlib.Path) -> dict[str, Any]:
    """The contents of a results.json."""
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def format_results(results: Mapping[str, Any]) -> str:
    """Configurations and baselines, lowest event loss first, and what can be said of them."""
    rows = [row for row in [*results["configurations"], *results["baselines"]] if row["event"]["loss"] is not None]
    rows.sort(key=lambda row: row["event"]["loss"])
    width = max(len(row["title"]) for row in rows)
    lines = [" ".join([" " * width, *(f"{column:>14}" for column in FIGURES)]) + "  95% interval"]
    for row in rows:
        cells = [_number(_find(row, figure)) for figure in FIGURES.values()]
        interval = _find(row["intervals"], "event.loss")
        shown = f"  {interval[0]:.4f} to {interval[1]:.4f}" if interval else ""
        lines.append(" ".join([row["title"].ljust(width), *cells]) + shown)
    verdict, dataset = results["verdict"], results["dataset"]
    lines += ["", verdict["headline"], verdict["sureness"], ""]
    lines.append(
        f"The figures rest on {dataset['num_melodies']:,} melodies of the {dataset['split']} split "
        f"({dataset['num_steps']:,} predicted steps, {dataset['num_notes']:,} notes)."
    )
    return "\n".join(lines)


def _find(row: Mapping[str, Any], figure: str) -> Any:
    value: Any = row
    for part in figure.split("."):
        value = value[part]
    return value


def _number(value: float | None) -> str:
    return " " * 14 if value is None else f"{value:14.4f}"

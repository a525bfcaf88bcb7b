"""The result of a comparison as a table for a terminal."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column: its title, its figure, and how many decimals it has; shares are percentages."""

    title: str
    figure: str
    decimals: int
    is_share: bool = False


FIGURES = (
    Column("bits a note", "event.bits_per_note", 3),
    Column("accuracy", "event.accuracy", 1, is_share=True),
    Column("label loss", "label.loss", 4),
    Column("perplexity", "label.perplexity", 3),
    Column("log-likelihood", "log_likelihood", 1),
)
"""What follows the event loss, which ranks."""


def read_results(path: pathlib.Path) -> dict[str, Any]:
    """The contents of a results.json."""
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def format_results(results: Mapping[str, Any]) -> str:
    """Configurations and baselines by what they are ranked by, the lowest event loss first, and what can be said of them."""
    rows = [row for row in [*results["configurations"], *results["baselines"]] if row["event"]["loss"] is not None]
    rows.sort(key=lambda row: row["event"]["loss"])
    width = max(len(row["title"]) for row in rows)
    titles = [f"{column.title:>{_width(column)}}" for column in FIGURES]
    lines = [" ".join([" " * width, "event loss", f"{'95% interval':>16}", *titles])]
    for row in rows:
        interval = _find(row["intervals"], "event.loss")
        shown = f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""
        cells = [_cell(_find(row, column.figure), column) for column in FIGURES]
        lines.append(" ".join([row["title"].ljust(width), f"{row['event']['loss']:10.4f}", f"{shown:>16}", *cells]))
    verdict, dataset = results["verdict"], results["dataset"]
    lines += ["", "Event loss, in nats a step, ranks: the lower, the better.", ""]
    lines += [verdict["headline"], verdict["sureness"], *verdict["sentences"][:1], ""]
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


def _cell(value: float | None, column: Column) -> str:
    if value is None:
        return " " * _width(column)
    form = "%" if column.is_share else "f"
    return f"{value:{_width(column)}.{column.decimals}{form}}"


def _width(column: Column) -> int:
    return max(len(column.title), 9)

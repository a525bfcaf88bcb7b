"""The result of a comparison as a table for a terminal."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column: its title, its figure, and how many decimals it has; shares are percentages."""

    title: str
    figure: str
    decimals: int
    is_share: bool = False


FIGURES = (
    Column("bits a note", "{group}.bits_per_note", 3),
    Column("accuracy", "{group}.accuracy", 1, is_share=True),
    Column("label loss", "label.loss", 4),
    Column("perplexity", "label.perplexity", 3),
    Column("log-likelihood", "log_likelihood", 1),
)
"""What follows the loss over tokens, which ranks; the group of figures over tokens is put in."""


_STEPS = {"event": "step", "token": "token"}


def read_results(path: pathlib.Path) -> dict[str, Any]:
    """The contents of a results.json."""
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def format_results(results: Mapping[str, Any]) -> str:
    """Configurations and baselines by what they are ranked by, the lowest event loss first, and what can be said of them."""
    every = [row for row in [*results["configurations"], *results["baselines"]] if _loss(row) is not None]
    width = max(len(row["title"]) for row in every)
    lines = []
    for domain in dict.fromkeys(map(_domain, every)):
        rows = sorted((row for row in every if _domain(row) == domain), key=_loss)
        lines += [*([domain] if domain else []), *_table(rows, _group(rows[0]), width), ""]
    for pieces in results.get("pieces", ()):
        if pieces["coverage"]:
            lines += [*_tunes(pieces, {row["name"]: row["title"] for row in results["configurations"]}), ""]
    verdict = results["verdict"]
    groups = dict.fromkeys(map(_group, every))
    losses = " and ".join(f"{group} loss, in nats a {_STEPS[group]}," for group in groups).capitalize()
    lines += [f"{losses} ranks: the lower, the better.", ""]
    lines += [verdict["headline"], verdict["sureness"], *verdict["sentences"][: 1 + len(results.get("pieces", ()))], ""]
    lines += [_basis(dataset) for dataset in results.get("datasets", [results["dataset"]])]
    return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, Any]], group: str, width: int) -> list[str]:
    titles = [f"{column.title:>{_width(column)}}" for column in FIGURES]
    lines = [" ".join([" " * width, f"{group} loss", f"{'95% interval':>16}", *titles])]
    for row in rows:
        interval = _find(row["intervals"], f"{group}.loss")
        shown = f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""
        cells = [_cell(_find(row, column.figure.format(group=group)), column) for column in FIGURES]
        lines.append(" ".join([row["title"].ljust(width), f"{_loss(row):10.4f}", f"{shown:>16}", *cells]))
    return lines


def _tunes(pieces: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """What a note of the same tunes costs, fewest bits first; floors among the models."""
    rows = [(titles[name], figures) for name, figures in pieces["figures"].items()]
    rows += [(f"{one['title']} of {one['representation']} (floor)", one["figures"]) for one in pieces["floors"]]
    rows.sort(key=lambda row: row[1]["bits_per_note"]["value"])
    width = max(len(title) for title, _ in rows)
    lines = [f"{'':{width}} bits a note {'95% interval':>16} without the end nats a tune"]
    for title, figures in rows:
        bits, nats = figures["bits_per_note"], figures["nats_per_piece"]["value"]
        low, high = bits["interval"]
        without = figures.get("bits_per_note_without_end", {"value": None})["value"]
        shown = f"{without:15.4f}" if without is not None else " " * 15
        lines.append(f"{title:{width}} {bits['value']:11.4f} {low:.4f} to {high:.4f} {shown} {nats:11.1f}")
    return lines


def _basis(dataset: Mapping[str, Any]) -> str:
    things, steps = ("melodies", "steps") if "num_melodies" in dataset else ("sequences", "tokens")
    notes = f", {dataset['num_notes']:,} notes" if dataset["num_notes"] else ""
    of = f" of {dataset['representation']}" if "representation" in dataset else ""
    return (
        f"The figures{of} rest on {dataset[f'num_{things}']:,} {things} of the {dataset['split']} split "
        f"({dataset['num_steps']:,} predicted {steps}{notes})."
    )


def _domain(row: Mapping[str, Any]) -> str:
    """What rows of one table share: melodies of all ranges have one, sequences of each vocabulary another."""
    return str(row.get("domain", ""))


def _group(row: Mapping[str, Any]) -> str:
    """The group of a row's figures over tokens: events are those of melodies."""
    return "event" if "event" in row else "token"


def _loss(row: Mapping[str, Any]) -> Any:
    return row[_group(row)]["loss"]


def _find(row: Mapping[str, Any], figure: str) -> Any:
    value: Any = row
    for part in figure.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _cell(value: float | None, column: Column) -> str:
    if value is None:
        return " " * _width(column)
    form = "%" if column.is_share else "f"
    return f"{value:{_width(column)}.{column.decimals}{form}}"


def _width(column: Column) -> int:
    return max(len(column.title), 9)

"""The data: where it comes from, how much there is, how it was split, and what was left out."""

from collections.abc import Mapping
from typing import Any

from etude.pipelines.comparison.breakdowns import metre_name
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import details, element, escape, items, paragraph, percentage, section, table


def data_section(content: Content) -> str:
    """All that dataset.json says, for people."""
    dataset = content.results.dataset
    description = dataset.description
    splits: list[Mapping[str, Any]] = description.get("splits", [])
    rows = [
        [
            escape(split["name"]),
            *(f"{int(split.get(name, 0)):,}" for name in ("num_melodies", "num_steps", "num_notes", "max_steps")),
        ]
        for split in splits
    ]
    sources = content.presentation.sources
    parts = [
        items([f"Source: {source}" for source in sources]) if sources else "",
        table("Splits", ["", "Melodies", "Steps", "Notes", "Longest, steps"], rows),
        paragraph(_split_rule(description)),
        element("p", "Fingerprint " + element("code", escape(dataset.fingerprint), class_="long")),
        _metres(splits, dataset.steps_per_quarter),
        _rejected(description),
        _overlap(description),
    ]
    return section("data", "The data", *parts)


def _split_rule(description: Mapping[str, Any]) -> str:
    rule = description.get("split_rule", {})
    salt = rule.get("salt", "")
    dropped = int(description.get("num_leaked_melodies_dropped", 0))
    pieces = int(description.get("num_pieces", 0))
    return (
        f"{pieces:,} pieces, split by a hash of their content (intervals and rhythm), so that a copy of a tune, in any "
        f"key, stays on its side: {percentage(float(rule.get('eval_ratio', 0)))} for evaluation"
        + (f", salt “{salt}”" if salt else "")
        + f". {dropped:,} held-out melodies were dropped because the training melodies hold them too."
    )


def _metres(splits: list[Mapping[str, Any]], steps_per_quarter: int) -> str:
    metres = sorted({int(bar) for split in splits for bar in split.get("melodies_by_steps_per_bar", {})})
    if not metres:
        return ""
    rows = [
        [
            escape(metre_name(bar, steps_per_quarter)),
            *(f"{int(split.get('melodies_by_steps_per_bar', {}).get(str(bar), 0)):,}" for split in splits),
        ]
        for bar in metres
    ]
    return details("Melodies by metre", table("Melodies by metre", ["", *(split["name"] for split in splits)], rows))


def _rejected(description: Mapping[str, Any]) -> str:
    rejected = {reason: int(count) for reason, count in description.get("rejected", {}).items()}
    if not rejected:
        return ""
    rows = [[escape(reason), f"{count:,}"] for reason, count in sorted(rejected.items(), key=lambda item: -item[1])]
    return details("Music that gave no melody", table("Rejected, by reason", ["", "Count"], rows))


def _overlap(description: Mapping[str, Any]) -> str:
    overlap = description.get("eval_ngram_overlap", {})
    if not overlap:
        return ""
    rows = [[f"{n} notes", percentage(float(overlap[n]))] for n in sorted(overlap, key=int)]
    caption = "Runs of notes in the eval split that the training split holds too"
    return details("How much of the eval split is in the training split", table(caption, ["", "Share"], rows))

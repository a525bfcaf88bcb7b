"""The data: where it comes from, how much there is, how it was split, and what was left out."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from etude.pipelines.comparison.breakdowns import metre_name
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, details, items, join, paragraph, percentage, table


def data_section(content: Content) -> Section:
    """All that dataset.json says, for people."""
    dataset = content.results.dataset
    description = dataset.description
    splits: list[Mapping[str, Any]] = description.get("splits", [])
    rows = [
        [
            split["name"],
            *(f"{int(split.get(name, 0)):,}" for name in ("num_melodies", "num_steps", "num_notes", "max_steps")),
        ]
        for split in splits
    ]
    parts = join(
        items(f"Source: {source}" for source in content.presentation.sources),
        table("Splits", ["Split", "Melodies", "Steps", "Notes", "Longest, steps"], rows),
        paragraph(_split_rule(description)),
        _lost(description),
        element("p", "Fingerprint ", element("code", dataset.fingerprint, class_="long")),
        _metres(splits, dataset.steps_per_quarter),
        _overlap(description),
    )
    return Section("data", "The data", parts)


def _split_rule(description: Mapping[str, Any]) -> str:
    rule = description.get("split_rule", {})
    salt = rule.get("salt", "")
    pieces = int(description.get("num_pieces", 0))
    return (
        f"{pieces:,} pieces, split by a hash of their content (intervals and rhythm), so that a copy of a tune, in any "
        f"key, stays on its side: {percentage(float(rule.get('eval_ratio', 0)))} for evaluation"
        + (f", salt “{salt}”" if salt else "")
        + "."
    )


def _lost(description: Mapping[str, Any]) -> Markup:
    """What is in the sources and not in the splits, as a sentence and by reason."""
    rejected = {reason: int(count) for reason, count in description.get("rejected", {}).items()}
    leaked = int(description.get("num_leaked_melodies_dropped", 0))
    melodies = sum(int(split.get("num_melodies", 0)) for split in description.get("splits", []))
    sentence = (
        f"What was lost: {sum(rejected.values()):,} tracks or parts of tracks gave no melody, beside the {melodies:,} "
        f"melodies that are here; {leaked:,} held-out melodies were dropped because the training melodies hold them too."
    )
    rows = [[reason, f"{count:,}"] for reason, count in sorted(rejected.items(), key=lambda item: -item[1])]
    return join(paragraph(sentence), table("Rejected, by reason", ["Reason", "Count"], rows) if rows else "")


def _metres(splits: list[Mapping[str, Any]], steps_per_quarter: int) -> Markup:
    metres = sorted({int(bar) for split in splits for bar in split.get("melodies_by_steps_per_bar", {})})
    if not metres:
        return Markup("")
    rows = [
        [
            metre_name(bar, steps_per_quarter),
            *(f"{int(split.get('melodies_by_steps_per_bar', {}).get(str(bar), 0)):,}" for split in splits),
        ]
        for bar in metres
    ]
    columns = ["Metre", *(split["name"] for split in splits)]
    return details("Melodies by metre", table("Melodies by metre", columns, rows))


def _overlap(description: Mapping[str, Any]) -> Markup:
    overlap = description.get("eval_ngram_overlap", {})
    if not overlap:
        return Markup("")
    rows = [[f"{n} notes", percentage(float(overlap[n]))] for n in sorted(overlap, key=int)]
    caption = "Runs of notes in the eval split that the training split holds too"
    return details("How much of the eval split is in the training split", table(caption, ["Runs of", "Share"], rows))

"""The data: where it comes from, how much there is, how it was split, and what was left out."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from etude.pipelines.comparison.breakdowns import metre_name
from etude.pipelines.comparison.results.results import DatasetResult
from etude.pipelines.comparison.words import Words
from etude.pipelines.reasons import REMARKS
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, details, heading, items, join, paragraph, percentage, table


def data_section(content: Content) -> Section:
    """All that dataset.json says, for people; of each dataset, where there are several."""
    datasets = content.results.datasets
    sources = items(f"Source: {source}" for source in content.presentation.sources)
    parts = [
        join(heading(f"As {one.representation}") if len(datasets) > 1 else "", _dataset(one, len(datasets) > 1))
        for one in datasets
    ]
    return Section("data", "The data", join(sources, *parts))


def _dataset(dataset: DatasetResult, is_one_of_several: bool) -> Markup:
    description, words = dataset.description, dataset.words
    of = f" of {dataset.representation}" if is_one_of_several else ""
    splits: list[Mapping[str, Any]] = description.get("splits", [])
    rows = [
        [
            split["name"],
            *(f"{int(split.get(name, 0)):,}" for name in ("num_melodies", "num_steps", "num_notes", "max_steps")),
        ]
        for split in splits
    ]
    columns = ["Split", words.sequences.capitalize(), words.steps.capitalize(), "Notes", f"Longest, {words.steps}"]
    return join(
        table(f"Splits{of}", columns, rows),
        paragraph(_split_rule(description)),
        _lost(description, words, of),
        _remarks(description, words),
        element("p", "Fingerprint ", element("code", dataset.fingerprint, class_="long")),
        _metres(splits, dataset, of),
        _overlap(description, words, of),
    )


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


def _lost(description: Mapping[str, Any], words: Words, of: str) -> Markup:
    """What is in the sources and not in the splits, as a sentence and by reason."""
    rejected = {reason: int(count) for reason, count in description.get("rejected", {}).items()}
    leaked = int(description.get("num_leaked_melodies_dropped", 0))
    melodies = sum(int(split.get("num_melodies", 0)) for split in description.get("splits", []))
    things, what = words.sequences, "tracks or parts of tracks" if words.are_melodies else "pieces or parts of pieces"
    sentence = (
        f"What was lost: {sum(rejected.values()):,} {what} gave no {words.sequence}, beside the {melodies:,} "
        f"{things} that are here; {leaked:,} held-out {things} were dropped because the training {things} hold them too."
    )
    rows = [[reason, f"{count:,}"] for reason, count in sorted(rejected.items(), key=lambda item: -item[1])]
    return join(paragraph(sentence), table(f"Rejected{of}, by reason", ["Reason", "Count"], rows) if rows else "")


def _remarks(description: Mapping[str, Any], words: Words) -> Markup:
    """What else the dataset says of its pieces, such as that chords were inferred."""
    counts = description.get("remarks", {})
    return items(
        f"{int(count):,} {words.sequences} {REMARKS.get(name, name)}" for name, count in sorted(counts.items())
    )


def _metres(splits: list[Mapping[str, Any]], dataset: DatasetResult, of: str) -> Markup:
    metres = sorted({int(bar) for split in splits for bar in split.get("melodies_by_steps_per_bar", {})})
    if not metres:
        return Markup("")
    rows = [
        [
            metre_name(bar, dataset.steps_per_quarter),
            *(f"{int(split.get('melodies_by_steps_per_bar', {}).get(str(bar), 0)):,}" for split in splits),
        ]
        for bar in metres
    ]
    columns = ["Metre", *(split["name"] for split in splits)]
    title = f"{dataset.words.sequences.capitalize()} by metre{of}"
    return details(title, table(title, columns, rows))


def _overlap(description: Mapping[str, Any], words: Words, of: str) -> Markup:
    overlap = description.get("eval_ngram_overlap", {})
    if not overlap:
        return Markup("")
    units = "notes" if words.are_melodies else words.tokens
    rows = [[f"{n} {units}", percentage(float(overlap[n]))] for n in sorted(overlap, key=int)]
    caption = f"Runs of {units} in the eval split{of} that the training split holds too"
    return details(
        f"How much of the eval split{of} is in the training split", table(caption, ["Runs of", "Share"], rows)
    )

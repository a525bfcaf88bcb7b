"""The tables of figures: configurations, baselines, published figures, and pairs."""

from collections.abc import Sequence

from etude.pipelines.comparison.results.results import BaselineResult, ConfigurationResult, PiecesResult
from etude.pipelines.comparison.words import Words
from etude.pipelines.report.charts.dot_plot import key
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import (
    MISSING,
    Section,
    Text,
    details,
    estimate,
    heading,
    items,
    join,
    number,
    paragraph,
    percentage,
    table,
)

_PUBLISHED = (
    ("accuracy", "Accuracy", "label.accuracy"),
    ("loss", "Loss", "label.loss"),
    ("perplexity", "Perplexity", "label.mean_inverse_probability"),
)

_MAX_PAIRS = 15
"""Pairs that are open to view; more open on request."""

Figured = ConfigurationResult | BaselineResult

Column = tuple[str, str, int, bool]
"""A figure, the title of its column, its decimals, and whether it is a share."""


def figures_tables(content: Content) -> Section:
    """All tables of figures."""
    parts: list[Text] = []
    for domain in content.results.domains():
        members: list[Figured] = [
            *content.ranked(domain),
            *sorted(content.baselines(domain), key=_event_loss),
        ]
        words = content.words(domain)
        figures = _known(_token_figures(words), members)
        rows = [_row(content, member, figures) for member in members]
        columns = ["Configuration", *(title for _, title, _, _ in figures)]
        parts.append(table(f"{words.token.capitalize()} figures{content.apart(domain)}", columns, rows))
    parts += [_pieces(content, one) for one in content.results.pieces]
    parts.append(_pairs(content))
    parts.append(_published(content))
    parts.append(_costs(content))
    note = (
        "As Magenta defines them. Encodings have different labels, so that these figures are not comparable between "
        "configurations."
    )
    parts.append(details("Label figures", paragraph(note), *_label_tables(content)))
    parts.append(_runs(content))
    return Section("figures", "The figures", join(*parts))


def _token_figures(words: Words) -> tuple[Column, ...]:
    """The columns of figures over tokens."""
    return (
        (f"{words.group}.loss", f"Nats a {words.step}", 3, False),
        (f"{words.group}.bits_per_note", "Bits a note", 2, False),
        (f"{words.group}.accuracy", "Accuracy", 1, True),
        (f"{words.group}.log_likelihood", f"Log-likelihood a {words.sequence}", 1, False),
    )


def _label_figures(words: Words) -> tuple[Column, ...]:
    """The columns of figures over labels."""
    return (
        ("label.loss", "Loss", 3, False),
        ("label.perplexity", "Perplexity", 2, False),
        ("label.accuracy", "Accuracy", 1, True),
        ("label.event_accuracy", "Event accuracy", 1, True),
        ("label.no_event_accuracy", "No-event accuracy", 1, True),
        ("log_likelihood", f"Log-likelihood a {words.sequence}", 1, False),
        ("label.mean_inverse_probability", "Mean inverse probability", 2, False),
    )


def _known(columns: Sequence[Column], members: Sequence[Figured]) -> list[Column]:
    """The columns that all members have figures for."""
    return [column for column in columns if all(column[0] in one.figures for one in members)]


def _label_tables(content: Content) -> list[Text]:
    """One table for all domains whose sequences are called the same."""
    tables: list[Text] = []
    every_words = list(dict.fromkeys(one.words for one in content.results.configurations))
    for words in every_words:
        members = [one for one in content.results.configurations if one.words == words]
        figures = _known(_label_figures(words), members)
        rows = [_row(content, one, figures) for one in members]
        of = "" if len(every_words) == 1 else f" of {words.tokens}"
        tables.append(table(f"Label figures{of}", ["Configuration", *(title for _, title, _, _ in figures)], rows))
    return tables


def _pieces(content: Content, result: PiecesResult) -> Text:
    """What whole pieces cost in several representations."""
    names = sorted(result.figures, key=lambda name: result.figures[name]["nats_per_piece"].value or 0.0)
    representations = {one.name: one.representation for one in content.results.configurations}
    has_notes = all("bits_per_note" in figures for figures in result.figures.values())
    rows = [
        [
            join(key(content.style(name)), content.title(name)),
            representations[name],
            estimate(result.figures[name]["nats_per_piece"], 1),
            *([estimate(result.figures[name]["bits_per_note"], 3)] if has_notes else []),
        ]
        for name in names
    ]
    pairs = [
        [
            f"{content.title(pair.first)} over {content.title(pair.second)}",
            estimate(pair.nats_per_piece, 2),
            *([estimate(pair.bits_per_note)] if has_notes else []),
            "< 0.001" if pair.p_value_corrected < 0.001 else number(pair.p_value_corrected),
            "yes" if pair.is_told_apart else "no",
        ]
        for pair in result.pairs
    ]
    notes = ["Bits a note"] if has_notes else []
    better = ["Bits a note better"] if has_notes else []
    explained = (
        f"What the {result.covers} of a whole piece costs, over the {result.num_pieces:,} pieces that all representations "
        "have: tokens of different representations are not comparable, whole pieces are."
    )
    # Tunes have a section of their own.
    of_each = (
        []
        if result.coverage
        else [
            paragraph(explained),
            table(f"Whole pieces ({result.covers})", ["Configuration", "Representation", "Nats a piece", *notes], rows),
        ]
    )
    return join(
        heading(f"Whole pieces: {result.covers}"),
        *of_each,
        table(
            f"Every pair, on the same pieces ({result.covers})",
            ["Pair", "Nats a piece better", *better, "Corrected p", "Told apart"],
            pairs,
        ),
    )


def _row(content: Content, one: Figured, figures: Sequence[tuple[str, str, int, bool]]) -> list[Text]:
    return [
        join(key(content.style(one.name)), one.title),
        *(estimate(one.figures[name], decimals, share) for name, _, decimals, share in figures),
    ]


def _event_loss(baseline: BaselineResult) -> float:
    value = baseline.loss.value
    return float("inf") if value is None else value


def _pairs(content: Content) -> Text:
    if not content.results.pairs:
        return ""
    ranked = [configuration.name for domain in content.results.domains() for configuration in content.ranked(domain)]
    place = {name: index for index, name in enumerate(ranked)}
    rows = [
        [
            f"{content.title(pair.first)} over {content.title(pair.second)}",
            estimate(pair.nats_per_step),
            estimate(pair.bits_per_note),
            "< 0.001" if pair.p_value_corrected < 0.001 else number(pair.p_value_corrected),
            "yes" if pair.is_told_apart else "no",
        ]
        for pair in sorted(content.results.pairs, key=lambda pair: (place[pair.first], place[pair.second]))
    ]
    step = content.shared(lambda words: words.step, "token")
    sequences = content.shared(lambda words: words.sequences, "pieces")
    columns = ["Pair", f"Nats a {step} better", "Bits a note better", "Corrected p", "Told apart"]
    shown = table(f"Every pair, on the same {sequences}", columns, rows)
    return shown if len(rows) <= _MAX_PAIRS else details(f"Every pair: {len(rows)} of them", shown)


def _published(content: Content) -> Text:
    published = content.results.published
    if not published:
        return ""
    rows = []
    for configuration in content.results.configurations:
        for name, title, figure in _PUBLISHED:
            if configuration.name in published and name in published[configuration.name]:
                theirs = published[configuration.name][name]
                is_share = name == "accuracy"
                shown = percentage(theirs) if is_share else number(theirs, 3)
                rows.append(
                    [
                        f"{configuration.title}: {title.lower()}",
                        shown,
                        estimate(configuration.figures[figure], 3, is_share),
                    ]
                )
        if "path_log_likelihood" in published.get(configuration.name, {}):
            theirs = published[configuration.name]["path_log_likelihood"]
            ours = _mean_path_log_likelihood(content, configuration.name)
            rows.append(
                [
                    f"{configuration.title}: path log-likelihood of its melodies",
                    number(theirs, 1),
                    number(ours, 1),
                ]
            )
    return join(
        heading("Beside the published figures"),
        table("Published and ours", ["Figure", "Published", "Ours"], rows),
        items(content.presentation.notes),
    )


def _costs(content: Content) -> Text:
    """How large each configuration is, and how long it trained."""
    rows = [
        [
            join(key(content.style(configuration.name)), configuration.title),
            f"{content.costs[configuration.name].num_parameters:,}",
            f"{configuration.num_training_steps:,}" if configuration.num_training_steps else MISSING,
            number(content.costs[configuration.name].minutes, 1),
            number(content.costs[configuration.name].events_per_second, 0),
        ]
        for configuration in content.results.configurations
        if configuration.name in content.costs
    ]
    unit = content.shared(lambda words: words.tokens, "tokens")
    columns = ["Configuration", "Parameters", "Training steps", "Minutes a run", f"{unit.capitalize()} a second"]
    return table("What it took", columns, rows)


def _mean_path_log_likelihood(content: Content, name: str) -> float | None:
    sets = [
        generated_set for music in content.results.music for generated_set in music.sets if generated_set.name == name
    ]
    return sets[0].likelihoods.get("path_log_likelihood") if sets else None


def _runs(content: Content) -> Text:
    tables = []
    for words in dict.fromkeys(one.words for one in content.results.configurations):
        members = [one for one in content.results.configurations if one.words == words]
        figures = _known(_token_figures(words), members)
        rows = []
        for configuration in members:
            for run in configuration.runs:
                cells = [estimate(run.figures[name], decimals, share) for name, _, decimals, share in figures]
                seed = "unknown" if run.seed is None else str(run.seed)
                rows.append([run.name, configuration.title, seed, f"{run.step:,}", *cells])
        columns = ["Run", "Configuration", "Seed", "Step", *(title for _, title, _, _ in figures)]
        tables.append(table(f"{words.token.capitalize()} figures of every run", columns, rows))
    spread = [_spread(configuration) for configuration in content.results.configurations if configuration.spread]
    return details("Every run", items(spread), *tables)


def _spread(configuration: ConfigurationResult) -> str:
    """How far the seeds of a configuration lie apart, as a sentence."""
    words = configuration.words
    loss = configuration.spread[words.loss]
    return (
        f"{configuration.title}: {words.token} loss {number(loss.mean)} on average over {len(configuration.runs)} seeds, "
        f"standard deviation {number(loss.standard_deviation)}, from {number(loss.min)} to {number(loss.max)}."
    )

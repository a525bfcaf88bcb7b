"""The tables of figures: configurations, baselines, published figures, and pairs."""

from collections.abc import Sequence

from etude.pipelines.comparison.results.results import BaselineResult, ConfigurationResult
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

_EVENT_FIGURES = (
    ("event.loss", "Nats a step", 3, False),
    ("event.bits_per_note", "Bits a note", 2, False),
    ("event.accuracy", "Accuracy", 1, True),
    ("event.log_likelihood", "Log-likelihood a melody", 1, False),
)
_LABEL_FIGURES = (
    ("label.loss", "Loss", 3, False),
    ("label.perplexity", "Perplexity", 2, False),
    ("label.accuracy", "Accuracy", 1, True),
    ("label.event_accuracy", "Event accuracy", 1, True),
    ("label.no_event_accuracy", "No-event accuracy", 1, True),
    ("log_likelihood", "Log-likelihood a melody", 1, False),
    ("label.mean_inverse_probability", "Mean inverse probability", 2, False),
)
_PUBLISHED = (
    ("accuracy", "Accuracy", "label.accuracy"),
    ("loss", "Loss", "label.loss"),
    ("perplexity", "Perplexity", "label.mean_inverse_probability"),
)

Figured = ConfigurationResult | BaselineResult


def figures_tables(content: Content) -> Section:
    """All tables of figures."""
    parts: list[Text] = []
    for pitch_range in content.results.pitch_ranges():
        members: list[Figured] = [
            *content.ranked(pitch_range),
            *sorted(content.baselines(pitch_range), key=_event_loss),
        ]
        rows = [_row(content, member, _EVENT_FIGURES) for member in members]
        columns = ["Configuration", *(title for _, title, _, _ in _EVENT_FIGURES)]
        parts.append(table(f"Event figures{content.apart(pitch_range)}", columns, rows))
    parts.append(_pairs(content))
    parts.append(_published(content))
    parts.append(_costs(content))
    rows = [_row(content, configuration, _LABEL_FIGURES) for configuration in content.results.configurations]
    columns = ["Configuration", *(title for _, title, _, _ in _LABEL_FIGURES)]
    note = (
        "As Magenta defines them. Encodings have different labels, so that these figures are not comparable between "
        "configurations."
    )
    parts.append(details("Label figures", paragraph(note), table("Label figures", columns, rows)))
    parts.append(_runs(content))
    return Section("figures", "The figures", join(*parts))


def _row(content: Content, one: Figured, figures: Sequence[tuple[str, str, int, bool]]) -> list[Text]:
    return [
        join(key(content.style(one.name)), one.title),
        *(estimate(one.figures[name], decimals, share) for name, _, decimals, share in figures),
    ]


def _event_loss(baseline: BaselineResult) -> float:
    value = baseline.figures["event.loss"].value
    return float("inf") if value is None else value


def _pairs(content: Content) -> Text:
    if not content.results.pairs:
        return ""
    ranked = [
        configuration.name
        for pitch_range in content.results.pitch_ranges()
        for configuration in content.ranked(pitch_range)
    ]
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
    columns = ["Pair", "Nats a step better", "Bits a note better", "Corrected p", "Told apart"]
    return table("Every pair, on the same melodies", columns, rows)


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
        items(content.presentation.published_notes),
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
    columns = ["Configuration", "Parameters", "Training steps", "Minutes a run", "Events a second"]
    return table("What it took", columns, rows)


def _mean_path_log_likelihood(content: Content, name: str) -> float | None:
    sets = [
        generated_set for music in content.results.music for generated_set in music.sets if generated_set.name == name
    ]
    return sets[0].likelihoods.get("path_log_likelihood") if sets else None


def _runs(content: Content) -> Text:
    rows = []
    for configuration in content.results.configurations:
        for run in configuration.runs:
            cells = [estimate(run.figures[name], decimals, share) for name, _, decimals, share in _EVENT_FIGURES]
            seed = "unknown" if run.seed is None else str(run.seed)
            rows.append([run.name, configuration.title, seed, f"{run.step:,}", *cells])
    columns = ["Run", "Configuration", "Seed", "Step", *(title for _, title, _, _ in _EVENT_FIGURES)]
    spread = [_spread(configuration) for configuration in content.results.configurations if configuration.spread]
    return details("Every run", items(spread), table("Event figures of every run", columns, rows))


def _spread(configuration: ConfigurationResult) -> str:
    """How far the seeds of a configuration lie apart, as a sentence."""
    loss = configuration.spread["event.loss"]
    return (
        f"{configuration.title}: event loss {number(loss.mean)} on average over {len(configuration.runs)} seeds, standard "
        f"deviation {number(loss.standard_deviation)}, from {number(loss.min)} to {number(loss.max)}."
    )

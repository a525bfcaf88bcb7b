"""The first screen: the question, the answer, and the figures that it rests on."""

import re

from markupsafe import Markup

from etude.pipelines.comparison.results.results import BaselineResult, ConfigurationResult
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import figure, items, number, paragraph
from etude.pipelines.report.sections.tunes import bits_chart, tunes_result


def answer(content: Content) -> Markup:
    """Question, answer, and the chart of losses."""
    verdict = content.results.verdict
    dataset = content.results.dataset_of(content.main_domain)
    words = content.words(content.main_domain)
    seeds = sorted({len(configuration.runs) for configuration in content.results.configurations})
    runs = f"{seeds[0]} run{'s' if seeds[0] > 1 else ''}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} runs"
    tunes = tunes_result(content)
    basis = (
        f"{tunes.num_pieces:,} tunes of the {dataset.split} split, {tunes.num_notes:,} notes after the first; {runs} of each "
        "configuration; bars show 95% intervals."
        if tunes
        else f"{dataset.num_melodies:,} {words.sequences} of the {dataset.split} split, {dataset.num_steps:,} predicted "
        f"{words.steps}; "
        f"{runs} of each configuration; bars show 95% intervals."
    )
    text = element(
        "div",
        paragraph(content.presentation.question, "question"),
        element("h1", verdict.headline),
        paragraph(_unbroken(verdict.sureness)),
        paragraph(basis, "basis"),
    )
    chart = _chart(content, content.main_domain) if tunes is None else bits_chart(content, tunes)
    first_screen = element("div", text, chart, class_="first-screen")
    return element("header", first_screen, id="answer")


def remarks(content: Content) -> Markup:
    """What there is to add to the answer."""
    sentences = [*content.results.verdict.sentences]
    if not content.results.published:
        # Otherwise they stand beside the published figures.
        sentences += content.presentation.notes
    return element("section", items(map(_unbroken, sentences)), aria_label="What there is to add")


def _unbroken(sentence: str) -> str:
    """A sentence whose p-values stay on one line."""
    return re.sub(r"\bp ([<=]) (?=\d)", "p\u00a0\\1\u00a0", sentence)


def _chart(content: Content, domain: str) -> Markup:
    members: list[ConfigurationResult | BaselineResult] = [
        *content.configurations(domain),
        *content.baselines(domain),
    ]
    words = content.words(domain)
    known = [member for member in members if member.loss.value is not None]
    ranked = sorted(known, key=lambda one: one.loss.value or 0.0)
    rows = [
        DotRow(
            configuration.title,
            f"{number(configuration.loss.value)} nats",
            [Dot(configuration.title, content.style(configuration.name), configuration.loss)],
        )
        for configuration in ranked
    ]
    description = "; ".join(f"{row.label} {row.remark}" for row in rows)
    loss = f"{words.token} loss"
    chart = dot_plot(rows, f"{loss}, nats a {words.step}", f"{loss.capitalize()}, lowest first: {description}")
    return figure(chart, f"What the true {words.token} costs: lower is better; simple rules in grey")

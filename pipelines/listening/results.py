"""The results of a listening test on disk."""

import pathlib
from collections.abc import Sequence

from markupsafe import Markup

from etude.models.storage.files import write_text
from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.listening.analyse import Analysis, Group, sentences
from etude.pipelines.listening.statistics import Interval
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.page import document
from etude.pipelines.report.parts import Section, Text, estimate, figure, items, percentage, table

RESULTS_FILE = "listening.json"
REPORT_FILE = "listening.html"


def write_results(found: Analysis, folder: pathlib.Path) -> pathlib.Path:
    """Writes listening.json and listening.html to a folder; returns the latter.

    Raises:
      EtudeError: if the folder cannot be written to.
    """
    write_text(folder / RESULTS_FILE, found.to_json())
    write_text(folder / REPORT_FILE, page(found))
    return folder / REPORT_FILE


def page(found: Analysis) -> str:
    """The results as HTML, in one file."""
    rows = [*found.groups, found.everything]
    title = "Can listeners tell?"
    first = element(
        "header", element("h1", title), figure(_chart(rows), "How often listeners were right: 50% is chance")
    )
    sections = [
        Section("figures", "The figures", _table(rows, found)),
        Section("words", "What can be said", items(sentences(found))),
    ]
    return document(title, first, sections)


def _chart(rows: Sequence[Group]) -> Markup:
    drawn = [
        DotRow(row.name, percentage(row.share.value), [Dot(row.name, f"series-{place % 8}", _percent(row.share))])
        for place, row in enumerate(rows)
    ]
    told = "; ".join(f"{row.label} {row.remark}" for row in drawn)
    return dot_plot(drawn, "right answers, in percent", f"Right answers: {told}")


def _table(rows: Sequence[Group], found: Analysis) -> Markup:
    columns = ["", "Listeners", "Answers", "Right", "Wilson", "p", "d′", "Power"]
    shown: list[list[Text]] = [
        [
            row.name,
            str(row.num_listeners),
            str(row.num_answers),
            estimate(_estimate(row.share), as_percentage=True),
            f"{percentage(row.wilson[0])} to {percentage(row.wilson[1])}",
            f"{row.corrected_p:.2g}",
            estimate(_estimate(row.d_prime), 2),
            percentage(row.power),
        ]
        for row in rows
    ]
    if rows[0].called_real is not None:
        columns += ["Called real", "Real tunes called real"]
        for cells, row in zip(shown, rows, strict=True):
            cells += [percentage(one) for one in row.called_real or ()]
    return table(f"Answers to listening test {found.test}", columns, shown)


def _estimate(one: Interval) -> Estimate:
    return Estimate(one.value, None if one.low is None or one.high is None else (one.low, one.high))


def _percent(one: Interval) -> Estimate:
    bounds = _estimate(one).interval
    return Estimate(100 * one.value, bounds and (100 * bounds[0], 100 * bounds[1]))

"""Where the configurations are good and where they are not."""

from etude.pipelines.comparison.results.results import BaselineResult, BreakdownResult, ConfigurationResult
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.charts.line_chart import Line, legend, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import details, element, escape, estimate, figure, paragraph, section, table

_POSITION = "position_in_bar_"
_POSITION_CHARTS = 2


def breakdown_section(content: Content) -> str:
    """Position in the bar as curves, other divisions as rows of dots; all numbers in tables on request."""
    pitch_range = content.main_pitch_range
    found = [
        breakdown
        for breakdown in content.results.breakdowns
        if breakdown.pitch_range == pitch_range and breakdown.categories
    ]
    positions = [match for match in found if match.name.startswith(_POSITION)]
    frequent = sorted(positions, key=_num_steps, reverse=True)[:_POSITION_CHARTS]
    others = [match for match in found if not match.name.startswith(_POSITION) and len(match.categories) > 1]
    names = [
        (configuration.title, content.style(configuration.name))
        for configuration in content.configurations(pitch_range)
    ]
    charts = [*(_position_chart(content, one) for one in frequent), *(_dots(content, other) for other in others)]
    tables = "".join(_table(content, match) for match in found)
    note = "Event loss by kind of step: what each configuration finds hard."
    return section(
        "where",
        "Where they differ",
        paragraph(note),
        legend(names),
        element("div", "".join(charts), class_="charts"),
        details("The numbers", tables),
    )


def _num_steps(breakdown: BreakdownResult) -> int:
    return sum(category.num_steps for category in breakdown.categories)


def _position_chart(content: Content, breakdown: BreakdownResult) -> str:
    lines = [
        Line(
            configuration.title,
            content.style(configuration.name),
            [
                (float(category.category), category.loss[configuration.name].value or 0.0)
                for category in breakdown.categories
                if category.loss[configuration.name].value is not None
            ],
            has_markers=True,
        )
        for configuration in content.configurations(breakdown.pitch_range)
    ]
    quarter = content.results.dataset.steps_per_quarter
    marks = [
        float(categorie.category) for categorie in breakdown.categories if (int(categorie.category) - 1) % quarter == 0
    ]
    chart = line_chart(lines, "step of the bar", "event loss, nats", breakdown.title, x_ticks=marks)
    return figure(chart, breakdown.title)


def _dots(content: Content, breakdown: BreakdownResult) -> str:
    rows = [
        DotRow(
            category.category,
            f"{category.num_steps:,} steps",
            [
                Dot(configuration.title, content.style(configuration.name), category.loss[configuration.name])
                for configuration in content.configurations(breakdown.pitch_range)
            ],
        )
        for category in breakdown.categories
    ]
    return figure(dot_plot(rows, "event loss, nats a step", breakdown.title), breakdown.title)


def _table(content: Content, breakdown: BreakdownResult) -> str:
    members: list[ConfigurationResult | BaselineResult] = [
        *content.configurations(breakdown.pitch_range),
        *content.baselines(breakdown.pitch_range),
    ]
    shown = [member for member in members if member.name in breakdown.categories[0].loss]
    rows = [
        [escape(category.category), f"{category.num_steps:,}", *(estimate(category.loss[item.name]) for item in shown)]
        for category in breakdown.categories
    ]
    return table(f"{breakdown.title}: event loss", ["", "Steps", *(item.title for item in shown)], rows)

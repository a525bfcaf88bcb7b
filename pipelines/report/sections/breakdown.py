"""Where the configurations are good and where they are not."""

from etude.pipelines.comparison.results.results import BreakdownResult, ConfigurationResult, FloorResult
from etude.pipelines.rendering.markup import element, escape
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.charts.line_chart import Line, legend, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import details, estimate, figure, paragraph, section, table

_POSITION = "position_in_bar_"
_POSITION_CHARTS = 2


def breakdown_section(content: Content) -> str:
    """Position in the bar as curves, other divisions as rows of dots; all numbers in tables on request."""
    space = content.main_space
    found = [one for one in content.results.breakdowns if one.space == space and one.categories]
    positions = [one for one in found if one.name.startswith(_POSITION)]
    frequent = sorted(positions, key=_num_steps, reverse=True)[:_POSITION_CHARTS]
    others = [one for one in found if not one.name.startswith(_POSITION) and len(one.categories) > 1]
    names = [(one.title, content.style(one.name)) for one in content.configurations(space)]
    charts = [*(_position_chart(content, one) for one in frequent), *(_dots(content, one) for one in others)]
    tables = "".join(_table(content, one) for one in found)
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
            one.title,
            content.style(one.name),
            [
                (float(category.category), category.loss[one.name].value or 0.0)
                for category in breakdown.categories
                if category.loss[one.name].value is not None
            ],
            has_markers=True,
        )
        for one in content.configurations(breakdown.space)
    ]
    marks = [float(category.category) for category in breakdown.categories if (int(category.category) - 1) % 4 == 0]
    chart = line_chart(lines, "step of the bar", "event loss, nats", breakdown.title, x_ticks=marks)
    return figure(chart, breakdown.title)


def _dots(content: Content, breakdown: BreakdownResult) -> str:
    rows = [
        DotRow(
            category.category,
            f"{category.num_steps:,} steps",
            [
                Dot(one.title, content.style(one.name), category.loss[one.name])
                for one in content.configurations(breakdown.space)
            ],
        )
        for category in breakdown.categories
    ]
    return figure(dot_plot(rows, "event loss, nats a step", breakdown.title), breakdown.title)


def _table(content: Content, breakdown: BreakdownResult) -> str:
    members: list[ConfigurationResult | FloorResult] = [
        *content.configurations(breakdown.space),
        *content.floors(breakdown.space),
    ]
    shown = [one for one in members if one.name in breakdown.categories[0].loss]
    rows = [
        [escape(category.category), f"{category.num_steps:,}", *(estimate(category.loss[one.name]) for one in shown)]
        for category in breakdown.categories
    ]
    return table(f"{breakdown.title}: event loss", ["", "Steps", *(one.title for one in shown)], rows)

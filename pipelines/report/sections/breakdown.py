"""Where the configurations are good and where they are not."""

from markupsafe import Markup

from etude.pipelines.comparison.results.results import BaselineResult, BreakdownResult, ConfigurationResult
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.charts.line_chart import Line, key, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, details, estimate, figure, join, legend, number, paragraph, table

_POSITION = "position_in_bar_"
_POSITION_CHARTS = 2


def breakdown_section(content: Content) -> Section | None:
    """Position in the bar as curves, other divisions as rows of dots; all numbers in tables on request; None without."""
    domain = content.main_domain
    words = content.words(domain)
    found = [
        breakdown for breakdown in content.results.breakdowns if breakdown.domain == domain and breakdown.categories
    ]
    positions = [match for match in found if match.name.startswith(_POSITION)]
    frequent = sorted(positions, key=_num_steps, reverse=True)[:_POSITION_CHARTS]
    others = [match for match in found if not match.name.startswith(_POSITION) and len(match.categories) > 1]
    if not found:
        return None
    names = [
        (configuration.title, key(content.style(configuration.name)))
        for configuration in content.configurations(domain)
    ]
    charts = [*(_position_chart(content, one) for one in frequent), *(_dots(content, other) for other in others)]
    drawn = join(
        paragraph(f"{words.token.capitalize()} loss by kind of {words.step}: what each configuration finds hard."),
        legend(names),
        element("div", *charts, class_="charts"),
        details("The numbers", *(_table(content, match) for match in found)),
    )
    return Section("where", "Where they differ", drawn)


def _num_steps(breakdown: BreakdownResult) -> int:
    return sum(category.num_steps for category in breakdown.categories)


def _position_chart(content: Content, breakdown: BreakdownResult) -> Markup:
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
        for configuration in content.configurations(breakdown.domain)
    ]
    quarter = content.results.dataset_of(breakdown.domain).steps_per_quarter
    marks = [
        float(categorie.category) for categorie in breakdown.categories if (int(categorie.category) - 1) % quarter == 0
    ]
    hardest = "; ".join(f"{line.name} hardest at step {_hardest(line)}" for line in lines if line.points)
    chart = line_chart(lines, "step of the bar", "event loss, nats", f"{breakdown.title}: {hardest}", x_ticks=marks)
    return figure(chart, breakdown.title)


def _hardest(line: Line) -> str:
    place, loss = max(line.points, key=lambda point: point[1])
    return f"{place:g} ({number(loss)} nats)"


def _dots(content: Content, breakdown: BreakdownResult) -> Markup:
    words = content.words(breakdown.domain)
    rows = [
        DotRow(
            category.category,
            f"{category.num_steps:,} {words.steps}",
            [
                Dot(configuration.title, content.style(configuration.name), category.loss[configuration.name])
                for configuration in content.configurations(breakdown.domain)
            ],
        )
        for category in breakdown.categories
    ]
    said = "; ".join(
        f"{row.label}: " + ", ".join(f"{dot.name} {number(dot.estimate.value)}" for dot in row.dots) for row in rows
    )
    axis = f"{words.token} loss, nats a {words.step}"
    return figure(dot_plot(rows, axis, f"{breakdown.title}. {said}"), breakdown.title)


def _table(content: Content, breakdown: BreakdownResult) -> Markup:
    members: list[ConfigurationResult | BaselineResult] = [
        *content.configurations(breakdown.domain),
        *content.baselines(breakdown.domain),
    ]
    shown = [member for member in members if member.name in breakdown.categories[0].loss]
    rows = [
        [category.category, f"{category.num_steps:,}", *(estimate(category.loss[item.name]) for item in shown)]
        for category in breakdown.categories
    ]
    words = content.words(breakdown.domain)
    steps = words.steps.capitalize()
    columns = [f"{steps} of", steps, *(item.title for item in shown)]
    return table(f"{breakdown.title}: {words.token} loss", columns, rows)

"""What each setting does that was varied alone, all else as in the base."""

from markupsafe import Markup

from etude.pipelines.comparison.presentation import Sweep
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.charts.line_chart import key
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, figure, heading, join, legend, number, paragraph
from etude.pipelines.report.sections.curves import eval_chart, steps_axis

_NOTE = (
    "One setting at a time, all others as in the base. Bars show 95% intervals; those of two values overlap more than the "
    "interval of their difference, which the table of pairs has, says: the same sequences are in both."
)


def sweeps_section(content: Content) -> Section | None:
    """For each setting the loss of its values, and how they learnt; None where none was varied."""
    sweeps = content.presentation.sweeps
    if not sweeps:
        return None
    return Section("sweeps", "One setting at a time", join(paragraph(_NOTE), *(_sweep(content, one) for one in sweeps)))


def _sweep(content: Content, sweep: Sweep) -> Markup:
    results = {one.name: one for one in content.results.configurations}
    domain = results[sweep.points[0][1]].domain
    words = content.words(domain)
    loss = f"{words.token} loss"
    rows = [
        DotRow(
            label,
            f"{number(results[name].loss.value)} nats",
            [Dot(label, content.style(name), results[name].loss)],
        )
        for label, name in sweep.points
    ]
    said = "; ".join(f"{row.label} {row.remark}" for row in rows)
    chart = dot_plot(rows, f"{loss}, nats a {words.step}", f"{loss.capitalize()} by {sweep.title}: {said}")
    named = {name: label for label, name in sweep.points}
    axis = steps_axis(content)
    curves = eval_chart(content, domain, named, axis, f" against {axis}: {sweep.title}")
    keys = [(label, key(content.style(name))) for label, name in sweep.points]
    charts = element("div", figure(chart, f"{loss.capitalize()}: {sweep.title}"), curves, class_="charts")
    return join(heading(sweep.title), legend(keys), charts)

"""How fast the configurations learn."""

from pipelines.comparison.report.content import Content
from pipelines.comparison.report.line_chart import Level, Line, legend, line_chart
from pipelines.comparison.report.markup import element, figure, section


def curves_section(content: Content) -> str:
    """Event loss against steps and against minutes; nothing where no run kept its metrics."""
    if not content.curves:
        return ""
    charts = []
    for axis, of in (("training steps", "steps"), ("minutes of training", "minutes")):
        lines = [
            Line(
                f"{content.title(name)}, run {number}",
                content.style(name),
                list(zip(getattr(curve, of), curve.losses, strict=True)),
            )
            for name, curves in content.curves.items()
            for number, curve in enumerate(curves, start=1)
        ]
        ends = "; ".join(f"{line.name} ends at {line.points[-1][1]:.3f}" for line in lines)
        chart = line_chart(
            lines,
            axis,
            "event loss, nats a step",
            f"Event loss against {axis}: {ends}",
            _levels(content),
            _highest(content),
        )
        charts.append(figure(chart, f"Event loss on the eval split against {axis}"))
    names = [(content.title(name), content.style(name)) for name in content.curves]
    return section("curves", "Learning curves", legend(names), element("div", "".join(charts), class_="charts"))


def _levels(content: Content) -> list[Level]:
    floors = {floor.name: floor for floor in content.floors(content.main_space)}
    best = content.configurations(content.main_space)[0].best_floor
    value = floors[best].figures["event.loss"].value
    return [] if value is None else [Level(floors[best].title.lower(), value)]


def _highest(content: Content) -> float | None:
    """The loss above which the start of training is left out: what the worst floor has."""
    losses = [floor.figures["event.loss"].value for floor in content.results.floors]
    known = [loss for loss in losses if loss is not None]
    return max(known) if known else None

"""How fast the configurations learn."""

from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.line_chart import Level, Line, legend, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import figure, section


def curves_section(content: Content) -> str:
    """Event loss against steps and against minutes; nothing where no run kept its metrics.

    Losses of different spaces are not comparable, so each space has charts of its own.
    """
    if not content.curves:
        return ""
    spaces = sorted(content.results.spaces(), key=lambda space: space != content.main_space)
    return section("curves", "Learning curves", *(_curves(content, space) for space in spaces))


def _curves(content: Content, space: str) -> str:
    members = [one.name for one in content.configurations(space) if one.name in content.curves]
    if not members:
        return ""
    charts = []
    for axis, of in (("training steps", "steps"), ("minutes of training", "minutes")):
        lines = [
            Line(
                f"{content.title(name)}, run {number}",
                content.style(name),
                list(zip(getattr(curve, of), curve.losses, strict=True)),
            )
            for name in members
            for number, curve in enumerate(content.curves[name], start=1)
        ]
        ends = "; ".join(f"{line.name} ends at {line.points[-1][1]:.3f}" for line in lines)
        apart = "" if space == content.main_space else f", apart: {space}"
        chart = line_chart(
            lines,
            axis,
            "event loss, nats a step",
            f"Event loss against {axis}{apart}: {ends}",
            _levels(content, space),
            _highest(content, space),
        )
        charts.append(figure(chart, f"Event loss on the eval split against {axis}{apart}"))
    names = [(content.title(name), content.style(name)) for name in members]
    return legend(names) + element("div", "".join(charts), class_="charts")


def _levels(content: Content, space: str) -> list[Level]:
    floors = {floor.name: floor for floor in content.floors(space)}
    best = content.configurations(space)[0].best_floor
    value = floors[best].figures["event.loss"].value
    return [] if value is None else [Level(floors[best].title.lower(), value)]


def _highest(content: Content, space: str) -> float | None:
    """The loss above which the start of training is left out: what the worst floor has."""
    losses = [floor.figures["event.loss"].value for floor in content.floors(space)]
    known = [loss for loss in losses if loss is not None]
    return max(known) if known else None

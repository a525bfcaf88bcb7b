"""How fast the configurations learn."""

from etude.pipelines.report.charts.line_chart import Level, Line, legend, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import element, figure, section


def curves_section(content: Content) -> str:
    """Event loss against steps and against minutes; nothing where no run kept its metrics.

    Losses of different pitch ranges are not comparable, so each pitch range has charts of its own.
    """
    if not content.curves:
        return ""
    pitch_ranges = sorted(
        content.results.pitch_ranges(), key=lambda pitch_range: pitch_range != content.main_pitch_range
    )
    return section("curves", "Learning curves", *(_curves(content, pitch_range) for pitch_range in pitch_ranges))


def _curves(content: Content, pitch_range: str) -> str:
    members = [
        configuration.name
        for configuration in content.configurations(pitch_range)
        if configuration.name in content.curves
    ]
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
        apart = "" if pitch_range == content.main_pitch_range else f", apart: {pitch_range}"
        chart = line_chart(
            lines,
            axis,
            "event loss, nats a step",
            f"Event loss against {axis}{apart}: {ends}",
            _levels(content, pitch_range),
            _highest(content, pitch_range),
        )
        charts.append(figure(chart, f"Event loss on the eval split against {axis}{apart}"))
    names = [(content.title(name), content.style(name)) for name in members]
    return legend(names) + element("div", "".join(charts), class_="charts")


def _levels(content: Content, pitch_range: str) -> list[Level]:
    baselines = {baseline.name: baseline for baseline in content.baselines(pitch_range)}
    best = content.configurations(pitch_range)[0].best_baseline
    value = baselines[best].figures["event.loss"].value
    return [] if value is None else [Level(baselines[best].title.lower(), value)]


def _highest(content: Content, pitch_range: str) -> float | None:
    """The loss above which the start of training is left out: what the worst baseline has."""
    losses = [baseline.figures["event.loss"].value for baseline in content.baselines(pitch_range)]
    known = [loss for loss in losses if loss is not None]
    return max(known) if known else None

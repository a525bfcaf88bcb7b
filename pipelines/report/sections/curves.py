"""How fast the configurations learn."""

from collections.abc import Sequence

from markupsafe import Markup

from etude.pipelines.comparison.learning_curves import LearningCurve
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.line_chart import Level, Line, key, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, figure, heading, join, legend, number, paragraph


def curves_section(content: Content) -> Section | None:
    """Event loss against steps and against minutes, and what training itself sees; None where no run kept its metrics.

    Losses of different pitch ranges are not comparable, so each pitch range has charts of its own.
    """
    if not content.curves:
        return None
    pitch_ranges = sorted(
        content.results.pitch_ranges(), key=lambda pitch_range: pitch_range != content.main_pitch_range
    )
    parts = [_eval_curves(content, pitch_range) for pitch_range in pitch_ranges]
    return Section("curves", "Learning curves", join(*parts, _train_and_eval(content)))


def _eval_curves(content: Content, pitch_range: str) -> Markup:
    members = [
        configuration.name
        for configuration in content.configurations(pitch_range)
        if configuration.name in content.curves
    ]
    if not members:
        return Markup("")
    apart = content.apart(pitch_range)
    charts = []
    for axis, of in (("training steps", "steps"), ("minutes of training", "minutes")):
        lines = [
            Line(
                f"{content.title(name)}, run {number_}",
                content.style(name),
                list(zip(getattr(curve, of), curve.losses, strict=True)),
            )
            for name in members
            for number_, curve in enumerate(content.curves[name], start=1)
        ]
        ends = "; ".join(f"{line.name} ends at {number(line.points[-1][1])}" for line in lines)
        chart = line_chart(
            lines,
            axis,
            "event loss, nats a step",
            f"Event loss against {axis}{apart}: {ends}",
            _levels(content, pitch_range),
            _highest(content, pitch_range),
        )
        charts.append(figure(chart, f"Event loss on the eval split against {axis}{apart}"))
    names = [(content.title(name), key(content.style(name))) for name in members]
    return join(legend(names), element("div", *charts, class_="charts"))


def _train_and_eval(content: Content) -> Markup:
    """Label loss of both splits, a chart for each configuration: where they part, the model learns by heart."""
    charts = []
    for name, curves in content.curves.items():
        style = content.style(name)
        train = [Line("Train", style, curve.train, is_dashed=True) for curve in curves if curve.train]
        if not train:
            continue
        lines = [*train, *(Line("Eval", style, curve.eval_label) for curve in curves)]
        ends = f"train ends at {number(train[-1].points[-1][1])}, eval at {number(lines[-1].points[-1][1])}"
        description = f"Label loss of {content.title(name)}: {ends}"
        charts.append(
            figure(
                line_chart(lines, "training steps", "label loss, nats a step", description, highest=_start(curves)),
                content.title(name),
            )
        )
    if not charts:
        return Markup("")
    note = (
        "Loss over labels on the batches of training, with dropout (dashed), and on the eval split, without. Where eval "
        "rises and train does not, the model learns its tunes by heart."
    )
    return join(heading("Train and eval"), paragraph(note), element("div", *charts, class_="charts"))


def _start(curves: Sequence[LearningCurve]) -> float:
    """The loss above which the start of training is left out."""
    return max(loss for curve in curves for _, loss in curve.eval_label)


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

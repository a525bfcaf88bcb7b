"""How fast the configurations learn."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from etude.pipelines.comparison.learning_curves import LearningCurve, Points
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.line_chart import Level, Line, key, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, figure, heading, join, legend, number, paragraph

EPOCHS, STEPS, MINUTES = "epochs", "training steps", "minutes of training"
"""What training is measured in, as axes are called."""


def curves_section(content: Content) -> Section | None:
    """Loss over tokens against steps and against minutes, and what training itself sees; None where no run kept its metrics.

    Losses of different domains are not comparable, so each domain has charts of its own.
    """
    if not content.curves:
        return None
    domains = sorted(content.results.domains(), key=lambda domain: domain != content.main_domain)
    # A chart for each setting tells more than one of all its values: see the section of sweeps.
    parts = [] if content.presentation.sweeps else [_eval_curves(content, domain) for domain in domains]
    return Section("curves", "Learning curves", join(*parts, _train_and_eval(content)))


def _eval_curves(content: Content, domain: str) -> Markup:
    members = [
        configuration.name for configuration in content.configurations(domain) if configuration.name in content.curves
    ]
    if not members:
        return Markup("")
    apart = content.apart(domain)
    charts = [
        eval_chart(content, domain, {name: content.title(name) for name in members}, axis, f" against {axis}{apart}")
        for axis in (steps_axis(content), MINUTES)
    ]
    names = [(content.title(name), key(content.style(name))) for name in members]
    return join(legend(names), element("div", *charts, class_="charts"))


def steps_axis(content: Content) -> str:
    """What the progress of training is counted in: epochs, where all runs know how long one is."""
    trained = [curve for curves in content.curves.values() for curve in curves if curve.train]
    return EPOCHS if trained and all(curve.steps_per_epoch for curve in trained) else STEPS


def eval_chart(content: Content, domain: str, named: Mapping[str, str], axis: str, caption: str) -> Markup:
    """Loss over tokens on the eval split while configurations of a domain trained.

    Args:
      content: of the page.
      domain: theirs.
      named: what each of them is called, by name.
      axis: `EPOCHS`, `STEPS` or `MINUTES`.
      caption: what the chart shows, after the name of the loss.
    """
    words = content.words(domain)
    loss = f"{words.token} loss"
    lines = [
        Line(f"{title}, run {number_}", content.style(name), list(zip(_places(curve, axis), curve.losses, strict=True)))
        for name, title in named.items()
        for number_, curve in enumerate(content.curves.get(name, ()), start=1)
        if curve.train
    ]
    ends = "; ".join(f"{line.name} ends at {number(line.points[-1][1])}" for line in lines)
    chart = line_chart(
        lines,
        axis,
        f"{loss}, nats a {words.step}",
        f"{loss.capitalize()}{caption}: {ends}",
        _levels(content, domain),
        _highest(content, domain),
    )
    return figure(chart, f"{loss.capitalize()} on the eval split{caption}")


def _places(curve: LearningCurve, axis: str) -> Sequence[float]:
    """Where the evaluations of a run stand on an axis."""
    if axis == EPOCHS:
        return [step / curve.steps_per_epoch for step in curve.steps]
    return curve.steps if axis == STEPS else curve.minutes


def _train_and_eval(content: Content) -> Markup:
    """Label loss of both splits, a chart for each configuration: where they part, the model learns by heart."""
    charts = []
    axis = steps_axis(content)
    for name, curves in content.curves.items():
        style = content.style(name)
        words = next(one.words for one in content.results.configurations if one.name == name)
        train = [
            Line("Train", style, _scaled(curve.train, curve, axis), is_dashed=True) for curve in curves if curve.train
        ]
        if not train:
            continue
        lines = [*train, *(Line("Eval", style, _scaled(curve.eval_label, curve, axis)) for curve in curves)]
        ends = f"train ends at {number(train[-1].points[-1][1])}, eval at {number(lines[-1].points[-1][1])}"
        description = f"Label loss of {content.title(name)}: {ends}"
        charts.append(
            figure(
                line_chart(lines, axis, f"label loss, nats a {words.step}", description, highest=_start(curves)),
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


def _scaled(points: Points, curve: LearningCurve, axis: str) -> Points:
    """Points by step as points by epoch, where the axis has epochs."""
    return tuple((step / curve.steps_per_epoch, loss) for step, loss in points) if axis == EPOCHS else points


def _start(curves: Sequence[LearningCurve]) -> float:
    """The loss above which the start of training is left out."""
    return max(loss for curve in curves for _, loss in curve.eval_label)


def _levels(content: Content, domain: str) -> list[Level]:
    baselines = {baseline.name: baseline for baseline in content.baselines(domain)}
    best = content.configurations(domain)[0].best_baseline
    value = baselines[best].loss.value
    levels = [] if value is None else [Level(baselines[best].title.lower(), value)]
    floors = [one for one in content.configurations(domain) if one.name == content.presentation.floor]
    return levels + [Level(one.title, one.loss.value) for one in floors if one.loss.value is not None]


def _highest(content: Content, domain: str) -> float | None:
    """The loss above which the start of training is left out: what the worst baseline has."""
    losses = [baseline.loss.value for baseline in content.baselines(domain)]
    known = [loss for loss in losses if loss is not None]
    return max(known) if known else None

"""What tunes are like by how they were sampled."""

from collections.abc import Sequence

from markupsafe import Markup

from etude.pipelines.comparison.music.samples import COPIED_RUNS, LONGEST_LOOP, LOOP_REPEATS, LOOP_TOKENS, MEASURES
from etude.pipelines.comparison.results.results import SamplesResult
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, estimate, figure, heading, join, paragraph, percentage, table

_DRAWN = ("whole", "loops", f"copied_{COPIED_RUNS[1]}")


def samples_section(content: Content) -> Section | None:
    """A chart for what matters most and a table of all, by configuration; None where nothing was sampled for it."""
    names = list(dict.fromkeys(one.configuration for one in content.results.samples))
    if not names:
        return None
    note = (
        "Tunes that go on from the headers of held-out tunes, beside those tunes themselves. A tune ends in a loop if its "
        f"end is one run of at most {LONGEST_LOOP} tokens {LOOP_REPEATS} times or more, {LOOP_TOKENS} tokens long or more. "
        "Runs are copied if they occur in a training tune: real tunes share runs with others, too. Validity is this "
        "reader's own; the rungs are those of the validity ladder. 95% intervals are over tunes and seeds."
    )
    return Section("sampling", "By sampling", join(paragraph(note), *(_of(content, name) for name in names)))


def _of(content: Content, name: str) -> Markup:
    found = [one for one in content.results.samples if one.configuration == name]
    charts = element("div", *(_chart(content, found, measure) for measure in _DRAWN), class_="charts")
    rows = [
        [title, *(estimate(one.figures[key], as_percentage=True) for one in found)] for key, title in MEASURES.items()
    ]
    columns = ["Share", *(f"{one.label} ({one.num_tunes:,})" for one in found)]
    title = content.title(name)
    return join(heading(title), charts, table(f"By sampling: {title}", columns, rows))


def _chart(content: Content, found: Sequence[SamplesResult], measure: str) -> Markup:
    rows = [
        DotRow(
            one.label,
            percentage(one.figures[measure].value),
            [Dot(one.label, content.style(one.configuration), one.figures[measure])],
        )
        for one in found
    ]
    said = "; ".join(f"{row.label} {row.remark}" for row in rows)
    title = MEASURES[measure]
    return figure(dot_plot(rows, "share", f"{title} by sampling: {said}"), title)

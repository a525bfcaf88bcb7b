"""One table for all: what a note of the same tunes costs models of every representation, and what the models take."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from etude.pipelines.comparison.cost import Cost
from etude.pipelines.comparison.piece_costs import BITS, BITS_WITHOUT_END, NATS
from etude.pipelines.comparison.results.results import Coverage, FloorResult, PiecesResult
from etude.pipelines.comparison.results.tune_answer import ranked
from etude.pipelines.reasons import REMEDIES
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot, key
from etude.pipelines.report.charts.line_chart import Level, Line, line_chart
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import (
    MISSING,
    Section,
    Text,
    estimate,
    figure,
    heading,
    items,
    join,
    legend,
    number,
    paragraph,
    table,
    templates,
)
from etude.pipelines.report.sections.music import Pieces

_NOTE = (
    "Every model is told the metre, the key (all tunes are in C, in their mode) and the pitch of the first note. It pays for "
    "everything else: the first note's length, every later note and rest, where bars begin, and the end. The denominator is "
    "the notes after the first. Of melodies, whose models know no end, a counted model that was fitted on train pays the "
    "pickup, the last note's length and the end. Likelihoods of texts and events are those of one canonical form: what a "
    "model writes in other forms would make its figure lower."
)
_AXES: tuple[tuple[str, Callable[[Cost], float | None]], ...] = (
    ("parameters", lambda cost: cost.num_parameters),
    ("minutes of training a run", lambda cost: cost.minutes),
    ("notes generated a second", lambda cost: cost.notes_per_second),
)


def tunes_result(content: Content) -> PiecesResult | None:
    """The comparison over exact tunes, if there is one."""
    return next((one for one in content.results.pieces if one.coverage is not None), None)


def tunes_section(content: Content, music: Pieces) -> Section | None:
    """Table, floors, cost, coverage, and pieces that one representation predicts far better; None of other comparisons."""
    result = tunes_result(content)
    if result is None or result.coverage is None:
        return None
    parts = [
        paragraph(_NOTE),
        _table(content, result),
        _against_cost(content, result),
        _floors(result.floors),
        _coverage(result.coverage),
        _apart(content, result, music),
    ]
    return Section("tunes", "Bits a note", join(*parts))


def bits_chart(content: Content, result: PiecesResult) -> Markup:
    """Bits a note of every configuration, and of the best floor of each representation."""
    rows = [
        DotRow(
            content.title(name),
            number(result.figures[name][BITS].value, 2),
            [Dot(content.title(name), content.style(name), result.figures[name][BITS])],
        )
        for name in ranked(result)
    ]
    for floor in _best_floors(result.floors):
        title = f"{floor.title} of {floor.representation}"
        rows.append(DotRow(title, number(floor.figures[BITS].value, 2), [Dot(title, "baseline", floor.figures[BITS])]))
    said = "; ".join(f"{row.label} {row.remark}" for row in rows)
    chart = dot_plot(rows, "bits a note", f"Bits a note, fewest first, then floors: {said}")
    return figure(chart, "What a note costs: lower is better; the best floor of each representation in grey")


def _table(content: Content, result: PiecesResult) -> Text:
    rows = []
    for name in ranked(result):
        figures, cost = result.figures[name], content.costs[name]
        share = result.not_canonical.get(name)
        rows.append(
            [
                join(key(content.style(name)), content.title(name)),
                _representation(content, name),
                estimate(figures[BITS]),
                estimate(figures[BITS_WITHOUT_END]),
                estimate(figures[NATS], 1),
                MISSING if share is None else estimate(share, as_percentage=True),
                f"{cost.num_parameters:,}",
                number(cost.minutes, 1),
                number(cost.notes_per_second, 0),
            ]
        )
    columns = [
        *("Configuration", "Representation", "Bits a note", "Without the end", "Nats a tune", "Samples not canonical"),
        *("Parameters", "Minutes a run", "Notes generated a second"),
    ]
    return table(f"Bits a note over {result.num_pieces:,} tunes, {result.num_notes:,} notes", columns, rows)


def _against_cost(content: Content, result: PiecesResult) -> Text:
    """A chart for each thing that a model takes."""
    best = min((one.figures[BITS].value or 0.0 for one in result.floors), default=None)
    levels = [] if best is None else [Level("best floor", best)]
    charts = []
    for axis, of in _AXES:
        places = {name: of(content.costs[name]) for name in ranked(result)}
        lines = [
            Line(
                content.title(name), content.style(name), [(math.log10(place), result.figures[name][BITS].value or 0.0)]
            )
            for name, place in places.items()
            if place
        ]
        if len(lines) > 1:
            xs = [line.points[0][0] for line in lines]
            said = "; ".join(f"{line.name} {number(10 ** line.points[0][0], 1)}" for line in lines)
            chart = line_chart(
                lines,
                axis,
                "bits a note",
                f"Bits a note against {axis}: {said}",
                levels,
                x_ticks=_powers(xs),
                is_log=True,
            )
            charts.append(figure(chart, f"Against {axis} (logarithmic)"))
    if not charts:
        return ""
    names = [(content.title(name), key(content.style(name))) for name in ranked(result)]
    return join(heading("Bits against cost"), legend(names), element("div", *charts, class_="charts"))


def _powers(logarithms: Sequence[float]) -> list[float]:
    """1, 2 and 5 times powers of ten between the least and the greatest, as logarithms; fewer where that is many."""
    low, high = min(logarithms), max(logarithms)
    factors = (1, 2, 5) if high - low < 2 else (1,)
    powers = range(math.floor(low) - 1, math.ceil(high) + 1)
    every = [power + math.log10(factor) for power in powers for factor in factors]
    return [place for place in every if low - 1e-9 <= place <= high + 1e-9]


def _floors(floors: Sequence[FloorResult]) -> Text:
    if not floors:
        return ""
    rows: list[list[Text]] = [
        [
            f"{one.title} of {one.representation}",
            estimate(one.figures[BITS]),
            estimate(one.figures[BITS_WITHOUT_END]) if BITS_WITHOUT_END in one.figures else MISSING,
            estimate(one.figures[NATS], 1),
            f"{one.num_pieces:,}",
        ]
        for one in floors
    ]
    columns = ["Floor", "Bits a note", "Without the end", "Nats a tune", "Tunes"]
    note = (
        "N-grams are counted on train, with Kneser and Ney's smoothing. xz: by how much a tune, after what is given of it, "
        "makes the compressed train split longer, with a dictionary that covers it; of a few tunes, evenly taken."
    )
    return join(heading("Floors"), paragraph(note), table("Floors, of every representation", columns, rows))


def _best_floors(floors: Sequence[FloorResult]) -> list[FloorResult]:
    best: dict[str, FloorResult] = {}
    for floor in sorted(floors, key=lambda one: one.figures[BITS].value or 0.0):
        best.setdefault(floor.representation, floor)
    return list(best.values())


def _coverage(coverage: Coverage) -> Text:
    sentence = (
        f"Of {coverage.num_read:,} pieces, {coverage.num_exact:,} ({coverage.num_exact / coverage.num_read:.1%}) are tunes "
        "that canonical ABC, its tokens and a grid of sixteenths all give back exactly. The others are in rejected.jsonl of "
        "each dataset, one by one."
    )
    reasons = [(reason, REMEDIES.get(reason, ""), count) for reason, count in coverage.left_out.items()]
    held_out = {
        "not-in-all": "held out, but not in every dataset",
        "unknown-symbol": "held out, with a symbol that train has not",
    }
    reasons += [(reason, held_out[reason], count) for reason, count in coverage.not_compared.items()]
    rows = [[reason, remedy, f"{count:,}"] for reason, remedy, count in sorted(reasons, key=lambda one: -one[2])]
    shown = table("Pieces that are left out, by reason", ["Reason", "What it means", "Pieces"], rows) if rows else ""
    return join(heading("Coverage"), paragraph(sentence), shown)


def _apart(content: Content, result: PiecesResult, music: Pieces) -> Text:
    cards = iter(music.apart)
    shown = [(one, next(cards)) for one in result.apart]
    if not shown:
        return ""
    parts: list[Text] = []
    for better in dict.fromkeys(one.better for one, _ in shown):
        found = [card for one, card in shown if one.better == better]
        parts.append(heading(f"Predicted better by {content.title(better)} ({_representation(content, better)})"))
        parts.append(templates().cards(found))
    rows = [
        [
            join(element("a", one.piece, href=f"#piece-{card.number}")),
            content.title(one.better),
            content.title(one.worse),
            number(one.bits_better, 2),
            number(one.bits_worse, 2),
        ]
        for one, card in shown
    ]
    columns = ["Piece", "Better", "Worse", "Bits a note", "Bits a note of the other"]
    note = (
        "The tunes that the best model of one representation predicts better than that of another by most bits a note."
    )
    return join(
        heading("Where representations differ most"), items([note]), table("Pieces far apart", columns, rows), *parts
    )


def _representation(content: Content, name: str) -> str:
    return next(one.representation for one in content.results.configurations if one.name == name)

"""The bars of a tune as played, and the rests that keep them."""

import bisect
import dataclasses
import itertools

from etude.models.abc.notation.score import Metre
from etude.models.abc.performance.performance import Performance, PerformedNotes
from etude.models.melodies.pickups import BarRests, PlayedBar, bar_rests


def rests_of(performance: Performance) -> BarRests:
    """The rests, in units of the performance, that keep its bars where they were written."""
    return bar_rests(_played_bars(performance))


def with_rests(performance: Performance, rests: BarRests) -> Performance:
    """The performance with these rests; metre, key and tempo change before a rest."""
    if not rests.rests:
        return performance

    def begin(time: int) -> int:
        return int(rests.moved(time))

    def end(time: int) -> int:
        return int(rests.moved(time, is_end=True))

    notes = performance.notes
    return dataclasses.replace(
        performance,
        notes=PerformedNotes(
            starts=list(map(begin, notes.starts)),
            ends=list(map(end, notes.ends)),
            pitches=notes.pitches,
            velocities=notes.velocities,
            instruments=notes.instruments,
        ),
        states=[(end(time), state) for time, state in performance.states],
        chord_symbols=[(begin(time), text) for time, text in performance.chord_symbols],
        sections=[(end(time), number) for time, number in performance.sections],
        bars=list(map(end, performance.bars)),
    )


def _played_bars(performance: Performance) -> list[PlayedBar]:
    end = max(performance.notes.ends, default=0)
    sections = {0, *(time for time, _ in performance.sections)}
    metres = _metres(performance)
    changes = {time for time, _ in metres}
    edges = sorted(time for time in {end, *sections, *performance.bars, *changes} if time <= end)
    bars = []
    for start, stop in itertools.pairwise(edges):
        metre = metres[bisect.bisect_right(metres, start, key=lambda change: change[0]) - 1][1]
        whole = None if metre is None else performance.units * metre[0] // metre[1]
        bars.append(PlayedBar(start, stop - start, whole or None, start in sections, start in changes))
    return bars


def _metres(performance: Performance) -> list[tuple[int, Metre | None]]:
    """Metres from a time on; the first at 0."""
    metres: list[tuple[int, Metre | None]] = []
    for time, state in performance.states:
        if not metres or state.metre != metres[-1][1]:
            metres.append((time, state.metre))
    return metres

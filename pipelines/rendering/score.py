"""A melody as a score: staves of a few bars, each a drawing of its own, so that they wrap on a narrow page."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from etude.models.melodies.melody import Events
from etude.pipelines.rendering import glyphs
from etude.pipelines.rendering.markup import element, escape
from etude.pipelines.rendering.score_layout import (
    Symbol,
    bars,
    beams,
    beat,
    shown_accidental,
    staff_position,
    tuplet_ratio,
    tuplets,
)

WIDTH = 400
GAP = 6.4
"""Between two staff lines."""

_STEP = GAP / 2
_CLEF = 26
_STEM = 3.4 * GAP
_MIDDLE_LINE = 4
_LOW_MEDIAN = 58
_STEPS_PER_STAFF = 32
"""About as many note heads have room beside each other."""


def score(events: Events, steps_per_bar: int, steps_per_quarter: int, description: str) -> str:
    """The score: staves that together show the melody."""
    pitches = events[events >= 0]
    raised = 12 if pitches.size and np.median(pitches) < _LOW_MEDIAN else 0
    whole = bars(events, steps_per_bar, steps_per_quarter)
    per_staff = max(1, round(_STEPS_PER_STAFF / steps_per_bar))
    staves = []
    for start in range(0, len(whole), per_staff):
        part = whole[start : start + per_staff]
        label = f"{description}, bars {start + 1} to {start + len(part)}"
        staves.append(_Staff(part, steps_per_bar, steps_per_quarter, raised, per_staff).draw(label))
    return element("div", "".join(staves), class_="score")


@dataclasses.dataclass(frozen=True)
class _Staff:
    """Bars beside each other.

    Attributes:
      content: the bars.
      steps_per_bar: of each.
      steps_per_quarter: steps in a quarter note.
      raised: semitones that the notes are written above their sound; 12 with an 8 below the clef.
      num_bars: how many bars have room; the content may be fewer.
    """

    content: Sequence[list[Symbol]]
    steps_per_bar: int
    steps_per_quarter: int
    raised: int
    num_bars: int

    def draw(self, description: str) -> str:
        """The staff as SVG, as high as its notes need."""
        above, below = self._extent()
        bottom = above * _STEP
        width = (WIDTH - _CLEF) / self.num_bars
        end = _CLEF + width * len(self.content)
        parts = [element("title", escape(description))]
        for line in range(5):
            y = round(bottom - 2 * line * _STEP, 2)
            parts.append(element("line", x1=0, x2=round(end, 1), y1=y, y2=y, class_="staff"))
        parts.append(glyphs.clef(10, bottom - 2 * _STEP, GAP, is_octave_lower=self.raised > 0))
        for index, bar in enumerate(self.content):
            left = _CLEF + index * width
            parts.append(self._bar(bar, left, width, bottom))
            parts.append(glyphs.line(left + width, bottom, left + width, bottom - 4 * GAP, "staff"))
        height = round((above - below) * _STEP, 1)
        size = f"0 0 {WIDTH} {height}"
        return element("svg", "".join(parts), viewBox=size, role="img", aria_label=description, class_="staves")

    def _extent(self) -> tuple[int, int]:
        """The highest and lowest half space that is drawn on, with room for stems and ties."""
        above, below = 12, -4
        for bar in self.content:
            beamed = self._beams(bar)
            in_beams = {id(symbol) for run in beamed for symbol in run}
            alone = [[symbol] for symbol in bar if symbol.pitch is not None and id(symbol) not in in_beams]
            for run in (*beamed, *alone):
                positions = [self._position(symbol) for symbol in run]
                # Away from the stem, half a note head, or a tie.
                other = 3 if any(symbol.is_tied for symbol in run) else 2
                over, under = (8, other) if self._is_up(run) else (other, 8)
                above, below = max(above, max(positions) + over), min(below, min(positions) - under)
            above = max([above, *(self._number_position(group) + 3 for group in tuplets(bar))])
        return above, below

    def _bar(self, bar: list[Symbol], left: float, width: float, bottom: float) -> str:
        written: dict[int, str] = {}
        beamed = self._beams(bar)
        direction = {id(symbol): self._is_up(run) for run in beamed for symbol in run}
        parts = []
        previous_tied = False
        for symbol in bar:
            x = self._x(symbol, left, width)
            if symbol.pitch is None:
                parts.append(glyphs.rest(symbol.value, x, bottom - 2 * GAP, GAP))
                previous_tied = False
                continue
            position = self._position(symbol)
            y = bottom - position * _STEP
            accidental = "" if previous_tied else shown_accidental(symbol.pitch + self.raised, written)
            is_up = direction.get(id(symbol), self._is_up([symbol]))
            parts.append(self._ledger_lines(x, position, bottom))
            parts.append(glyphs.accidental(accidental, x - 1.5 * GAP, y, GAP))
            parts.append(glyphs.note_head(symbol.value, x, y, GAP, is_on_line=position % 2 == 0))
            if symbol.value < 16 and id(symbol) not in direction:
                parts.append(glyphs.stem_and_flags(symbol.value, x, y, _STEM, GAP, is_up))
            if symbol.is_tied:
                stretch = max(symbol.duration * (width - 2 * GAP) / self.steps_per_bar - GAP, GAP)
                parts.append(glyphs.tie(x, y, stretch, GAP, is_below=is_up))
            previous_tied = symbol.is_tied
        parts += [self._beam(run, left, width, bottom, direction[id(run[0])]) for run in beamed]
        parts += [self._tuplet_number(group, left, width, bottom) for group in tuplets(bar)]
        return "".join(parts)

    def _beam(self, run: list[Symbol], left: float, width: float, bottom: float, is_up: bool) -> str:
        """Stems to one level, and the beams between them."""
        sign = -1 if is_up else 1
        places = [
            (self._x(symbol, left, width) - sign * 0.58 * GAP, bottom - self._position(symbol) * _STEP)
            for symbol in run
        ]
        extreme = min if is_up else max
        level = extreme(y for _, y in places) + sign * _STEM
        parts = [glyphs.line(x, y, x, level, "stem") for x, y in places]
        parts.append(glyphs.beam(places[0][0], places[-1][0], level, GAP))
        numbers = [glyphs.num_flags(symbol.value) for symbol in run]
        for number in range(2, max(numbers) + 1):
            height = level - (number - 1) * sign * 0.75 * GAP
            for index, (x, _) in enumerate(places):
                if numbers[index] < number:
                    continue
                if index + 1 < len(run) and numbers[index + 1] >= number:
                    parts.append(glyphs.beam(x, places[index + 1][0], height, GAP))
                elif index == 0 or numbers[index - 1] < number:
                    stub = GAP * 1.1 * (1 if index == 0 else -1)
                    parts.append(glyphs.beam(min(x, x + stub), max(x, x + stub), height, GAP))
        return "".join(parts)

    def _tuplet_number(self, group: list[Symbol], left: float, width: float, bottom: float) -> str:
        """Its number, above all of a tuplet's stems."""
        x = (self._x(group[0], left, width) + self._x(group[-1], left, width)) / 2
        number, _ = tuplet_ratio(self.steps_per_quarter)
        y = bottom - self._number_position(group) * _STEP
        return element("text", str(number), x=round(x, 2), y=round(y, 2), class_="tick middle")

    def _number_position(self, group: list[Symbol]) -> int:
        """The half space that the number of a tuplet stands on."""
        return max([_MIDDLE_LINE, *(self._position(symbol) for symbol in group if symbol.pitch is not None)]) + 8

    def _beams(self, bar: list[Symbol]) -> list[list[Symbol]]:
        return beams(bar, beat(self.steps_per_bar, self.steps_per_quarter))

    def _ledger_lines(self, x: float, position: int, bottom: float) -> str:
        lines = [*range(-2, position - 1, -2), *range(10, position + 1, 2)]
        places = [bottom - line * _STEP for line in lines]
        return "".join(glyphs.line(x - GAP, y, x + GAP, y, "staff") for y in places)

    def _x(self, symbol: Symbol, left: float, width: float) -> float:
        return left + 2 * GAP + symbol.onset / self.steps_per_bar * (width - 2 * GAP)

    def _position(self, symbol: Symbol) -> int:
        return staff_position((symbol.pitch or 0) + self.raised)[0]

    def _is_up(self, run: Sequence[Symbol]) -> bool:
        return sum(self._position(symbol) for symbol in run) / len(run) < _MIDDLE_LINE

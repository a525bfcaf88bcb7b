"""The order in which the stretches of a voice are played: repeats, variant endings and parts."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from etude.models.abc.notation.parts import PartOrder
from etude.models.abc.notation.score import Bar, Ending, PartStart
from etude.models.abc.problems import TooLargeError

MAX_SPANS = 20_000

Mark: TypeAlias = tuple[int, Bar | Ending | PartStart]
"""When, and what that matters to the order."""


class Span(NamedTuple):
    """A stretch of the written tune that is played in one go.

    Attributes:
      start: when it starts in the written tune.
      end: when it ends.
      section: the start of the section that it belongs to.
    """

    start: int
    end: int
    section: int


@dataclasses.dataclass
class _OpenEnding:
    passes: tuple[int, ...]
    start: int
    end: int | None = None


class _Expansion:
    """Walks through the marks of a part and lays down spans, section by section."""

    def __init__(self, marks: Sequence[Mark], start: int, end: int) -> None:
        self.spans: list[Span] = []
        self._start = start
        self._marked = False  # whether the section starts with a start of repeat
        self._repeats = 0  # how often the start of the repeat wants it again
        self._repeated = False  # whether an end of repeat was met in a section with endings
        self._endings: list[_OpenEnding] = []
        for position, (time, mark) in enumerate(marks):
            following = marks[position + 1] if position + 1 < len(marks) else None
            if isinstance(mark, Ending):
                self._start_ending(time, mark)
            elif isinstance(mark, Bar):
                self._bar(time, mark, following)
        self._close(end, 0)

    def _start_ending(self, time: int, mark: Ending) -> None:
        if self._endings and not self._is_new(mark):
            self._close(self._natural_end(time), 0)
        elif self._endings and self._endings[-1].end is None:
            self._endings[-1].end = time
        self._endings.append(_OpenEnding(mark.passes, time))

    def _bar(self, time: int, bar: Bar, following: Mark | None) -> None:
        ending_follows = (
            following is not None
            and following[0] == time
            and isinstance(following[1], Ending)
            and self._is_new(following[1])
        )
        if bar.ends and ending_follows:
            self._repeated = True
            if not self._endings:
                self._endings.append(_OpenEnding((1,), time))
            self._endings[-1].end = time
        elif bar.ends:
            self._repeated = True
            self._close(time, max(bar.ends, self._repeats))
        elif bar.double and ending_follows:
            if self._endings:
                self._endings[-1].end = time
        elif bar.starts and self._marked:
            self._close(time, self._repeats)  # the end of this repeat was forgotten
        elif bar.starts or (bar.double and (self._endings or not self._marked)):
            self._close(time, 0)
        if bar.starts:
            self._marked, self._repeats = True, bar.starts

    def _is_new(self, ending: Ending) -> bool:
        """Whether an ending belongs to the section before it: it does if none there has its number."""
        return not any(number in earlier.passes for earlier in self._endings for number in ending.passes)

    def _natural_end(self, latest: int) -> int:
        """Where the last ending stops if nothing marks it: it is as long as the first one."""
        first, last = self._endings[0], self._endings[-1]
        if last.end is not None:
            return last.end
        return min(latest, last.start + (first.end or first.start) - first.start)

    def _close(self, end: int, repeats: int) -> None:
        """Lays down the section up to here."""
        start = self._start
        if self._endings:
            if self._endings[-1].end is None:
                self._endings[-1].end = end
            by_pass = {number: ending for ending in reversed(self._endings) for number in ending.passes}
            last = max(by_pass, default=1)
            body_end = self._endings[0].start
            for number in range(1, max(last, 2 if self._repeated else 1) + 1):
                self._play(start, body_end, start)
                if ending := by_pass.get(number):
                    self._play(ending.start, ending.end or ending.start, start)
            end = max(end, self._endings[-1].end or end)
        else:
            for _ in range(repeats + 1):
                self._play(start, end, start)
        self._start, self._endings = end, []
        self._marked, self._repeats, self._repeated = False, 0, False

    def _play(self, start: int, end: int, section: int) -> None:
        if end > start:
            if len(self.spans) == MAX_SPANS:
                raise TooLargeError(f"repeats ask for more than {MAX_SPANS:,} stretches of music")
            self.spans.append(Span(start, end, section))


def play_order(marks: Sequence[Mark], end: int, order: PartOrder) -> list[Span]:
    """Plays out repeats, variant endings and parts.

    Standard: ABC 2.1, sections 4.8 to 4.10 and 3.1.9. A repeat without a start goes back to the latest double bar
    line or end of a repeat, or to the beginning. A part that is to be played as often as it has variant endings takes
    one of them each time.

    Args:
      marks: bar lines, endings and starts of parts, in the order of the text.
      end: when the tune ends.
      order: the order of the parts; empty to play the tune as it stands.

    Returns:
      What to play, one after the other.

    Raises:
      TooLargeError: if there is more than any real tune has.
    """
    parts = [position for position, (_, mark) in enumerate(marks) if isinstance(mark, PartStart)]
    if not parts or not order:
        return _Expansion(marks, 0, end).spans
    first = marks[parts[0]][0]
    spans = list(_Expansion(marks[: parts[0]], 0, first).spans)
    played: dict[str, tuple[list[Span], int]] = {}
    num_spans = len(spans)
    for position, following in zip(parts, [*parts[1:], len(marks)], strict=True):
        time, mark = marks[position]
        stop = marks[following][0] if following < len(marks) else end
        inside = marks[position + 1 : following]
        endings = max((max(other.passes, default=0) for _, other in inside if isinstance(other, Ending)), default=0)
        if isinstance(mark, PartStart) and mark.label[:1] not in played:
            played[mark.label[:1]] = (_Expansion(inside, time, stop).spans, endings)
            num_spans += len(played[mark.label[:1]][0])
            if num_spans > MAX_SPANS:
                raise TooLargeError(f"the parts repeat more than {MAX_SPANS:,} stretches of music")
    for label, times in order:
        part, endings = played.get(label, ([], 0))
        times = 1 if endings == times else times
        if len(spans) + len(part) * times > MAX_SPANS:
            raise TooLargeError(f"P: asks for more than {MAX_SPANS:,} stretches of music")
        spans.extend(part * times)
    return spans

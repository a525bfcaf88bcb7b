"""Where bars lie once written music is played: a pickup stands at the end of its bar.

Whoever reads only notes and metre counts bars from the start. In music that begins with an incomplete bar, every bar would
then be off; a rest of the missing part keeps them. A repeated part whose pickup completes its last bar needs no other rest.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

REST = "rest"
AS_WRITTEN = "as-written"
PICKUPS = (REST, AS_WRITTEN)

AS_THEY_ARE, LEAD, INSIDE, UNEVEN = "no-rest", "pickup", "rests-within", "uneven"
OUTCOMES = {
    AS_THEY_ARE: "the bars are counted from the start as they are",
    LEAD: "a rest stands before the pickup",
    INSIDE: "rests stand before later parts, too, whose pickups complete no bar",
    UNEVEN: "some bars have not the length of the metre, so that later ones are off",
}

Time = int | Fraction


class PlayedBar(NamedTuple):
    """A bar as played.

    Attributes:
      start: when it begins.
      length: as written.
      whole: its length by the metre; None in free metre.
      is_section: whether a section begins with it: the music, a repeat, what follows a repeat.
      is_metre: whether another metre begins with it, from which bars are counted anew.
    """

    start: Time
    length: Time
    whole: Time | None
    is_section: bool
    is_metre: bool = False


@dataclasses.dataclass(frozen=True)
class BarRests:
    """The rests that keep bars where they were written.

    Attributes:
      rests: time and length of each, in the music without them, ascending.
      num_uneven: bar lines that lie within a bar all the same, as some bar before has not the length of its metre.
    """

    rests: tuple[tuple[Time, Time], ...] = ()
    num_uneven: int = 0

    @property
    def outcome(self) -> str:
        """What became of the bars: a key of `OUTCOMES`."""
        if self.num_uneven:
            return UNEVEN
        return AS_THEY_ARE if not self.rests else LEAD if len(self.rests) == 1 and self.lead else INSIDE

    @property
    def lead(self) -> Time:
        """The rest before the first note."""
        return self.rests[0][1] if self.rests and not self.rests[0][0] else 0

    def moved(self, time: Time, *, is_end: bool = False) -> Time:
        """When something happens with the rests: what begins at a rest follows it, what ends there does not."""
        place = (bisect.bisect_left if is_end else bisect.bisect_right)(self.rests, time, key=_start)
        return time + sum(length for _, length in self.rests[:place])


NO_RESTS = BarRests()


def bar_rests(bars: Iterable[PlayedBar]) -> BarRests:
    """The rests before sections that put the ends of their first bars on bar lines.

    A first bar that is shorter than its metre is a pickup, unless fewer bar lines would then stand where a bar ends.
    """
    sections: list[list[PlayedBar]] = []
    for bar in bars:
        if bar.is_section or bar.is_metre or not sections:
            sections.append([])
        sections[-1].append(bar)
    rests: list[tuple[Time, Time]] = []
    position: Time = 0
    num_uneven = 0
    for section, following in itertools.zip_longest(sections, sections[1:]):
        first = section[0]
        position = 0 if first.is_metre else position
        is_alone = len(section) == 1 and (following is None or following[0].is_metre)
        if first.whole is None or (is_alone and first.length < first.whole):
            continue  # nothing that is counted follows
        begins: list[Time] = [0] if first.length >= first.whole else [first.whole - first.length, 0]
        num_off, _, begin = min((_num_off(section, begin), place, begin) for place, begin in enumerate(begins))
        rest = (begin - position) % first.whole
        if rest:
            rests.append((first.start, rest))
        num_uneven += num_off
        position = (begin + sum(bar.length for bar in section)) % first.whole
    return BarRests(tuple(rests), num_uneven)


def _num_off(section: Sequence[PlayedBar], begin: Time) -> int:
    """Bar lines of a section that lie within a bar, if it begins at a place of a bar; its last one is the next one's."""
    whole = section[0].whole
    num_off = 0
    position: Time = begin
    for bar in section[:-1]:
        position += bar.length
        num_off += bool(whole and position % whole)
    return num_off


def _start(rest: tuple[Time, Time]) -> Time:
    return rest[0]

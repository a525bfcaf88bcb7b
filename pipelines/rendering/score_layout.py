"""A melody as notation: bars of notes and rests that one can write, and what is beamed together.

Steps that halve a quarter note are plain notes. Other steps, such as 3 or 6 a quarter note, are plain notes where those
will do, and tuplets where they will not.
"""

import dataclasses
import itertools

from etude.models.melodies.melody import Events
from etude.models.melodies.notes import notes_of

_COMPOUND_EIGHTHS = (6, 9, 12)
"""Bars of so many eighths are felt in dotted quarters (6/8, 9/8, 12/8)."""

_LETTERS = (0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6)
_ACCIDENTALS = ("", "sharp", "", "flat", "", "", "sharp", "", "sharp", "", "flat", "")


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A note or a rest.

    Attributes:
      onset: in steps from the start of the bar.
      duration: in steps.
      value: as what it is written, in sixteenths: 4 is a quarter note, 6 a dotted one, 0.5 a thirty-second.
      pitch: None for a rest.
      is_tied: whether it goes on in the next symbol.
      tuplet: of symbols that are written as a tuplet, the number of that tuplet's place in the bar.
    """

    onset: int
    duration: int
    value: float
    pitch: int | None
    is_tied: bool = False
    tuplet: int | None = None


def beat(steps_per_bar: int, steps_per_quarter: int) -> int:
    """Steps in a beat: a dotted quarter note in compound metres, if the steps make one, else a quarter note."""
    is_compound = any(2 * steps_per_bar == eighths * steps_per_quarter for eighths in _COMPOUND_EIGHTHS)
    return 3 * steps_per_quarter // 2 if is_compound and steps_per_quarter % 2 == 0 else steps_per_quarter


def tuplet_ratio(steps_per_quarter: int) -> tuple[int, int]:
    """How many notes of a tuplet take the time of how many plain ones: (3, 2) for triplets, (1, 1) if none are needed."""
    odd = steps_per_quarter // (steps_per_quarter & -steps_per_quarter)
    return odd, 1 << (odd.bit_length() - 1)


def bars(events: Events, steps_per_bar: int, steps_per_quarter: int) -> list[list[Symbol]]:
    """The symbols of each bar; the last bar is filled up with rests."""
    num_bars = -(-len(events) // steps_per_bar)
    notes = list(zip(*(values.tolist() for values in notes_of(events)), strict=True))
    edges = [edge for onset, _, duration in notes for edge in (onset, onset + duration)]
    layout = _Layout.of(edges, num_bars, steps_per_bar, steps_per_quarter)
    result: list[list[Symbol]] = [[] for _ in range(num_bars)]
    at = 0

    def write(end: int, pitch: int | None) -> None:
        nonlocal at
        while at < end:
            bar, position = divmod(at, steps_per_bar)
            symbol = layout.symbol(bar, position, min(end - at, steps_per_bar - position), pitch)
            at += symbol.duration
            result[bar].append(dataclasses.replace(symbol, is_tied=pitch is not None and at < end))

    for onset, pitch, duration in notes:
        write(onset, None)
        write(onset + duration, pitch)
    write(num_bars * steps_per_bar, None)
    return result


def tuplets(bar: list[Symbol]) -> list[list[Symbol]]:
    """The symbols of each tuplet of a bar."""
    groups = itertools.groupby(bar, key=lambda symbol: symbol.tuplet)
    return [list(group) for tuplet, group in groups if tuplet is not None]


def beams(bar: list[Symbol], beat_length: int) -> list[list[Symbol]]:
    """Runs of two or more notes shorter than a quarter that follow each other within one beat."""
    runs: list[list[Symbol]] = []
    for symbol in bar:
        if symbol.pitch is None or symbol.value >= 4:
            continue
        last = runs[-1][-1] if runs else None
        follows = last is not None and last.onset + last.duration == symbol.onset
        if last and follows and last.onset // beat_length == symbol.onset // beat_length:
            runs[-1].append(symbol)
        else:
            runs.append([symbol])
    return [run for run in runs if len(run) > 1]


def staff_position(pitch: int) -> tuple[int, str]:
    """Where a pitch is written: half spaces above the lowest line of the treble staff (E4), and its accidental."""
    octave, pitch_class = divmod(pitch, 12)
    return 7 * (octave - 1) + _LETTERS[pitch_class] - 30, _ACCIDENTALS[pitch_class]


def shown_accidental(pitch: int, written: dict[int, str]) -> str:
    """The accidental to write before a note, if any; `written` is what holds in the bar so far, and is updated."""
    position, accidental = staff_position(pitch)
    if written.get(position, "") == accidental:
        return ""
    written[position] = accidental
    return accidental or "natural"


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Which parts of the bars are written as tuplets.

    A part is a quarter note, or an eighth in compound metres: what a tuplet fills.

    Attributes:
      tuplets: the bar and the number of every part that is.
      part: steps in a part.
      beat: steps in a beat.
      steps_per_quarter: steps in a quarter note.
    """

    tuplets: frozenset[tuple[int, int]]
    part: int
    beat: int
    steps_per_quarter: int

    @classmethod
    def of(cls, edges: list[int], num_bars: int, steps_per_bar: int, steps_per_quarter: int) -> "_Layout":
        """The layout of a melody whose notes begin and end at `edges`."""
        odd, _ = tuplet_ratio(steps_per_quarter)
        beat_length = beat(steps_per_bar, steps_per_quarter)
        part = steps_per_quarter if beat_length == steps_per_quarter else steps_per_quarter // 2
        places = [divmod(edge, steps_per_bar) for edge in edges]
        if steps_per_bar % odd:
            places += [(bar, steps_per_bar) for bar in range(num_bars)]
        found = frozenset((bar, position // part) for bar, position in places if position % odd)
        return cls(found, part, beat_length, steps_per_quarter)

    def symbol(self, bar: int, position: int, remaining: int, pitch: int | None) -> Symbol:
        """The longest symbol that can stand at a position of a bar, where something lasts so many steps more."""
        odd, even = tuplet_ratio(self.steps_per_quarter)
        number = position // self.part
        if (bar, number) in self.tuplets:
            duration = _longest(min(remaining, (number + 1) * self.part - position))
            return Symbol(
                position, duration, 4 * duration * odd / (even * self.steps_per_quarter), pitch, tuplet=number
            )
        for later in range(number + 1, (position + remaining - 1) // self.part + 1):
            if (bar, later) in self.tuplets:
                remaining = later * self.part - position
                break
        plain = _plain(position // odd, remaining // odd, self.beat // odd, 4 * self.steps_per_quarter // odd)
        return Symbol(position, plain * odd, 4 * plain * odd / self.steps_per_quarter, pitch)


def _plain(position: int, remaining: int, beat_length: int, whole: int) -> int:
    """The longest note value that fits here without hiding where the beats are; steps are parts of a `whole` note."""
    if position % beat_length:
        remaining = min(remaining, beat_length - position % beat_length)
    elif beat_length % 3 == 0 and remaining >= beat_length:
        return beat_length * _longest(min(remaining, whole) // beat_length, is_dotted=False)
    return _longest(min(remaining, whole))


def _longest(remaining: int, is_dotted: bool = True) -> int:
    """The longest power of two, or one and a half of one, that is not longer."""
    power = 1 << (remaining.bit_length() - 1)
    dotted = power + power // 2
    return dotted if is_dotted and power > 1 and dotted <= remaining else power

"""Music as notation: bars of notes, chords and rests that one can write, and what is beamed together.

Steps that halve a quarter note are plain notes. Other steps, such as 3 or 6 a quarter note, are plain notes where those
will do, and tuplets where they will not.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Sequence

from etude.pipelines.rendering.music import Music, Note


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A note, a chord or a rest.

    Attributes:
      onset: in steps from the start of the bar, the whole bar where it is a pickup.
      duration: in steps.
      value: as what it is written, in sixteenths: 4 is a quarter note, 6 a dotted one, 0.5 a thirty-second.
      pitches: from the lowest; none for a rest.
      tied: those of the pitches that go on in the next symbol.
      continued: those of the pitches that go on from the symbol before.
      tuplet: of symbols that are written as a tuplet, the number of that tuplet's place in the bar.
      is_primer: whether it was given.
      chord: the figure of the chord that begins with it; empty where none does.
    """

    onset: int
    duration: int
    value: float
    pitches: tuple[int, ...]
    tied: tuple[int, ...] = ()
    continued: tuple[int, ...] = ()
    tuplet: int | None = None
    is_primer: bool = False
    chord: str = ""


def tuplet_ratio(steps_per_quarter: int) -> tuple[int, int]:
    """How many notes of a tuplet take the time of how many plain ones: (3, 2) for triplets, (1, 1) if none are needed."""
    odd = steps_per_quarter // (steps_per_quarter & -steps_per_quarter)
    return odd, 1 << (odd.bit_length() - 1)


def bars(music: Music, notes: Sequence[Note] | None = None) -> list[list[Symbol]]:
    """The symbols of each bar; the last bar is filled up with rests.

    Args:
      music: the music.
      notes: those of its notes that stand on one staff; None for all.
    """
    start = (music.steps_per_bar - music.pickup_steps) % music.steps_per_bar
    end = start + music.num_steps
    num_bars = -(-end // music.steps_per_bar)
    segments = _segments(music.notes if notes is None else notes, music.num_steps, start)
    edges = [edge for segment in segments for edge in (segment.start, segment.end)]
    layout = _Layout.of(edges, num_bars, music)
    result: list[list[Symbol]] = [[] for _ in range(num_bars)]
    chords = {start + step: figure for step, figure in music.chords}
    changes = sorted(chords)
    at = start
    for segment in [*segments, _Segment(end, num_bars * music.steps_per_bar)]:
        while at < segment.end:
            bar, position = divmod(at, music.steps_per_bar)
            # A chord is written over the symbol that it begins with.
            change = next(iter(changes[bisect.bisect_right(changes, at) :]), segment.end)
            remaining = min(segment.end, change) - at
            symbol = layout.symbol(bar, position, min(remaining, music.steps_per_bar - position))
            chord = chords.get(at, "")
            is_first, at = at == segment.start, at + symbol.duration
            symbol = dataclasses.replace(
                symbol,
                pitches=segment.pitches,
                tied=segment.tied if at == segment.end else segment.pitches,
                continued=segment.continued if is_first else segment.pitches,
                is_primer=segment.start < start + music.num_primer_steps,
                chord=chord,
            )
            result[bar].append(symbol)
    return result


def beams(bar: Sequence[Symbol], beat_length: int) -> list[list[Symbol]]:
    """All symbols in order, those together that a beam joins: notes shorter than a quarter, within one beat."""
    runs: list[list[Symbol]] = []
    for symbol in bar:
        last = runs[-1][-1] if runs else None
        is_short = bool(symbol.pitches) and symbol.value < 4
        follows = last is not None and bool(last.pitches) and last.value < 4
        if last and is_short and follows and last.onset // beat_length == symbol.onset // beat_length:
            runs[-1].append(symbol)
        else:
            runs.append([symbol])
    return runs


def tuplets(bar: Sequence[Symbol]) -> list[list[Symbol]]:
    """All symbols in order, in runs: the symbols of one tuplet, or those between tuplets."""
    return [list(group) for _, group in itertools.groupby(bar, key=lambda symbol: symbol.tuplet)]


@dataclasses.dataclass(frozen=True)
class _Segment:
    """A time within which nothing begins or ends; steps count from the start of the first bar, whole or not."""

    start: int
    end: int
    pitches: tuple[int, ...] = ()
    tied: tuple[int, ...] = ()
    continued: tuple[int, ...] = ()


def _segments(notes: Sequence[Note], num_steps: int, shift: int) -> list[_Segment]:
    """The times between the notes' beginnings and ends, from 0 to `num_steps`, moved by `shift` steps."""
    edges = {0, num_steps, *(note.onset for note in notes), *(note.onset + note.duration for note in notes)}
    ordered = sorted(edge for edge in edges if 0 <= edge <= num_steps)
    beginning: dict[int, list[Note]] = {edge: [] for edge in ordered}
    ending: dict[int, list[Note]] = {edge: [] for edge in ordered}
    for note in notes:
        if note.duration > 0 and note.onset < num_steps:
            beginning[note.onset].append(note)
            ending[min(note.onset + note.duration, num_steps)].append(note)
    segments = []
    sounding: set[Note] = set()
    for start, end in itertools.pairwise(ordered):
        sounding -= set(ending[start])
        held = {note.pitch for note in sounding} - {note.pitch for note in beginning[start]}
        sounding |= set(beginning[start])
        going_on = {note.pitch for note in sounding if note.onset + note.duration > end}
        tied = going_on - {note.pitch for note in beginning[end]}
        segments.append(
            _Segment(
                start + shift,
                end + shift,
                tuple(sorted({note.pitch for note in sounding})),
                tuple(sorted(tied)) if end < num_steps else (),
                tuple(sorted(held)),
            )
        )
    return segments


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
    def of(cls, edges: Sequence[int], num_bars: int, music: Music) -> "_Layout":
        """The layout of music whose notes begin and end at `edges`."""
        odd, _ = tuplet_ratio(music.steps_per_quarter)
        part = music.steps_per_quarter if music.beat == music.steps_per_quarter else music.steps_per_quarter // 2
        places = [divmod(edge, music.steps_per_bar) for edge in edges]
        if music.steps_per_bar % odd:
            places += [(bar, music.steps_per_bar) for bar in range(num_bars)]
        found = frozenset((bar, position // part) for bar, position in places if position % odd)
        return cls(found, part, music.beat, music.steps_per_quarter)

    def symbol(self, bar: int, position: int, remaining: int) -> Symbol:
        """The longest symbol that can stand at a position of a bar, where something lasts so many steps more."""
        odd, even = tuplet_ratio(self.steps_per_quarter)
        number = position // self.part
        if (bar, number) in self.tuplets:
            duration = _longest(min(remaining, (number + 1) * self.part - position))
            value = 4 * duration * odd / (even * self.steps_per_quarter)
            return Symbol(position, duration, value, (), tuplet=number)
        for later in range(number + 1, (position + remaining - 1) // self.part + 1):
            if (bar, later) in self.tuplets:
                remaining = later * self.part - position
                break
        plain = _plain(position // odd, remaining // odd, self.beat // odd, 4 * self.steps_per_quarter // odd)
        return Symbol(position, plain * odd, 4 * plain * odd / self.steps_per_quarter, ())


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

"""A melody as notation: bars of notes and rests that one can write, and what is beamed together."""

import dataclasses

from etude.models.melodies.melody import Events
from etude.models.melodies.notes import notes_of

VALUES = (16, 12, 8, 6, 4, 3, 2, 1)
"""Note values that need no tie, in sixteenths: from the whole note down, with dotted ones between."""

COMPOUND_BARS = (12, 18, 24)
"""Bars of so many sixteenths are felt in dotted quarters (6/8, 9/8, 12/8)."""

_LETTERS = (0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6)
_ACCIDENTALS = ("", "sharp", "", "flat", "", "", "sharp", "", "sharp", "", "flat", "")


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A note or a rest.

    Attributes:
      onset: in sixteenths from the start of the bar.
      duration: one of `VALUES`.
      pitch: None for a rest.
      is_tied: whether it goes on in the next symbol.
    """

    onset: int
    duration: int
    pitch: int | None
    is_tied: bool = False


def beat(steps_per_bar: int) -> int:
    """Sixteenths in a beat."""
    return 6 if steps_per_bar in COMPOUND_BARS else 4


def bars(events: Events, steps_per_bar: int) -> list[list[Symbol]]:
    """The symbols of each bar; the last bar is filled up with rests."""
    num_bars = -(-len(events) // steps_per_bar)
    result: list[list[Symbol]] = [[] for _ in range(num_bars)]
    at = 0

    def write(end: int, pitch: int | None) -> None:
        nonlocal at
        while at < end:
            bar, position = divmod(at, steps_per_bar)
            value = _value(position, min(end - at, steps_per_bar - position), beat(steps_per_bar))
            is_tied = pitch is not None and at + value < end
            result[bar].append(Symbol(position, value, pitch, is_tied))
            at += value

    for onset, pitch, duration in zip(*(values.tolist() for values in notes_of(events)), strict=True):
        write(onset, None)
        write(onset + duration, pitch)
    write(num_bars * steps_per_bar, None)
    return result


def beams(bar: list[Symbol], steps_per_bar: int) -> list[list[Symbol]]:
    """Runs of two or more notes shorter than a quarter that follow each other within one beat."""
    runs: list[list[Symbol]] = []
    for symbol in bar:
        if symbol.pitch is None or symbol.duration >= 4:
            continue
        last = runs[-1][-1] if runs else None
        follows = last is not None and last.onset + last.duration == symbol.onset
        if last and follows and last.onset // beat(steps_per_bar) == symbol.onset // beat(steps_per_bar):
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


def _value(position: int, remaining: int, beat_length: int) -> int:
    """The longest note value that fits here without hiding where the beats are."""
    if position % beat_length:
        remaining = min(remaining, beat_length - position % beat_length)
    elif beat_length == 6 and remaining >= beat_length:
        return max(value for value in VALUES if value <= remaining and value % beat_length == 0)
    return max(value for value in VALUES if value <= remaining)

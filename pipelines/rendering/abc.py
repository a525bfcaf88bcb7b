"""Melodies in ABC notation (version 2.1 of the standard), one tune a melody."""

import collections
from collections.abc import Iterator

from etude.models.errors import UsageError
from etude.models.melodies.melody import Events, major_key
from etude.models.melodies.scales import Key
from etude.pipelines.rendering.midi import DEFAULT_QPM
from etude.pipelines.rendering.score_layout import Symbol, bars, beat, tuplet_ratio

BARS_PER_LINE = 4
_LARGEST_TUPLET = 9
_MODES = {
    "major": "",
    "minor": "m",
    "mixolydian": "mix",
    "dorian": "dor",
    "phrygian": "phr",
    "lydian": "lyd",
    "locrian": "loc",
}
_ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_SIGNATURE = "FCGDAEB"


def melody_to_abc(
    events: Events,
    *,
    steps_per_bar: int,
    steps_per_quarter: int,
    title: str,
    number: int = 1,
    qpm: float = DEFAULT_QPM,
    metre: tuple[int, int] | None = None,
    key: Key | None = None,
    program: int = 0,
) -> str:
    """A tune in ABC.

    Args:
      events: [num_steps].
      steps_per_bar: steps in a bar.
      steps_per_quarter: steps in a quarter note; where they do not halve it, notes are written as tuplets.
      title: of the tune.
      number: of the tune, for `X:`.
      qpm: quarter notes a minute.
      metre: numerator and denominator; None for one that fits the bar.
      key: to write it in; None for the major key that holds most of its notes.
      program: General MIDI instrument.

    Raises:
      UsageError: if ABC has no tuplets of as many notes as the steps need, or no metre for the bar.
    """
    ratio = tuplet_ratio(steps_per_quarter)
    if ratio[0] > _LARGEST_TUPLET:
        raise UsageError(
            f"ABC notation has tuplets of up to {_LARGEST_TUPLET} notes, but {steps_per_quarter} steps a quarter note need "
            f"some of {ratio[0]}"
        )
    key = key or Key(major_key(events))
    # The shortest note: a step, or within a tuplet what a step is written as.
    unit = 4 * steps_per_quarter // ratio[0] * ratio[1]
    numerator, denominator = metre or _metre(steps_per_bar, steps_per_quarter)
    letter, mode = key.name.split(" ")
    header = [
        f"X:{number}",
        f"T:{title}",
        f"M:{numerator}/{denominator}",
        f"L:1/{unit}",
        f"Q:1/4={qpm:g}",
        *([f"%%MIDI program {program}"] if program else []),
        f"K:{letter}{_MODES[mode]}",
    ]
    beat_length = beat(steps_per_bar, steps_per_quarter)
    whole = bars(events, steps_per_bar, steps_per_quarter)
    written = ["".join(_bar(bar, beat_length, unit, ratio, key)) for bar in whole]
    lines = ["|".join(written[start : start + BARS_PER_LINE]) for start in range(0, len(written), BARS_PER_LINE)]
    return "\n".join([*header, *(line + "|" for line in lines[:-1]), lines[-1] + "|]"]) + "\n"


def _bar(bar: list[Symbol], beat_length: int, unit: int, ratio: tuple[int, int], key: Key) -> Iterator[str]:
    """The symbols of a bar; a space parts the beats, so that notes of one beat are beamed."""
    altered: set[str] = set()
    sizes = collections.Counter(symbol.tuplet for symbol in bar)
    last: int | None = None
    for symbol in bar:
        if symbol.onset and symbol.onset % beat_length == 0:
            yield " "
        if symbol.tuplet is not None and symbol.tuplet != last:
            yield f"({ratio[0]}:{ratio[1]}:{sizes[symbol.tuplet]}"
        last = symbol.tuplet
        length = round(symbol.value * unit / 16)
        note = "z" if symbol.pitch is None else _note(symbol.pitch, key, altered)
        yield f"{note}{length if length > 1 else ''}{'-' if symbol.is_tied else ''}"


def _note(pitch: int, key: Key, altered: set[str]) -> str:
    """A note without its length.

    Once a letter has had an accidental in a bar, all later notes of that letter get theirs: readers differ on whether
    an accidental holds in other octaves.
    """
    letter, accidental = key.spell(pitch % 12)
    place = _SIGNATURE.index(letter)
    in_signature = 1 if place < key.sharps else -1 if 6 - place < -key.sharps else 0
    mark = ""
    if accidental != in_signature or letter in altered:
        mark = _ACCIDENTALS[accidental]
        altered.add(letter)
    octave = (pitch - accidental) // 12 - 5
    if octave >= 1:
        return mark + letter.lower() + "'" * (octave - 1)
    return mark + letter + "," * -octave


def _metre(steps_per_bar: int, steps_per_quarter: int) -> tuple[int, int]:
    """The metre of a bar of so many steps: in quarters where they go into it, else in eighths and so on."""
    for denominator in (4, 8, 16, 32, 64):
        numerator, rest = divmod(steps_per_bar * denominator, 4 * steps_per_quarter)
        if not rest:
            return numerator, denominator
    raise UsageError(f"no metre has bars of {steps_per_bar} steps where {steps_per_quarter} are a quarter note")

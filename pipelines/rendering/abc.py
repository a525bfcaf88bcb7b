"""Melodies in ABC notation (version 2.1 of the standard), one tune a melody."""

from collections.abc import Iterator

from etude.models.errors import UsageError
from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, Events, major_key
from etude.models.melodies.scales import Key
from etude.pipelines.rendering.midi import DEFAULT_QPM
from etude.pipelines.rendering.score_layout import Symbol, bars, beat

BARS_PER_LINE = 4
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
    title: str,
    number: int = 1,
    steps_per_quarter: int = DEFAULT_STEPS_PER_QUARTER,
    qpm: float = DEFAULT_QPM,
    metre: tuple[int, int] | None = None,
    key: Key | None = None,
    program: int = 0,
) -> str:
    """A tune in ABC.

    Args:
      events: [num_steps].
      steps_per_bar: steps in a bar.
      title: of the tune.
      number: of the tune, for `X:`.
      steps_per_quarter: a power of two.
      qpm: quarter notes a minute.
      metre: numerator and denominator; None for one that fits the bar.
      key: to write it in; None for the major key that holds most of its notes.
      program: General MIDI instrument.

    Raises:
      UsageError: if the steps are not note values that ABC can write.
    """
    if steps_per_quarter & (steps_per_quarter - 1):
        raise UsageError(f"ABC notation needs steps that halve a quarter note, not {steps_per_quarter} a quarter")
    key = key or Key(major_key(events))
    unit = 4 * steps_per_quarter
    numerator, denominator = metre or _metre(steps_per_bar, unit)
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
    written = ["".join(_bar(bar, beat(steps_per_bar), key)) for bar in bars(events, steps_per_bar)]
    lines = ["|".join(written[start : start + BARS_PER_LINE]) for start in range(0, len(written), BARS_PER_LINE)]
    return "\n".join([*header, *(line + "|" for line in lines[:-1]), lines[-1] + "|]"]) + "\n"


def _bar(bar: list[Symbol], beat_length: int, key: Key) -> Iterator[str]:
    """The symbols of a bar; a space parts the beats, so that notes of one beat are beamed."""
    altered: set[str] = set()
    for symbol in bar:
        if symbol.onset and symbol.onset % beat_length == 0:
            yield " "
        note = "z" if symbol.pitch is None else _note(symbol.pitch, key, altered)
        yield f"{note}{symbol.duration if symbol.duration > 1 else ''}{'-' if symbol.is_tied else ''}"


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


def _metre(steps_per_bar: int, unit: int) -> tuple[int, int]:
    """The metre of a bar of so many steps: in quarters where they go into it, else in eighths and so on."""
    denominator = 4
    while steps_per_bar * denominator % unit and denominator < unit:
        denominator *= 2
    return steps_per_bar * denominator // unit, denominator

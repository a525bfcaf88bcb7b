"""Music in ABC notation (version 2.1 of the standard)."""

import collections
from collections.abc import Iterator, Sequence

from etude.models.abc.pitch import note_name
from etude.models.errors import UsageError
from etude.models.melodies.scales import Key
from etude.pipelines.rendering.music import Music
from etude.pipelines.rendering.notation import Symbol, bars, tuplet_ratio

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


def to_abc(music: Music, *, title: str, number: int = 1) -> str:
    """A tune in ABC: one voice, in which notes that sound together are chords.

    Args:
      music: what to write. Its key and metre are written, or those that fit it; the instrument is its first note's.
      title: of the tune.
      number: of the tune, for `X:`.

    Raises:
      UsageError: if ABC has no tuplets of as many notes as the steps need, or no metre for the bar.
    """
    music = music.notated
    ratio = tuplet_ratio(music.steps_per_quarter)
    if ratio[0] > _LARGEST_TUPLET:
        raise UsageError(
            f"ABC notation has tuplets of up to {_LARGEST_TUPLET} notes, but {music.steps_per_quarter} steps a quarter note "
            f"need some of {ratio[0]}"
        )
    key = music.shown_key
    # The shortest note: a step, or within a tuplet what a step is written as.
    unit = 4 * music.steps_per_quarter // ratio[0] * ratio[1]
    numerator, denominator = music.shown_metre
    letter, mode = key.name.split(" ")
    header = [
        f"X:{number}",
        f"T:{title}",
        f"M:{numerator}/{denominator}",
        f"L:1/{unit}",
        f"Q:1/4={music.qpm:g}",
        *_instrument(music),
        f"K:{letter}{_MODES[mode]}",
    ]
    written = ["".join(_bar(bar, music.beat, unit, ratio, key)) for bar in bars(music)]
    lines = ["|".join(written[start : start + BARS_PER_LINE]) for start in range(0, len(written), BARS_PER_LINE)]
    return "\n".join([*header, *(line + "|" for line in lines[:-1]), "".join(lines[-1:]) + "|]"]) + "\n"


def _instrument(music: Music) -> Iterator[str]:
    first = min(music.notes, default=None)
    if first is not None and first.is_drum:
        yield "%%MIDI channel 10"
    elif first is not None and first.program:
        yield f"%%MIDI program {first.program}"


def _bar(bar: Sequence[Symbol], beat_length: int, unit: int, ratio: tuple[int, int], key: Key) -> Iterator[str]:
    """The symbols of a bar; a space parts the beats, so that notes of one beat are beamed."""
    altered: set[str] = set()
    sizes = collections.Counter(symbol.tuplet for symbol in bar)
    last: int | None = None
    for place, symbol in enumerate(bar):
        if place and symbol.onset % beat_length == 0:
            yield " "
        if symbol.chord:
            yield f'"{symbol.chord}"'
        if symbol.tuplet is not None and symbol.tuplet != last:
            yield f"({ratio[0]}:{ratio[1]}:{sizes[symbol.tuplet]}"
        last = symbol.tuplet
        length = round(symbol.value * unit / 16)
        yield _written(symbol, f"{length if length > 1 else ''}", key, altered)


def _written(symbol: Symbol, length: str, key: Key, altered: set[str]) -> str:
    notes = [(note_name(pitch, key, altered), "-" if pitch in symbol.tied else "") for pitch in symbol.pitches]
    if not notes:
        return f"z{length}"
    if len(notes) == 1:
        return f"{notes[0][0]}{length}{notes[0][1]}"
    return "[" + "".join(note + tie for note, tie in notes) + "]" + length

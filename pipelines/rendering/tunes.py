"""Tunes in ABC as music: what their text plays, repeats played out."""

from fractions import Fraction
from math import gcd

from etude.models.abc.performance.performance import Performance
from etude.models.abc.performance.timeline import State
from etude.models.abc.problems import TooLargeError
from etude.models.abc.reading import ReadTune
from etude.models.abc.unfolded import plain_key
from etude.pipelines.rendering.music import DEFAULT_QPM, Music, Note

_PLAIN_STEPS = 4
"""Steps in a quarter note, at least: where lengths allow it, as melodies have them."""

_FINEST_GRID = 1 << 14
"""Steps in a whole note, at most."""

_MOST_STEPS = 1 << 20


def tune_music(tune: ReadTune, *, qpm: float | None = None, program: int = 0) -> Music:
    """The notes of a tune, on a grid that holds all of them; in its first metre and key.

    Args:
      tune: read by `etude.models.abc.reading.read_text`.
      qpm: quarter notes a minute; None for those of the tune, or 120.
      program: General MIDI instrument, 0 to 127.

    Raises:
      TooLargeError: if its lengths have no grid that one could write, or it is longer than any tune.
    """
    played = tune.performance
    first = played.states[0][1] if played.states else State()
    # MIDI files know no others.
    metre = first.metre if first.metre and first.metre[0] < 256 and first.metre[1] in (1, 2, 4, 8, 16, 32) else None
    bar = Fraction(*metre) if metre else Fraction(1)
    times = [time for note in played.notes for time in (note.start, note.end)]
    pickup = _pickup(played, bar)
    # Steps in a whole note.
    grid = 4 * _PLAIN_STEPS
    for length in (bar, *(Fraction(time, played.units) for time in {*times, pickup})):
        grid = grid * length.denominator // gcd(grid, length.denominator)
    if grid > _FINEST_GRID or max(times) * grid > _MOST_STEPS * played.units:
        raise TooLargeError("its lengths are too uneven, or it is too long, to be written as notes")

    def step(time: int) -> int:
        return time * grid // played.units

    notes = (Note(step(note.start), note.pitch, step(note.end) - step(note.start)) for note in played.notes)
    tempo = float(first.quarters_per_minute) if first.quarters_per_minute else DEFAULT_QPM
    return Music(
        notes=tuple(Note(note.onset, note.pitch, note.duration, program=program) for note in notes if note.duration),
        num_steps=step(max(times)),
        steps_per_quarter=grid // 4,
        steps_per_bar=int(bar * grid),
        pickup_steps=step(pickup),
        qpm=tempo if qpm is None else qpm,
        metre=metre,
        key=plain_key(*first.key) if first.key and first.key[0].tonic is not None else None,
    )


def _pickup(played: Performance, bar: Fraction) -> int:
    """How long the bar is that the tune begins with, where it is no whole one; 0 otherwise."""
    first = next((time for time in played.bars if time), 0)
    return first if Fraction(first, played.units) < bar else 0

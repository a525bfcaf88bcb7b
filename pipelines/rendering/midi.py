"""Melodies as standard MIDI files."""

import struct
from collections.abc import Iterator

from etude.models.melodies.melody import NO_EVENT, NOTE_OFF, Events
from etude.models.melodies.scales import Key

TICKS_PER_QUARTER = 220
"""Also note-seq's, so that a step falls on a whole tick for 1, 2, 4, 5, 10, 11, 20 ... steps per quarter."""

DEFAULT_QPM = 120.0
DEFAULT_VELOCITY = 100


def melody_to_midi(
    events: Events,
    *,
    steps_per_quarter: int,
    qpm: float = DEFAULT_QPM,
    program: int = 0,
    velocity: int = DEFAULT_VELOCITY,
    metre: tuple[int, int] | None = None,
    key: Key | None = None,
) -> bytes:
    """A MIDI file of one track with the melody; a note that sounds at the end stops there.

    Args:
      events: [num_steps].
      steps_per_quarter: steps in a quarter note.
      qpm: tempo in quarter notes per minute, from 4.
      program: General MIDI instrument, 0 to 127.
      velocity: of every note, 1 to 127.
      metre: numerator and denominator (a power of two) of the time signature; None for no time signature.
      key: of the key signature; None for none.
    """
    track = bytearray()
    if metre is not None:
        numerator, denominator = metre
        track += b"\x00\xff\x58\x04" + bytes([numerator, denominator.bit_length() - 1, 24, 8])
    if key is not None:
        track += b"\x00\xff\x59\x02" + struct.pack(">bB", key.sharps, key.mode == "minor")
    track += b"\x00\xff\x51\x03" + round(60e6 / qpm).to_bytes(3, "big")
    track += bytes([0, 0xC0, program])
    last_tick = 0
    for step, status, pitch in _messages(events.tolist()):
        tick = round(step * TICKS_PER_QUARTER / steps_per_quarter)
        track += _variable_length(tick - last_tick) + bytes([status, pitch, velocity if status == _NOTE_ON else 0])
        last_tick = tick
    track += b"\x00\xff\x2f\x00"
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, TICKS_PER_QUARTER)
    return header + struct.pack(">4sI", b"MTrk", len(track)) + bytes(track)


_NOTE_ON = 0x90
_NOTE_OFF = 0x80


def _messages(events: list[int]) -> Iterator[tuple[int, int, int]]:
    """Steps, status bytes and pitches of the note-ons and note-offs."""
    sounding: int | None = None
    for step, event in enumerate([*events, NOTE_OFF]):
        if event == NO_EVENT:
            continue
        if sounding is not None:
            yield step, _NOTE_OFF, sounding
        sounding = None if event == NOTE_OFF else event
        if sounding is not None:
            yield step, _NOTE_ON, sounding


def _variable_length(number: int) -> bytes:
    """A number in groups of seven bits, all but the last marked."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))

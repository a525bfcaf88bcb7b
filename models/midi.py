"""Melodies as standard MIDI files."""

import io

import mido

from models.melody import DEFAULT_STEPS_PER_QUARTER, NO_EVENT, NOTE_OFF, Events

TICKS_PER_QUARTER = 220
"""Also note-seq's, so that a step falls on a whole tick for 1, 2, 4, 5, 10, 11, 20 ... steps per quarter."""

DEFAULT_QPM = 120.0
DEFAULT_VELOCITY = 100


def melody_to_midi(
    events: Events,
    *,
    qpm: float = DEFAULT_QPM,
    steps_per_quarter: int = DEFAULT_STEPS_PER_QUARTER,
    program: int = 0,
    velocity: int = DEFAULT_VELOCITY,
) -> bytes:
    """A MIDI file of one track with the melody; a note that sounds at the end stops there.

    Args:
      events: [num_steps].
      qpm: tempo in quarter notes per minute.
      steps_per_quarter: steps in a quarter note.
      program: General MIDI instrument, 0 to 127.
      velocity: of every note, 1 to 127.
    """
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm)))
    track.append(mido.Message("program_change", program=program))
    sounding: int | None = None
    last_tick = 0

    def add(message: str, pitch: int, tick: int, strength: int) -> None:
        nonlocal last_tick
        track.append(mido.Message(message, note=pitch, velocity=strength, time=tick - last_tick))
        last_tick = tick

    for step, event in enumerate([*events.tolist(), NOTE_OFF]):
        if event == NO_EVENT:
            continue
        tick = round(step * TICKS_PER_QUARTER / steps_per_quarter)
        if sounding is not None:
            add("note_off", sounding, tick, 0)
        sounding = None if event == NOTE_OFF else event
        if sounding is not None:
            add("note_on", sounding, tick, velocity)
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track])
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()

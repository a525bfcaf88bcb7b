"""Melodies as sound: WAV files, played on the instruments of a sound font."""

import functools
import io
import wave

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import Events
from etude.models.melodies.notes import notes_of
from etude.pipelines.rendering.midi import DEFAULT_QPM, DEFAULT_VELOCITY
from etude.pipelines.rendering.soundfont import SoundFont, Voice, general_midi_path

SAMPLE_RATE = 44100
PEAK = 0.8
_TAIL = 1.5
"""Seconds that the last note may ring."""

Sound = npt.NDArray[np.float32]


def melody_to_wav(
    events: Events,
    *,
    steps_per_quarter: int,
    qpm: float = DEFAULT_QPM,
    program: int = 0,
    velocity: int = DEFAULT_VELOCITY,
) -> bytes:
    """A mono WAV file of 16 bits.

    Args:
      events: [num_steps].
      steps_per_quarter: steps in a quarter note.
      qpm: quarter notes a minute.
      program: General MIDI instrument, 0 to 127.
      velocity: of every note, 1 to 127.

    Raises:
      EtudeError: if the sound font is missing.
    """
    step = 60 / qpm / steps_per_quarter
    sound = np.zeros(round((len(events) * step + _TAIL) * SAMPLE_RATE) + 1, np.float32)
    known: dict[tuple[int, int], list[Sound]] = {}
    for onset, pitch, duration in zip(*(values.tolist() for values in notes_of(events)), strict=True):
        start = round(onset * step * SAMPLE_RATE)
        if (pitch, duration) not in known:
            voices = _font().voices(program, pitch, velocity)
            known[pitch, duration] = [play(voice, duration * step) for voice in voices]
        for note in known[pitch, duration]:
            stop = min(start + len(note), len(sound))
            sound[start:stop] += note[: stop - start]
    loudest = float(np.abs(sound).max())
    scaled = np.round(sound * (PEAK * 32767 / loudest if loudest else 0)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(scaled.tobytes())
    return buffer.getvalue()


def play(voice: Voice, seconds: float) -> Sound:
    """A voice that is held for some seconds and then let go, at `SAMPLE_RATE`."""
    release = min(voice.release, _TAIL)
    time = np.arange(round((seconds + release) * SAMPLE_RATE)) / SAMPLE_RATE
    position = time * voice.sample_rate
    if voice.loop is not None:
        start, end = voice.loop
        position = np.where(position < start, position, start + (position - start) % (end - start))
    samples = np.interp(position, np.arange(len(voice.samples)), voice.samples, right=0.0)
    return (samples * voice.gain * _envelope(voice, time, seconds)).astype(np.float32)


def _envelope(voice: Voice, time: npt.NDArray[np.float64], seconds: float) -> npt.NDArray[np.float64]:
    """Volume over time: linear attack, hold, then decay and release that are linear in decibels."""

    def held(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        rise = np.minimum(at / voice.attack, 1) if voice.attack else np.ones_like(at)
        since = np.maximum(at - voice.attack - voice.hold, 0)
        fall = 10 ** (-5 * since / voice.decay) if voice.decay else np.where(since > 0, 0.0, 1.0)
        return rise * np.maximum(fall, voice.sustain)

    let_go = np.maximum(time - seconds, 0)
    release = max(voice.release, 0.005)
    return held(np.minimum(time, seconds)) * 10 ** (-5 * let_go / release)


@functools.cache
def _font() -> SoundFont:
    return SoundFont(general_midi_path())

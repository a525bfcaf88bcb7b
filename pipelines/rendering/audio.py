"""Music as sound, on the instruments of the sound font that `sound_font` names."""

import functools
import io
import pathlib
import tempfile
import wave
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import Music
from etude.pipelines.rendering.sound_font import find_sound_font, with_root_keys_in_samples

SAMPLE_RATE = 44100
PEAK = 0.8
_TAIL = 1.5
"""Seconds that the last note may ring."""

Sound = npt.NDArray[np.float32]


def to_wav(music: Music, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A mono WAV file of 16 bits, as loud as it can be without clipping.

    Args:
      music: what to play.
      sample_rate: in Hz.

    Raises:
      EtudeError: if the sound font is missing.
    """
    played = synthesise(to_midi(music), sample_rate)
    sound = np.zeros(round((music.num_steps * music.seconds_per_step + _TAIL) * sample_rate) + 1, np.float32)
    sound[: len(played)] = played[: len(sound)]
    loudest = float(np.abs(sound).max())
    scaled = np.round(sound * (PEAK * 32767 / loudest if loudest else 0)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(scaled.tobytes())
    return buffer.getvalue()


def synthesise(midi: bytes, sample_rate: int) -> Sound:
    """What a MIDI file sounds like, [num_samples]; the one place that knows the synthesiser (symusic's).

    Raises:
      EtudeError: if the sound font is missing.
    """
    import symusic

    score: Any = symusic.Score.from_midi(midi)
    if not any(track.notes for track in score.tracks):
        return np.zeros(0, np.float32)
    return np.asarray(_synthesiser(sample_rate).render(score, stereo=False), np.float32)[0]


@functools.cache
def _synthesiser(sample_rate: int) -> Any:
    import symusic

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "font.sf2"
        path.write_bytes(with_root_keys_in_samples(find_sound_font().read_bytes()))
        return symusic.Synthesizer(path, sample_rate, 0)

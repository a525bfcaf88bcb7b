"""Clips as sound: all of one length and one loudness, as MP3 files of one size."""

import io
from collections.abc import Mapping, Sequence

import numpy as np

from etude.models.errors import EtudeError
from etude.pipelines.rendering.audio import Sound, synthesise
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import Music

SAMPLE_RATE = 22050
LOUDNESS = -20.0
"""In LUFS, after ITU-R BS.1770-4, unless a clip would be clipped: then all are as loud as that one can be."""

MOST = 0.9
"""The highest peak, of 1: what an encoder rounds may lie above."""

FADE = 0.3
"""Seconds in which every clip falls silent at its end."""

_COMPRESSION = 0.7
"""Of libsndfile's scale from 0 to 1: 56 kbit/s, as every frame has."""


def clips(music: Mapping[str, Music], seconds: float) -> dict[str, bytes]:
    """The same names with MP3 files that no browser plays differently: equally long, equally loud, equally large.

    Args:
      music: what to play, by the name of each clip.
      seconds: how long.

    Raises:
      EtudeError: if the sound font is missing, or there is nothing to hear in one.
    """
    sounds = [_sound(one, seconds) for one in music.values()]
    return {name: encode(sound) for name, sound in zip(music, equally_loud(sounds), strict=True)}


def equally_loud(sounds: Sequence[Sound]) -> list[Sound]:
    """Sounds scaled to one loudness, by pyloudnorm.

    Raises:
      EtudeError: if one is silent.
    """
    import pyloudnorm

    meter = pyloudnorm.Meter(SAMPLE_RATE)
    loudness = [float(meter.integrated_loudness(sound.astype(np.float64))) for sound in sounds]
    if not np.isfinite(loudness).all():
        raise EtudeError("a piece has nothing to hear; take other pieces, or longer ones")
    scaled = [sound * np.float32(10 ** ((LOUDNESS - one) / 20)) for sound, one in zip(sounds, loudness, strict=True)]
    highest = max(float(np.abs(sound).max()) for sound in scaled)
    return [sound * np.float32(min(1.0, MOST / highest)) for sound in scaled]


def encode(sound: Sound) -> bytes:
    """An MP3 file at a constant rate, whose size depends on nothing but the length; by libsndfile."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(
        file,
        sound,
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_COMPRESSION,
    )
    return file.getvalue()


def _sound(music: Music, seconds: float) -> Sound:
    length = round(seconds * SAMPLE_RATE)
    played = synthesise(to_midi(music), SAMPLE_RATE)[:length]
    sound = np.zeros(length, np.float32)
    sound[: len(played)] = played
    fade = round(FADE * SAMPLE_RATE)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound

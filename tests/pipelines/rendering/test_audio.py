import io
import wave

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.pipelines.rendering.audio import PEAK, SAMPLE_RATE, to_wav
from etude.pipelines.rendering.music import Music, Note, melody_music
from etude.pipelines.rendering.sound_font import find_sound_font, with_root_keys_in_samples


def read(data, sample_rate=SAMPLE_RATE):
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, sample_rate)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def melody(events, **options):
    return melody_music(np.array(events), steps_per_quarter=4, steps_per_bar=16, **options)


def fundamental(sound):
    """In Hz: the strongest lag of the autocorrelation between 50 and 2,000 Hz, to a fraction of a sample."""
    spectrum = np.fft.rfft(sound * np.hanning(len(sound)), 2 * len(sound))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)
    lags = np.arange(SAMPLE_RATE // 2000, SAMPLE_RATE // 50)
    peaks = lags[(correlation[lags] > correlation[lags - 1]) & (correlation[lags] >= correlation[lags + 1])]
    peak = peaks[correlation[peaks] > 0.9 * correlation[peaks].max()][0]
    before, at, after = correlation[peak - 1 : peak + 2]
    return SAMPLE_RATE / (peak + 0.5 * (before - after) / (before - 2 * at + after))


@pytest.mark.parametrize("program", [0, 24, 40, 56, 73])
@pytest.mark.parametrize("pitch", [48, 60, 69, 79])
def test_every_note_sounds_in_tune(program, pitch):
    sound = read(to_wav(melody([pitch, *[-2] * 7], program=program)))
    expected = 440 * 2 ** ((pitch - 69) / 12)
    cents = 1200 * np.log2(fundamental(sound[4000:20000]) / expected)
    assert abs(cents) < 25


def test_the_notes_of_a_chord_sound_together():
    """Each is a partial that stands out from what is a semitone beside it."""
    chord = (48, 55, 64, 70)
    sound = read(to_wav(Music(tuple(Note(0, pitch, 32) for pitch in chord), 32, 4, 16, qpm=60)))
    spectrum = np.abs(np.fft.rfft(sound[: 2 * SAMPLE_RATE] * np.hanning(2 * SAMPLE_RATE)))

    def strength(pitch):
        place = round(440 * 2 ** ((pitch - 69) / 12) * 2)
        return spectrum[place - 3 : place + 4].max()

    for pitch in chord:
        assert strength(pitch) > 10 * max(strength(pitch - 1), strength(pitch + 1))


def test_notes_are_where_they_belong():
    events = [-2, -2, -2, -2, 60, -1, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, 64, -2]
    sound = np.abs(read(to_wav(melody(events, qpm=60, program=24))))
    step = SAMPLE_RATE // 4
    loudness = [sound[start : start + step].max() for start in range(0, len(sound) - step, step)]
    assert max(loudness[:4]) < 0.001
    assert min(loudness[4], loudness[16]) > 0.4
    assert max(loudness[10:16]) < 0.1
    assert sound.max() == pytest.approx(PEAK, abs=0.001)


def test_drums_are_noise_where_they_are_struck():
    """A kick and a hi-hat: the one is low, the other is not."""
    kick, hat = (read(to_wav(Music((Note(4, pitch, 1, is_drum=True),), 16, 4, 16, qpm=60))) for pitch in (36, 42))
    for sound in (kick, hat):
        assert np.abs(sound[: SAMPLE_RATE * 9 // 10]).max() < 0.001 < np.abs(sound[SAMPLE_RATE:]).max()
    centres = []
    for sound in (kick, hat):
        spectrum = np.abs(np.fft.rfft(sound)) ** 2
        centres.append(np.average(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE), weights=spectrum))
    assert centres[0] < 500 < 2000 < centres[1]


def test_silence_and_the_same_bytes_again():
    assert not read(to_wav(melody([-2, -2]))).any()
    music = melody([60, 62, -1, 64])
    assert to_wav(music) == to_wav(music)
    assert len(read(to_wav(music, 22050), 22050)) == pytest.approx(len(read(to_wav(music))) / 2, abs=2)


def test_all_instruments_of_general_midi():
    for program in range(128):
        assert read(to_wav(melody([60, -2], program=program))).any(), program


def test_the_sound_font_is_the_one_that_is_named():
    assert b"TimGM6mb" in find_sound_font().read_bytes()[:200]


@pytest.mark.parametrize("content", [b"", b"RIFF\4\0\0\0sfbk", b"something else altogether"])
def test_what_is_no_sound_font(content):
    with pytest.raises(EtudeError, match="install pretty-midi again"):
        with_root_keys_in_samples(content)

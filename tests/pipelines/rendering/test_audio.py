import io
import wave

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.pipelines.rendering.audio import SAMPLE_RATE, melody_to_wav, play
from etude.pipelines.rendering.soundfont import SoundFont, Voice, general_midi_path


def read(data):
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


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
    sound = read(melody_to_wav(np.array([pitch, -2, -2, -2, -2, -2, -2, -2]), program=program, steps_per_quarter=4))
    expected = 440 * 2 ** ((pitch - 69) / 12)
    cents = 1200 * np.log2(fundamental(sound[4000:20000]) / expected)
    assert abs(cents) < 25


def test_notes_are_where_they_belong():
    events = np.array([-2, -2, -2, -2, 60, -1, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, 64, -2])
    sound = np.abs(read(melody_to_wav(events, qpm=60, program=24, steps_per_quarter=4)))
    step = SAMPLE_RATE // 4
    loudness = [sound[start : start + step].max() for start in range(0, len(sound) - step, step)]
    assert max(loudness[:4]) == 0
    assert min(loudness[4], loudness[16]) > 0.5
    assert max(loudness[10:16]) < 0.1
    assert sound.max() == pytest.approx(0.8, abs=0.001)


def test_silence_and_the_same_bytes_again():
    assert not read(melody_to_wav(np.array([-2, -2]), steps_per_quarter=4)).any()
    events = np.array([60, 62, -1, 64])
    assert melody_to_wav(events, steps_per_quarter=4) == melody_to_wav(events, steps_per_quarter=4)


def test_a_finer_grid_sounds_the_same():
    events = np.array([60, -2, 64, -1])
    finer = np.array([60, -2, -2, -2, 64, -2, -1, -2])
    assert melody_to_wav(finer, steps_per_quarter=8) == melody_to_wav(events, steps_per_quarter=4)


def test_a_loop_goes_on_as_long_as_the_note():
    """A sine of ten samples, looped, played an octave up."""
    samples = np.sin(2 * np.pi * np.arange(30) / 10).astype(np.float32)
    voice = Voice(samples, (10, 20), 2 * SAMPLE_RATE, 0, 0, 0, 1.0, 0.1, 1.0)
    sound = play(voice, 0.5)
    time = np.arange(SAMPLE_RATE // 2 - 10)
    np.testing.assert_allclose(sound[: len(time)], np.sin(2 * np.pi * time / 5), atol=1e-4)
    assert np.abs(sound[-100:]).max() < 1e-4


@pytest.mark.parametrize("content", [b"", b"RIFF\4\0\0\0sfbk", b"something else altogether"])
def test_what_is_no_sound_font(tmp_path, content):
    (tmp_path / "x.sf2").write_bytes(content)
    with pytest.raises(EtudeError, match="not a sound font"):
        SoundFont(tmp_path / "x.sf2")


def test_all_instruments_of_general_midi():
    font = SoundFont(general_midi_path())
    for program in range(128):
        assert font.voices(program, 60, 100), program

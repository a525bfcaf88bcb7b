"""What one meets in Python."""

import base64
import pathlib
import re
import subprocess
import sys
import wave
from io import BytesIO

import mido
import pytest

import etude
from etude.models import model as models
from etude.models.errors import EtudeError, UsageError
from etude.pipelines.readers.abc import reader as abc

TUNES = """X:1
T:one
M:6/8
L:1/8
Q:1/4=80
K:D
D2E FGA|
X:7
T:seven
M:3/4
L:1/4
K:G
GAB|
"""


BUNDLE = pathlib.Path(__file__).parents[1] / "testdata" / "magenta" / "lookback_rnn" / "bundle.mag"


@pytest.fixture(scope="module")
def model():
    return etude.load(BUNDLE)


@pytest.fixture
def melody(model):
    return model.generate("C4 D4", num_outputs=1, num_steps=32, seed=1)[0]


def test_names_are_found_on_first_use():
    assert etude.load(BUNDLE).path == BUNDLE
    assert etude.Model is not models.Model
    assert issubclass(etude.Model, models.Model)
    with pytest.raises(AttributeError, match="has no attribute 'save'"):
        etude.save  # noqa: B018
    assert {"Melody", "Model", "load"} <= set(dir(etude))


def test_load_needs_neither_beam_nor_tensorflow():
    code = "import sys; from etude import load; print({'apache_beam', 'tensorflow', 'note_seq'} & {*sys.modules})"
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"


def test_primers_of_all_kinds(model, tmp_path):
    def first(primer, steps):
        (melody,) = model.generate(primer, num_outputs=1, num_steps=32, seed=1)
        return melody.sounding_events[:steps].tolist()

    (tmp_path / "tunes.abc").write_text(TUNES)
    assert first(None, 1) == [60]
    assert first([62, -2, 64, -1], 4) == [62, -2, 64, -1]
    assert first("C4 D4", 8) == [60, -2, -2, -2, 62, -2, -2, -2]
    assert first(tmp_path / "tunes.abc", 6) == [62, -2, -2, -2, 64, -2]
    assert first(f"{tmp_path / 'tunes.abc'}#7", 5) == [67, -2, -2, -2, 69]
    with pytest.raises(UsageError, match="--primer-melody takes events"):
        model.generate("H4")
    with pytest.raises(EtudeError, match=r"none\.abc"):
        model.generate(tmp_path / "none.abc")


def test_tempo_metre_and_key_are_the_primers(model, tmp_path):
    (tmp_path / "tunes.abc").write_text(TUNES)
    (melody,) = model.generate(tmp_path / "tunes.abc", num_outputs=1, num_steps=48, seed=1)
    assert (melody.music.qpm, melody.music.metre, melody.music.key.name) == (80, (6, 8), "D major")
    assert melody.music.steps_per_bar == 12
    assert melody.music.num_primer_steps == melody.num_primer_events == 12
    assert "M:6/8\n" in melody.to_abc()


def test_every_form_holds_the_notes_of_the_melody(melody, tmp_path):
    pitches = [note.pitch for note in melody.music.notes]
    assert pitches == [event for event in melody.sounding_events.tolist() if event >= 0]
    played = mido.MidiFile(file=BytesIO(melody.to_midi()))
    assert [message.note for message in played if message.type == "note_on"] == pitches
    (reading,) = abc.read(melody.to_abc().encode())
    assert [note.pitch for note in reading.sequence.notes] == pitches
    assert len(re.findall("<step>", melody.to_musicxml())) >= len(pitches)
    with wave.open(BytesIO(melody.to_wav())) as sound:
        assert sound.getnframes() / sound.getframerate() > 4
    for name, form in {"a.mid": melody.to_midi, "a.abc": melody.to_abc, "a.musicxml": melody.to_musicxml}.items():
        content = form(tmp_path / name)
        assert (tmp_path / name).read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_a_notebook_shows_picture_and_player(melody):
    shown = melody._repr_html_()
    picture, sound = (base64.b64decode(data) for data in re.findall('base64,([^"]+)', shown))
    assert picture.startswith(b"<?xml")
    assert b"<svg" in picture
    assert sound.startswith(b"RIFF")
    assert "http" not in re.sub('base64,[^"]+', "", shown)


def test_a_melody_says_in_a_line_what_it_is(melody):
    line = repr(melody)
    assert re.fullmatch(r"<lookback 1: \d+ notes? in 32 steps, log-likelihood -\d+\.\d\d>", line)

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
from etude.models.registry import configure
from etude.models.representations.registry import make_representation
from etude.models.training.schedule import Schedule
from etude.pipelines import SplitRule
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.evaluation.evaluate import evaluate_model
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


NOTHING_KNOWN = pytest.param(object(), id="an object")
BAD_SEQUENCES = ["abc", [60, 128], [[60], [62, 64]], [60.5], [None], 60, None, {"a": 1}, [10**30], NOTHING_KNOWN]


@pytest.mark.parametrize("given", BAD_SEQUENCES, ids=repr)
def test_bad_sequences_are_one_kind_of_error(model, given):
    with pytest.raises(UsageError):
        model.log_likelihood([[60, -2], given])
    if given is not None:
        with pytest.raises(UsageError):
            model.generate(given, num_outputs=1, num_steps=8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 8}, "no option 'steps'"),
        ({"num_output": 8}, "did you mean 'num_outputs'"),
        ({"num_steps": "8"}, "--num-steps must be a whole number, not '8'"),
        ({"num_steps": 8.5}, "--num-steps must be a whole number"),
        ({"temperature": "hot"}, "--temperature must be a number"),
        ({"temperature": float("nan")}, "--temperature must be from"),
        ({"top_p": 0.0}, "--top-p must be above 0"),
        ({"top_p": 1.5}, "--top-p must be from"),
        ({"top_p": "most"}, "--top-p must be a number"),
        ({"search": 3}, "--search must be one of"),
        ({"seed": None}, "--seed must be a whole number"),
        ({"constraints": "C major"}, "constraints must be Constraints"),
    ],
)
def test_bad_options_are_one_kind_of_error(model, options, message):
    with pytest.raises(UsageError, match=message):
        model.generate("C4", **options)


@pytest.mark.parametrize(
    "call",
    [
        lambda folder: etude.load(folder),
        lambda folder: etude.load(folder / "none"),
        lambda folder: etude.load(BUNDLE.parent),
        lambda folder: etude.load(folder / "text.mag"),
        lambda folder: convert([], folder / "notes"),
        lambda folder: convert([str(folder / "none.mid")], folder / "notes"),
        lambda folder: convert([str(folder / "text.mag")], folder / "notes", workers=0),
        lambda folder: create_dataset([folder / "none"], folder / "dataset"),
        lambda folder: create_dataset([folder], folder / "dataset", representation="letters"),
        lambda folder: create_dataset([folder], folder / "dataset", eval_ratio=2.0),
        lambda folder: SplitRule(eval_ratio="half"),
        lambda folder: make_representation("melody", {"min_bars": "none"}),
        lambda folder: make_representation("abc_characters", {"texts": "own"}),
        lambda folder: configure("lookbak"),
        lambda folder: configure("lookback", {"learning_rate": "fast"}),
        lambda folder: configure("lookback", min_note=90),
        lambda folder: Schedule(num_steps=0),
        lambda folder: Schedule(num_steps=2.5),
        lambda folder: SplitRule(eval_ratio=1.0),
        lambda folder: evaluate_model(etude.load(BUNDLE), folder / "none", "eval"),
    ],
)
def test_bad_arguments_are_one_kind_of_error(call, tmp_path):
    (tmp_path / "text.mag").write_text("no bundle")
    with pytest.raises(EtudeError):
        call(tmp_path)

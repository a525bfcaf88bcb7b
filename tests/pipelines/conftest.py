"""Small music, made up note by note."""

import importlib
import io
import random
import warnings

import mido
import pytest

from tests.pipelines.trained_models import make_dataset, trained

__all__ = ["make_dataset", "trained"]

MUSICXML = """<?xml version="1.0"?>
<score-partwise version="3.1">
  <part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>
  <part id="P1">{measures}</part>
</score-partwise>
"""
MEASURE = """<measure number="{number}">{attributes}{notes}</measure>"""
ATTRIBUTES = """<attributes><divisions>1</divisions><key><fifths>0</fifths></key>
<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"""
NOTE = """<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>1</duration><type>quarter</type></note>"""


def _abc_tune(number, reference=None, bars=8):
    """A tune of eight bars that differs for every number."""
    chooser = random.Random(number)
    body = "|".join("".join(chooser.choice("CDEFGABcde") for _ in range(8)) for _ in range(bars))
    return f"X:{number if reference is None else reference}\nT:Tune {number}\nM:4/4\nL:1/8\nK:C\n{body}|\n"


def _midi(pitches, ticks=120, division=480, channel=0, before=()):
    file = mido.MidiFile(ticks_per_beat=division)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.extend(before)
    for pitch in pitches:
        track.append(mido.Message("note_on", note=pitch, velocity=80, time=0, channel=channel))
        track.append(mido.Message("note_off", note=pitch, velocity=0, time=ticks, channel=channel))
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def _musicxml(bars=8):
    chooser = random.Random(bars)
    measures = [
        MEASURE.format(
            number=number + 1,
            attributes="" if number else ATTRIBUTES,
            notes="".join(NOTE.format(step=chooser.choice("CDEFGAB")) for _ in range(4)),
        )
        for number in range(bars)
    ]
    return MUSICXML.format(measures="".join(measures)).encode()


@pytest.fixture
def abc_tune():
    """Makes the text of a tune: abc_tune(number, reference=None, bars=8)."""
    return _abc_tune


@pytest.fixture
def midi():
    """Makes the bytes of a MIDI file: midi(pitches, ticks=120, division=480, channel=0, before=())."""
    return _midi


@pytest.fixture
def musicxml():
    """Makes the bytes of a MusicXML file: musicxml(bars=8)."""
    return _musicxml


@pytest.fixture
def music_folder(tmp_path):
    """A folder of 150 good files in three formats, two bad ones and one that is half good: several slices."""
    folder = tmp_path / "music"
    (folder / "inner").mkdir(parents=True)
    for number in range(140):
        (folder / "inner" / f"tune{number:03d}.abc").write_text(_abc_tune(number))
    chooser = random.Random(0)
    for number in range(9):
        (folder / f"piece{number}.mid").write_bytes(_midi([chooser.randrange(60, 80) for _ in range(160)]))
    (folder / "score.musicxml").write_bytes(_musicxml())
    (folder / "corrupt.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\x90")
    (folder / "broken.abc").write_text("X:1\nT:Broken\nM:4/4\nK:C\n[CEG\n")
    (folder / "mixed.abc").write_text(_abc_tune(900, 1) + "\nX:2\nT:Bad\nM:4/4\nK:C\nCDE|[CEG\n\n" + _abc_tune(901, 3))
    return folder


@pytest.fixture(scope="session")
def import_note_seq():
    """Imports one of note-seq's modules without its libraries' warnings."""

    def run(module):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(f"note_seq.{module}")

    return run

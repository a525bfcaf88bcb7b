"""What a tune plays, against abc2midi."""

import io
import subprocess

import mido
import pytest

from etude.models.abc.problems import TooLargeError
from etude.models.abc.reading import read_text
from etude.models.melodies.scales import Key
from etude.pipelines.rendering.abc2midi import find_abc2midi
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.tunes import tune_music

TUNES = [
    "X:1\nM:6/8\nL:1/8\nQ:3/8=100\nK:Ador\n|:e|A3 B2c|(3abc d2 z d2:|\n",
    "X:1\nM:4/4\nL:1/16\nK:G\n[GB]4-[GB]4 A3B c>d|1 e16:|2 (5efgfe z12||\n",
    "X:1\nM:none\nL:1/4\nK:none\nC (3DEF|c'4|\n",
    "X:1\nM:5/8\nL:1/8\nK:F#m\nf2g3|a/4b/4c'/2d'4|[M:2/4]c4|\n",
]


def notes(midi):
    """Onset and end in quarter notes, and pitch."""
    file = mido.MidiFile(file=io.BytesIO(midi))
    found, on, now = [], {}, 0
    for message in mido.merge_tracks(file.tracks):
        now += message.time
        if message.type == "note_on" and message.velocity:
            on[message.note] = now
        elif message.type in ("note_on", "note_off") and message.note in on:
            found.append((on.pop(message.note) / file.ticks_per_beat, now / file.ticks_per_beat, message.note))
    return sorted(found)


@pytest.mark.parametrize("text", TUNES)
def test_the_notes_are_those_of_abc2midi(text, tmp_path):
    (tmp_path / "tune.abc").write_text(text)
    command = [find_abc2midi(), "tune.abc", "-o", "tune.mid"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    ours, theirs = (
        notes(midi) for midi in (to_midi(tune_music(read_text(text))), (tmp_path / "tune.mid").read_bytes())
    )
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        # It lets every note begin a tick late, and rounds to 480 ticks.
        assert one == pytest.approx(other, abs=3 / 480)


def test_metre_key_tempo_and_pickup_are_kept():
    music = tune_music(read_text(TUNES[0]))
    assert (music.metre, music.key, music.qpm) == ((6, 8), Key(9, "dorian"), 150)
    assert music.steps_per_bar == 6 * music.pickup_steps == 3 * music.steps_per_quarter
    assert tune_music(read_text(TUNES[0]), qpm=90, program=40).qpm == 90
    assert tune_music(read_text(TUNES[3])).pickup_steps == 0


def test_what_no_score_holds_is_refused():
    with pytest.raises(TooLargeError, match="too uneven"):
        tune_music(read_text("X:1\nL:1/8\nK:C\nA/127B/113\n"))

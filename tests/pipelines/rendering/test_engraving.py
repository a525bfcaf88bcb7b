"""Scores: what the engraver makes of our documents, read back from what it plays and draws."""

import base64
import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
import symusic
import verovio

from etude.models.melodies.scales import Key
from etude.pipelines.rendering.abc import to_abc
from etude.pipelines.rendering.engraving import engrave
from etude.pipelines.rendering.mei import to_mei
from etude.pipelines.rendering.music import Music, Note, melody_music
from etude.pipelines.rendering.pictures import to_svg

BLACK_HEAD, WHITE_HEAD, WHOLE_HEAD, CROSS = "E0A4", "E0A3", "E0A2", "E0A9"
SHARP, FLAT, NATURAL = "E262", "E260", "E261"
TREBLE, TREBLE_LOWER, BASS, PERCUSSION = "E050", "E052", "E062", "E069"
"""Code points of the Standard Music Font Layout."""


def played(music):
    """What the engraver plays of our document: onset in steps, pitch, and length in steps."""
    toolkit = verovio.toolkit()
    assert toolkit.loadData(to_mei(music))
    score = symusic.Score.from_midi(base64.b64decode(toolkit.renderToMIDI())).to("quarter")

    def steps(quarters):
        # It works in 120ths of a quarter note, and lets each note end one of them early.
        found = quarters * music.steps_per_quarter
        assert found == pytest.approx(round(found), abs=music.steps_per_quarter / 50)
        return round(found)

    return sorted((steps(note.time), note.pitch, steps(note.duration)) for part in score.tracks for note in part.notes)


def notes_of(music):
    return sorted((note.onset, note.pitch, note.duration) for note in music.notes)


def glyphs(score):
    """How often each sign is drawn."""
    return Counter(re.findall(r'href="#(\w+)"', score.content))


def random_music(seed, steps_per_quarter, metre, key, pickup=0):
    random = np.random.default_rng(seed)
    steps_per_bar = 4 * steps_per_quarter * metre[0] // metre[1]
    events = random.choice([-2, -2, -1, 0], 3 * steps_per_bar)
    events = np.where(events == 0, random.integers(55, 84, len(events)), events)
    events[0] = 60
    music = melody_music(events, steps_per_quarter=steps_per_quarter, steps_per_bar=steps_per_bar, metre=metre, key=key)
    return Music(**{**vars(music), "pickup_steps": pickup})


@pytest.mark.parametrize(
    ("steps_per_quarter", "metre", "key", "pickup"),
    [
        (4, (4, 4), Key(0), 0),
        (4, (3, 4), Key(9), 4),
        (4, (6, 8), Key(3), 2),
        (4, (9, 8), Key(4, "minor"), 0),
        (4, (2, 4), Key(6), 2),
        (4, (5, 8), Key(1), 0),
        (2, (4, 4), Key(2, "dorian"), 1),
        (3, (4, 4), Key(7, "mixolydian"), 0),
        (6, (3, 4), Key(10), 6),
        (8, (4, 4), Key(11), 8),
        (12, (6, 8), Key(5), 0),
    ],
)
def test_the_engraver_reads_the_notes(steps_per_quarter, metre, key, pickup):
    music = random_music(steps_per_quarter + metre[0], steps_per_quarter, metre, key, pickup)
    assert played(music) == notes_of(music)
    (score,) = engrave([to_mei(music)])
    assert score is not None
    signature = abs(key.sharps)
    assert glyphs(score)[SHARP if key.sharps > 0 else FLAT] >= signature


def test_chords_on_two_staves():
    notes = (Note(0, 36, 16), Note(0, 64, 8), Note(0, 67, 4), Note(4, 69, 4), Note(8, 72, 12), Note(16, 43, 16))
    music = Music(notes, 32, 4, 16, key=Key(3))
    assert played(music) == notes_of(music)
    (score,) = engrave([to_mei(music)])
    assert (glyphs(score)[TREBLE], glyphs(score)[BASS]) == (1, 1)
    assert glyphs(score)[FLAT] == 6


def test_drums_stand_on_a_staff_of_their_own():
    notes = [Note(2 * step, 42, 2, is_drum=True) for step in range(8)] + [
        Note(8 * k, 36, 2, is_drum=True) for k in (0, 1)
    ]
    (score,) = engrave([to_mei(Music(tuple(notes), 16, 4, 16))])
    found = glyphs(score)
    assert (found[PERCUSSION], found[TREBLE]) == (1, 0)
    assert (found[CROSS], found[BLACK_HEAD]) == (8, 2)


def test_accidentals_are_those_that_a_reader_needs():
    """F sharp in C: once in its bar, not again at its repetition nor across the tie, and gone in the next bar."""
    events = np.array([66, -2, 66, -2, 65, -2, 66, -2, *[-2] * 6, 65, -2])
    music = melody_music(events, steps_per_quarter=4, steps_per_bar=8, key=Key(0))
    (score,) = engrave([to_mei(music)])
    assert (glyphs(score)[SHARP], glyphs(score)[NATURAL]) == (2, 1)
    assert played(music) == notes_of(music)


def test_low_melodies_have_a_clef_that_says_so():
    low, high = (
        engrave([to_mei(melody_music(np.array([pitch, -2, -2, -2] * 4), steps_per_quarter=4, steps_per_bar=16))])[0]
        for pitch in (50, 70)
    )
    assert (glyphs(low)[TREBLE_LOWER], glyphs(low)[TREBLE]) == (1, 0)
    assert (glyphs(high)[TREBLE_LOWER], glyphs(high)[TREBLE]) == (0, 1)


def test_the_primer_is_in_groups_of_its_own():
    music = melody_music(np.array([60, -2, 62, -2] * 4), steps_per_quarter=4, steps_per_bar=16, num_primer_events=4)
    (score,) = engrave([to_mei(music)])
    groups = re.findall(r'<g class="primer">.*?</g>', score.content)
    assert [group.count(f"#{BLACK_HEAD}") for group in groups] == [1, 1]
    assert glyphs(score)[BLACK_HEAD] == 8


def test_bad_documents_cost_only_their_own_scores():
    """The engraver aborts on some documents, as this test does find, and refuses others."""
    good = to_abc(random_music(0, 4, (4, 4), Key(0)), title="Good")
    scores = engrave([good, 'X:1\nK:C\n"', good, "<mei>", "", good])
    assert [score is not None for score in scores] == [True, False, True, False, False, True]
    assert scores[0] == scores[2] == scores[5]


def test_nothing_but_drawing_comes_out():
    """No script, no style and no reference to anything outside; titles of a text are no part of it."""
    text = "X:1\nT:<script>alert(1)</script>\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
    (score,) = engrave([text])
    svg = f"<g>{''.join(score.glyphs.values())}{score.content}</g>"
    root = ElementTree.fromstring(svg)
    tags = {element.tag for element in root.iter()}
    assert tags <= {"g", "use", "path", "polygon", "polyline", "rect", "ellipse"}
    assert "script" not in svg
    known = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert {element.attrib["href"] for element in root.iter("use")} == {f"#{name}" for name in known}


def test_a_picture_shows_every_note():
    events = np.array([60, -2, 64, -1] * 8 + [67, -2, -2, -2] * 4)
    music = melody_music(events, steps_per_quarter=4, steps_per_bar=16, num_primer_events=4)
    root = ElementTree.fromstring(to_svg(music, title="A <melody> & more"))
    space = "{http://www.w3.org/2000/svg}"
    roll, score = root.findall(f"{space}svg")
    boxes = roll.findall(f"{space}rect")
    assert [box.attrib["class"] for box in boxes] == ["primer"] * 2 + ["note"] * 18
    assert root.find(f"{space}text").text == "A <melody> & more"
    heads = [use for use in score.iter(f"{space}use") if use.attrib["href"] == f"#{BLACK_HEAD}"]
    assert len(heads) == 20
    tops, heights = ([float(part.attrib[name]) for part in (roll, score)] for name in ("y", "height"))
    assert tops[0] + heights[0] <= tops[1]
    assert tops[1] + heights[1] <= float(root.attrib["viewBox"].split()[3])

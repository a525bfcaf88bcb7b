import io
import re

import numpy as np
import pytest
from PIL import Image

from etude.pipelines.rendering.music import Music, Note, melody_music
from etude.pipelines.rendering.piano_roll import WIDTH, bar_lines, piano_roll, piano_roll_picture

NOTE, PRIMER = (42, 111, 176), (160, 160, 160)


def melody(events, **options):
    return melody_music(np.array(events), steps_per_quarter=4, steps_per_bar=4, **options)


def read(picture):
    """The colours of a picture, [height, width, 3], as another program reads them."""
    image = Image.open(io.BytesIO(picture.png))
    image.verify()
    colours = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))
    assert colours.shape == (picture.height, picture.width, 3)
    return colours


def is_colour(colours, colour):
    return (colours == np.array(colour, np.uint8)).all(axis=-1)


def test_boxes_are_where_the_notes_sound():
    music = Music((Note(0, 60, 4), Note(2, 67, 6), Note(4, 72, 4)), 8, 4, 4, num_primer_steps=2)
    boxes = [
        dict(re.findall(r'(\w+)="([^"]*)"', box)) for box in re.findall(r"<rect([^>]*)>", piano_roll(music, "A roll"))
    ]
    assert [float(box["x"]) for box in boxes] == [0, WIDTH / 4, WIDTH / 2]
    assert [float(box["width"]) for box in boxes] == pytest.approx([WIDTH / 2, 3 * WIDTH / 4, WIDTH / 2], abs=1)
    assert [box["class"] for box in boxes] == ["primer", "note", "note"]
    rows = [float(box["y"]) for box in boxes]
    assert (rows[0] - rows[1]) / 7 == pytest.approx((rows[1] - rows[2]) / 5, abs=0.01)
    assert rows[0] > rows[2]


def test_bars_begin_after_the_pickup():
    assert bar_lines(Music((), 14, 4, 12, pickup_steps=2)) == [0, 2, 14]
    assert bar_lines(Music((), 25, 4, 12)) == [0, 12, 24]


def test_colours_are_where_the_notes_sound():
    colours = read(piano_roll_picture(melody([60, -2, -1, -2, 67, -2, -2, -2], num_primer_events=2)))
    note, primer = (np.nonzero(is_colour(colours, colour)) for colour in (NOTE, PRIMER))
    assert primer[0].min() > note[0].max()
    assert primer[1].max() < note[1].min()
    # Two steps of the primer, and four of the note.
    widths = [np.ptp(found[1]) + 1 for found in (primer, note)]
    assert widths[1] / widths[0] == pytest.approx(3.8 / 1.8, rel=0.1)


@pytest.mark.parametrize(
    "events",
    [[-2, -2, -2], [0, -2, 127, -2], [127, -1], [59, -2], [-1], [60] * 600],
    ids=lambda events: str(events)[:20],
)
def test_any_melody_has_a_picture(events):
    colours = read(piano_roll_picture(melody(events)))
    assert is_colour(colours, NOTE).any() == any(event >= 0 for event in events)

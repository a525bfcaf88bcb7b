import io

import numpy as np
import pytest
from PIL import Image

from etude.pipelines.rendering.piano_roll_png import (
    MARGIN,
    PALETTE,
    ROW_HEIGHT,
    STEP_WIDTH,
    encode_png,
    piano_roll_picture,
)

NOTE, PRIMER = PALETTE[3], PALETTE[4]


def read(picture):
    """The colours of a picture, [height, width, 3], as another program reads them."""
    image = Image.open(io.BytesIO(picture.png))
    image.verify()
    colours = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))
    assert colours.shape == (picture.height, picture.width, 3)
    return colours


def is_colour(colours, colour):
    return (colours == np.array(colour, np.uint8)).all(axis=-1)


def test_any_pixels_are_read_back():
    pixels = np.random.default_rng(0).integers(len(PALETTE), size=(37, 53)).astype(np.uint8)
    colours = np.asarray(Image.open(io.BytesIO(encode_png(pixels))).convert("RGB"))
    np.testing.assert_array_equal(colours, np.array(PALETTE, np.uint8)[pixels])


def test_notes_are_where_they_sound():
    events = np.array([60, -2, -1, -2, 67, -2, -2, -2])
    colours = read(piano_roll_picture(events, 4, num_primer_events=2))
    rows, columns = np.nonzero(is_colour(colours, NOTE))
    assert set((columns - MARGIN) // STEP_WIDTH) == {4, 5, 6, 7}
    note_row = set(rows // ROW_HEIGHT)
    rows, columns = np.nonzero(is_colour(colours, PRIMER))
    assert set((columns - MARGIN) // STEP_WIDTH) == {0, 1}
    primer_row = set(rows // ROW_HEIGHT)
    assert len(note_row) == len(primer_row) == 1
    assert primer_row.pop() - note_row.pop() == 7


@pytest.mark.parametrize(
    "events",
    [[-2, -2, -2], [0, -2, 127, -2], [127, -1], [59, -2], [-1], [60] * 600],
    ids=lambda events: str(events)[:20],
)
def test_any_melody_has_a_picture(events):
    colours = read(piano_roll_picture(np.array(events), 16, num_primer_events=0))
    assert is_colour(colours, NOTE).any() == any(event >= 0 for event in events)

"""A melody as a piano roll in a PNG picture, for viewers that show no SVG."""

import struct
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import Events
from etude.models.melodies.notes import notes_of
from etude.pipelines.rendering.piano_roll import shown_pitches

PALETTE = ((255, 255, 255), (238, 240, 243), (205, 210, 216), (42, 111, 176), (160, 160, 160), (85, 85, 85))
_PAPER, _BLACK_KEY, _LINE, _NOTE, _PRIMER, _INK = range(len(PALETTE))

STEP_WIDTH, ROW_HEIGHT, MARGIN = 4, 8, 30
"""Pixels of a step, of a semitone, and to the left of the roll, where octaves are named."""

_LINE_WIDTH, _DOT = 2, 2
"""Pixels of a line and of a dot of a letter: a page that shows the picture at half its size drops every other one."""

_BLACK_KEYS = (1, 3, 6, 8, 10)
_GLYPHS = {
    "C": ("###", "#..", "#..", "#..", "###"),
    "-": ("...", "...", "###", "...", "..."),
    "0": ("###", "#.#", "#.#", "#.#", "###"),
    "1": (".#.", "##.", ".#.", ".#.", "###"),
    "2": ("###", "..#", "###", "#..", "###"),
    "3": ("###", "..#", "###", "..#", "###"),
    "4": ("#.#", "#.#", "###", "..#", "..#"),
    "5": ("###", "#..", "###", "..#", "###"),
    "6": ("###", "#..", "###", "#.#", "###"),
    "7": ("###", "..#", "..#", "..#", "..#"),
    "8": ("###", "#.#", "###", "#.#", "###"),
    "9": ("###", "#.#", "###", "..#", "###"),
}

Pixels = npt.NDArray[np.uint8]


class Picture(NamedTuple):
    """A PNG file and its size in pixels."""

    png: bytes
    width: int
    height: int


def piano_roll_picture(events: Events, steps_per_bar: int, num_primer_events: int) -> Picture:
    """The roll: time to the right, pitch upwards, bars as lines, the rows of black keys shaded, the primer in grey.

    Args:
      events: [num_steps].
      steps_per_bar: steps in a bar.
      num_primer_events: how many of the events are the primer.
    """
    pixels = draw(events, steps_per_bar, num_primer_events)
    return Picture(encode_png(pixels), pixels.shape[1], pixels.shape[0])


def draw(events: Events, steps_per_bar: int, num_primer_events: int) -> Pixels:
    """The pixels of a roll as numbers of `PALETTE`, [height, width]; see `piano_roll_picture`."""
    notes = notes_of(events)
    low, high = shown_pitches(notes)
    size = ((high - low + 1) * ROW_HEIGHT, MARGIN + len(events) * STEP_WIDTH + _LINE_WIDTH)
    pixels = np.full(size, _PAPER, np.uint8)
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            pixels[_rows(pitch, high), MARGIN:] = _BLACK_KEY
    for left in range(MARGIN, size[1], steps_per_bar * STEP_WIDTH):
        pixels[:, left : left + _LINE_WIDTH] = _LINE
    for pitch in range(low, high):
        if pitch % 12 == 0:
            bottom = _rows(pitch, high).stop
            pixels[bottom - _LINE_WIDTH : bottom, MARGIN:] = _LINE
            _write(pixels, f"C{pitch // 12 - 1}", bottom)
    for onset, pitch, duration in zip(*(values.tolist() for values in notes), strict=True):
        start = MARGIN + onset * STEP_WIDTH
        columns = slice(start + 1, start + duration * STEP_WIDTH)
        pixels[_rows(pitch, high), columns] = _PRIMER if onset < num_primer_events else _NOTE
    return pixels


def encode_png(pixels: Pixels) -> bytes:
    """A PNG file of numbers of `PALETTE`, [height, width].

    Source: W3C, Portable Network Graphics (second edition): colour type 3, no filter.
    """
    height, width = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = bytes(value for colour in PALETTE for value in colour)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _rows(pitch: int, high: int) -> slice:
    return slice((high - pitch) * ROW_HEIGHT, (high - pitch + 1) * ROW_HEIGHT)


def _write(pixels: Pixels, text: str, bottom: int) -> None:
    """Writes a short text into the margin."""
    left = _DOT
    for letter in text:
        dots = np.array([[dot == "#" for dot in line] for line in _GLYPHS[letter]])
        inked = dots.repeat(_DOT, axis=0).repeat(_DOT, axis=1)
        height, width = inked.shape
        pixels[bottom - height : bottom, left : left + width][inked] = _INK
        left += width + _DOT


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

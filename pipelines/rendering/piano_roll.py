"""Music as a piano roll, in SVG and as a PNG picture."""

import io
from typing import NamedTuple

from markupsafe import Markup

from etude.models.melodies.pitches import pitch_name
from etude.pipelines.rendering.markup import element
from etude.pipelines.rendering.music import Music, Note

WIDTH = 400
_HEIGHT = 84
_ROWS = 15
"""A roll has at least so many."""

_MIDDLE_C = 60
_BLACK_KEYS = (1, 3, 6, 8, 10)


class Picture(NamedTuple):
    """A PNG file and its size in pixels."""

    png: bytes
    width: int
    height: int


def shown_pitches(music: Music) -> tuple[int, int]:
    """The lowest and the highest row of a roll."""
    pitches = [note.pitch for note in music.notes] or [_MIDDLE_C]
    low = min(pitches) - 1
    return low, max(max(pitches) + 1, low + _ROWS - 1)


def bar_lines(music: Music) -> list[int]:
    """The steps at which bars begin, and the end of the music if a bar ends there."""
    start = music.pickup_steps % music.steps_per_bar
    return [*([0] if start else []), *range(start, music.num_steps + 1, music.steps_per_bar)]


def piano_roll(music: Music, description: str) -> Markup:
    """The roll as SVG: time to the right, pitch upwards, bars as lines. The player moves the line of class playhead."""
    low, high = shown_pitches(music)
    row = _HEIGHT / (high - low + 1)
    column = WIDTH / max(music.num_steps, 1)
    parts = []
    for step in bar_lines(music):
        x = f"{step * column:.4g}"
        parts.append(element("line", x1=x, x2=x, y1=0, y2=_HEIGHT, class_="grid"))
    for pitch in range(low, high + 1):
        if pitch % 12 == 0:
            y = round((high - pitch + 0.5) * row, 2)
            parts.append(element("line", x1=0, x2=WIDTH, y1=y, y2=y, class_="grid"))
            parts.append(element("text", pitch_name(pitch), x=2, y=y - 2, class_="tick"))
    for note in sorted(music.notes):
        parts.append(
            element(
                "rect",
                x=round(note.onset * column, 2),
                y=round((high - note.pitch) * row, 2),
                width=round(max(note.duration * column - 0.6, 0.8), 2),
                height=round(max(row, 2.5), 2),
                rx=1,
                class_="primer" if note.onset < music.num_primer_steps else "note",
            )
        )
    parts.append(element("line", x1=0, x2=0, y1=0, y2=_HEIGHT, class_="playhead"))
    size = f"0 0 {WIDTH} {_HEIGHT}"
    return element("svg", *parts, viewBox=size, role="img", aria_label=description, class_="roll")


def piano_roll_picture(music: Music) -> Picture:
    """The roll as PNG, for viewers that show no SVG; the rows of black keys are shaded, the primer is grey."""
    # Not pyplot: it would look for a window.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    low, high = shown_pitches(music)
    figure = Figure(figsize=(max(4.0, 0.07 * music.num_steps), 0.12 * (high - low + 4)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#eef0f3", linewidth=0)
    boxes = [_corners(note) for note in music.notes]
    colours = ["#a0a0a0" if note.onset < music.num_primer_steps else "#2a6fb0" for note in music.notes]
    axes.add_collection(PolyCollection(boxes, facecolors=colours, linewidths=0))
    axes.set_xlim(0, max(music.num_steps, 1))
    axes.set_ylim(low - 0.5, high + 0.5)
    axes.set_xticks(bar_lines(music), labels=[])
    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axes.set_yticks(octaves, labels=[pitch_name(pitch) for pitch in octaves])
    axes.grid(axis="x", color="#cdd2d8")
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    canvas = FigureCanvasAgg(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    width, height = canvas.get_width_height()
    return Picture(stream.getvalue(), width, height)


def _corners(note: Note) -> list[tuple[float, float]]:
    left, right = note.onset + 0.1, note.onset + max(note.duration - 0.1, 0.4)
    bottom, top = note.pitch - 0.45, note.pitch + 0.45
    return [(left, bottom), (left, top), (right, top), (right, bottom)]

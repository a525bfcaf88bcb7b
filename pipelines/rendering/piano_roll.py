"""A melody as a piano roll."""

from etude.models.melodies.melody import Events
from etude.models.melodies.notes import Notes, notes_of
from etude.models.melodies.pitches import pitch_name
from etude.pipelines.rendering.markup import element, escape

WIDTH = 400
_HEIGHT = 84


def shown_pitches(notes: Notes) -> tuple[int, int]:
    """The lowest and the highest row of a roll."""
    low = int(notes.pitches.min(initial=60)) - 1
    return low, max(int(notes.pitches.max(initial=60)) + 1, low + 14)


def piano_roll(events: Events, steps_per_bar: int, num_primer_events: int, description: str) -> str:
    """The roll as SVG: time to the right, pitch upwards, bars as lines. The player moves the line of class playhead."""
    notes = notes_of(events)
    low, high = shown_pitches(notes)
    row = _HEIGHT / (high - low + 1)
    column = WIDTH / max(len(events), 1)
    parts = [element("title", escape(description))]
    for bar in range(0, len(events) + 1, steps_per_bar):
        x = round(bar * column, 2)
        parts.append(element("line", x1=x, x2=x, y1=0, y2=_HEIGHT, class_="grid"))
    for pitch in range(low, high + 1):
        if pitch % 12 == 0:
            y = round((high - pitch + 0.5) * row, 2)
            parts.append(element("line", x1=0, x2=WIDTH, y1=y, y2=y, class_="grid"))
            parts.append(element("text", pitch_name(pitch), x=2, y=y - 2, class_="tick"))
    for onset, pitch, duration in zip(*(values.tolist() for values in notes), strict=True):
        parts.append(
            element(
                "rect",
                x=round(onset * column, 2),
                y=round((high - pitch) * row, 2),
                width=round(max(duration * column - 0.6, 0.8), 2),
                height=round(max(row, 2.5), 2),
                rx=1,
                class_="primer" if onset < num_primer_events else "note",
            )
        )
    parts.append(element("line", x1=0, x2=0, y1=0, y2=_HEIGHT, class_="playhead"))
    return element(
        "svg", "".join(parts), viewBox=f"0 0 {WIDTH} {_HEIGHT}", role="img", aria_label=description, class_="roll"
    )

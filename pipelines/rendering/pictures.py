"""Music as a picture: an SVG file with the piano roll above the score."""

from markupsafe import Markup

from etude.pipelines.rendering import piano_roll
from etude.pipelines.rendering.engraving import engrave, view_box
from etude.pipelines.rendering.markup import element
from etude.pipelines.rendering.mei import to_mei
from etude.pipelines.rendering.music import Music

_MARGIN = 12
_GAP = 10
_TITLE_HEIGHT = 18
_ROLL_HEIGHT = 84
_STYLE = """
svg { background: #fff; }
text { font: 10px system-ui, sans-serif; fill: #555; }
.title { font-size: 12px; fill: #111; }
.grid { stroke: #ddd; stroke-width: 1; }
.note { fill: #2a6fb0; }
.primer { fill: #aaa; color: #999; }
.primer use { fill: #999; }
.playhead { visibility: hidden; }
"""


def to_svg(music: Music, *, title: str) -> str:
    """A picture of music: piano roll and score, the primer in grey; without a score where it cannot be engraved.

    Args:
      music: what to draw.
      title: shown above.
    """
    top = float(_MARGIN + _TITLE_HEIGHT)
    roll = piano_roll.piano_roll(music, f"Piano roll of {title}")
    parts = [_placed(roll, top, _ROLL_HEIGHT)]
    top += _ROLL_HEIGHT + _GAP
    (score,) = engrave([to_mei(music)])
    if score is not None:
        height = score.height * piano_roll.WIDTH / score.width
        drawn = element("svg", element("defs", *score.glyphs.values()), score.content, viewBox=view_box(score))
        parts.append(_placed(drawn, top, height))
        top += height + _GAP
    width = piano_roll.WIDTH + 2 * _MARGIN
    heading = element("text", title, x=_MARGIN, y=_MARGIN + 6, class_="title")
    size = {"viewBox": f"0 0 {width} {top:g}", "width": 2 * width, "height": f"{2 * top:g}"}
    whole = element(
        "svg", element("style", Markup(_STYLE)), heading, *parts, xmlns="http://www.w3.org/2000/svg", **size
    )
    return f"<?xml version='1.0' encoding='utf-8'?>\n{whole}\n"


def _placed(drawing: Markup, top: float, height: float) -> Markup:
    """A drawing as a part of another."""
    place = f'<svg x="{_MARGIN}" y="{top:g}" width="{piano_roll.WIDTH}" height="{height:g}"'
    return Markup(str(drawing).replace("<svg", place, 1))

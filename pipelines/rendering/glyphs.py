"""The signs of a score, drawn by hand: no music font has to be there. Note values are in sixteenths: 4 is a quarter."""

import math

from etude.pipelines.rendering.markup import element

_CLEF = (
    "M.25 .5C-.45 .45-.55-.55 .2-.6C1.15-.65 1.3 .75 .35 1C-.75 1.2-1.3 .2-.95-.75"
    "C-.6-1.7 .75-2.3 .75-3.6C.75-4.6 .1-4.6-.1-3.7C-.2-3 .3-.5 .55 1.9C.65 2.8-.3 2.9-.45 2.3"
)
_QUARTER_REST = (
    "M-.4-1.5L.45-.45C-.1 0-.1 .2 .55 .95C-.2 .65-.55 1 .05 1.6C-.95 1.2-.6 .3 .1 .6L-.5-.2C.1-.7 .05-1-.4-1.5Z"
)
_EIGHTH_REST = "M-.35-.7q.45 .45 .85-.15L-.05 1"
_SIXTEENTH_REST = "M-.3-.7q.45 .45 .85-.15L-.3 1.9M-.55 .3q.45 .45 .8-.15"
_SHARP = "M-.22-1.05V1.15M.22-1.15V1.05M-.5-.25L.5-.5M-.5 .5L.5 .25"
_FLAT = "M-.35-1.5V.6C.9-.1 .4-.8-.35-.1"
_NATURAL = "M-.28-1.3V.5L.28 .3M.28 1.3V-.5L-.28-.3"


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return element("line", x1=_r(x1), y1=_r(y1), x2=_r(x2), y2=_r(y2), class_=class_)


def clef(x: float, y: float, gap: float, is_octave_lower: bool) -> str:
    """The treble clef around the line of G; with an 8 below it the notes sound an octave lower."""
    eight = element("text", "8", x=_r(x), y=_r(y + 4.2 * gap), class_="tick middle") if is_octave_lower else ""
    return _glyph(_CLEF, x, y, gap, "clef") + eight


def note_head(value: float, x: float, y: float, gap: float, is_on_line: bool) -> str:
    """The head of a note, with its dot; hollow from the half note up."""
    kind = "head" if value < 8 else "head hollow"
    turned = f"rotate(-20 {_r(x)} {_r(y)})"
    parts = element("ellipse", cx=_r(x), cy=_r(y), rx=_r(0.62 * gap), ry=_r(0.45 * gap), transform=turned, class_=kind)
    return parts + (_dot(x + 1.15 * gap, y - (gap / 2 if is_on_line else 0), gap) if _is_dotted(value) else "")


def stem_and_flags(value: float, x: float, y: float, length: float, gap: float, is_up: bool) -> str:
    """The stem of a note that stands alone."""
    sign = -1 if is_up else 1
    at, end = x - sign * 0.58 * gap, y + sign * length
    parts = [line(at, y, at, end, "stem")]
    for index in range(num_flags(value)):
        top = end - sign * index * 0.8 * gap
        curve = f"c.1 {-sign * 0.8} 1.2 {-sign * 0.9} .8 {-sign * 2.1}"
        parts.append(_glyph(f"M0 0{curve}", at, top, gap, "flag"))
    return "".join(parts)


def beam(x1: float, x2: float, y: float, gap: float) -> str:
    """A beam between two stems."""
    height = 0.44 * gap
    return _block(x1 - 0.4, y - height / 2, x2 - x1 + 0.8, height)


def rest(value: float, x: float, middle: float, gap: float) -> str:
    """A rest, around the middle line of the staff."""
    dot = _dot(x + 1.1 * gap, middle - gap / 2, gap) if _is_dotted(value) else ""
    if value >= 8:
        top = middle - gap if value >= 16 else middle - 0.5 * gap
        return _block(x - 0.6 * gap, top, 1.2 * gap, 0.5 * gap) + dot
    if value >= 4:
        return _glyph(_QUARTER_REST, x, middle, gap, "head") + dot
    if value >= 2:
        return _glyph(_EIGHTH_REST, x, middle, gap, "flag") + _ball(x - 0.35 * gap, middle - 0.7 * gap, gap) + dot
    balls = _ball(x - 0.3 * gap, middle - 0.7 * gap, gap) + _ball(x - 0.55 * gap, middle + 0.3 * gap, gap)
    path = _SIXTEENTH_REST
    for hook in range(1, num_flags(value) - 1):
        left, top = _r(0.25 * hook - 0.3), _r(-hook - 0.7)
        path += f"M{left} {top}q.45 .45 .85-.15L{_r(left + 0.6)} {_r(top + 0.85)}"
        balls += _ball(x + left * gap, middle + top * gap, gap)
    return _glyph(path, x, middle, gap, "flag") + balls + dot


def accidental(name: str, x: float, y: float, gap: float) -> str:
    """A sharp, flat or natural; nothing for an empty name."""
    paths = {"sharp": _SHARP, "flat": _FLAT, "natural": _NATURAL}
    return _glyph(paths[name], x, y, gap, "flag") if name else ""


def tie(x: float, y: float, width: float, gap: float, is_below: bool) -> str:
    """An arc from a note to the one that continues it."""
    sign = 1 if is_below else -1
    start = y + sign * 0.9 * gap
    depth = _r(start + sign * 0.8 * gap)
    path = f"M{_r(x + 0.3 * gap)} {_r(start)}Q{_r(x + width / 2 + 0.3 * gap)} {depth} {_r(x + width + 0.6 * gap)} {_r(start)}"
    return element("path", d=path, class_="tie")


def num_flags(value: float) -> int:
    """Flags or beams of a note: none from the quarter up, one for an eighth."""
    return max(0, 3 - math.frexp(value)[1])


def _is_dotted(value: float) -> bool:
    return math.frexp(value)[0] == 0.75


def _block(x: float, y: float, width: float, height: float) -> str:
    return element("rect", x=_r(x), y=_r(y), width=_r(width), height=_r(height), class_="head")


def _ball(x: float, y: float, gap: float) -> str:
    return element("circle", cx=_r(x), cy=_r(y), r=_r(0.24 * gap), class_="head")


def _dot(x: float, y: float, gap: float) -> str:
    return element("circle", cx=_r(x), cy=_r(y), r=_r(0.2 * gap), class_="head")


def _glyph(path: str, x: float, y: float, gap: float, class_: str) -> str:
    return element("path", d=path, transform=f"translate({_r(x)} {_r(y)}) scale({gap})", class_=class_)


def _r(value: float) -> float:
    return round(value, 2)

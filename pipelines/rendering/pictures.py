"""Melodies as pictures: an SVG file with the piano roll above the score."""

import re
from xml.etree import ElementTree

from etude.models.melodies.melody import Events
from etude.pipelines.rendering.piano_roll import piano_roll
from etude.pipelines.rendering.score import score

_MARGIN = 12
_GAP = 10
_TITLE_HEIGHT = 18
_SVG = "http://www.w3.org/2000/svg"
_STYLE = """
svg { background: #fff; }
text { font: 10px system-ui, sans-serif; fill: #555; }
.title { font-size: 12px; fill: #111; }
.middle { text-anchor: middle; }
.grid { stroke: #ddd; stroke-width: 1; }
.note { fill: #2a6fb0; }
.primer { fill: #aaa; }
.playhead { visibility: hidden; }
.staff { stroke: #777; stroke-width: 0.7; }
.stem { stroke: #111; stroke-width: 0.9; }
.hollow { fill: none; stroke: #111; stroke-width: 1.3; }
.clef, .flag { fill: none; stroke: #111; stroke-width: 0.17; stroke-linecap: round; stroke-linejoin: round; }
.tie { fill: none; stroke: #111; stroke-width: 1; }
"""


def melody_to_svg(
    events: Events, *, steps_per_bar: int, steps_per_quarter: int, num_primer_events: int, title: str
) -> str:
    """A picture of a melody: piano roll (the primer in grey) and score.

    Args:
      events: [num_steps].
      steps_per_bar: steps in a bar.
      steps_per_quarter: steps in a quarter note.
      num_primer_events: how many of the events are the primer.
      title: shown above.
    """
    drawings = [piano_roll(events, steps_per_bar, num_primer_events, f"Piano roll of {title}")]
    staves = score(events, steps_per_bar, steps_per_quarter, f"Score of {title}")
    drawings += re.findall(r"<svg.*?</svg>", staves, re.DOTALL)
    root = ElementTree.Element("svg", xmlns=_SVG)
    ElementTree.SubElement(root, "style").text = _STYLE
    heading = ElementTree.SubElement(root, "text", {"class": "title", "x": str(_MARGIN), "y": str(_MARGIN + 6)})
    heading.text = title
    top, widest = float(_MARGIN + _TITLE_HEIGHT), 0.0
    for drawing in drawings:
        part = ElementTree.fromstring(drawing)
        _, _, width, height = map(float, part.attrib["viewBox"].split())
        part.attrib |= {"x": str(_MARGIN), "y": f"{top:g}", "width": f"{width:g}", "height": f"{height:g}"}
        root.append(part)
        top += height + _GAP
        widest = max(widest, width)
    root.attrib["viewBox"] = f"0 0 {widest + 2 * _MARGIN:g} {top:g}"
    root.attrib |= {"width": f"{2 * (widest + 2 * _MARGIN):g}", "height": f"{2 * top:g}"}
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"

"""Scores, engraved by verovio: documents in MEI (see `mei`) or ABC become drawings."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from markupsafe import Markup

from etude.pipelines.rendering.markup import element
from etude.pipelines.rendering.mei import PRIMER

_SECONDS = 20
"""How long a document may take that does not come to an end; usual ones take a hundredth of a second."""

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = ("path", "polygon", "polyline", "rect", "ellipse", "use")
_KEPT = (
    "d",
    "points",
    "transform",
    "x",
    "y",
    "width",
    "height",
    "rx",
    "cx",
    "cy",
    "r",
    "ry",
    "href",
    "fill",
    "stroke-width",
)
_CHORD = "harm"
_PLACEHOLDER = re.compile(r"\b(placeholder|\w*Milestone)\b")


class Score(NamedTuple):
    """A drawing of a score.

    Attributes:
      width: of the drawing, in units of its own.
      height: in the same.
      content: markup that refers to the glyphs by their names; notes of a primer are in groups of that class.
      glyphs: the markup of each glyph, by name; the same name is the same glyph in all scores.
    """

    width: float
    height: float
    content: Markup
    glyphs: Mapping[str, Markup]


def engrave(documents: Sequence[str]) -> list[Score | None]:
    """Engraves documents in MEI or ABC.

    Another process does it. Whatever happens to it on one document is the end of that document's score alone.

    Returns:
      A score each; None where the engraver refuses, crashes, or does not come to an end.
    """
    results: list[Score | None] = []
    while len(results) < len(documents):
        left = documents[len(results) :]
        lines = _run(left)
        results += [_read(line) for line in lines]
        if len(lines) < len(left):
            results.append(None)
    return results


def view_box(score: Score) -> str:
    """The size of a score's drawing as SVG writes it."""
    return f"0 0 {score.width:g} {score.height:g}"


def _run(documents: Sequence[str]) -> list[str]:
    """The lines that the process wrote before it ended, one way or the other."""
    command = [sys.executable, "-P", "-m", "etude.pipelines.rendering.engraver"]
    try:
        done = subprocess.run(
            command, input=json.dumps(documents).encode(), capture_output=True, timeout=_SECONDS + len(documents)
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    return [line for line in output.decode().splitlines(keepends=True) if line.endswith("\n")]


def _read(line: str) -> Score | None:
    svg = json.loads(line)
    if not svg:
        return None
    root = ElementTree.fromstring(svg)
    inner = root.find(f"{_SVG}svg")
    if inner is None:
        return None
    _, _, width, height = map(float, inner.attrib["viewBox"].split())
    glyphs = {
        _glyph_name(glyph.attrib["id"]): element("g", *_shapes(glyph), id=_glyph_name(glyph.attrib["id"]))
        for glyph in root.iterfind(f"{_SVG}defs/{_SVG}g")
    }
    content = element("g", *_shapes(inner), stroke="currentColor", fill="currentColor")
    return Score(width, height, content, glyphs)


def _shapes(parent: ElementTree.Element) -> list[Markup]:
    """What is drawn, without the groups around it, save those of a primer's notes and those that move it."""
    found: list[Markup] = []
    for child in parent:
        tag, class_ = child.tag.removeprefix(_SVG), child.get("class", "")
        if tag == "g" and not (_PLACEHOLDER.search(class_) and len(child) < 2):
            inner = _shapes(child) if _CHORD not in class_.split() else list(map(_chord, child))
            moved = child.get("transform", "translate(0, 0)")
            if PRIMER in class_.split():
                inner = [element("g", *inner, class_=PRIMER)]
            found += [element("g", *inner, transform=moved)] if moved != "translate(0, 0)" and inner else inner
        elif tag in _SHAPES:
            values = {name: child.attrib[name] for name in _KEPT if name in child.attrib}
            if "href" in values:
                values["href"] = f"#{_glyph_name(values['href'].removeprefix('#'))}"
            if "transform" in values:
                values["transform"] = re.sub(r"scale\(([\d.]+), \1\)", r"scale(\1)", values["transform"])
            found.append(element(tag, **values))
    return found


def _chord(text: ElementTree.Element) -> Markup:
    """A chord symbol: the one text that is drawn."""
    size = next((part.attrib["font-size"] for part in text.iterfind(f".//{_SVG}tspan[@font-size]")), "400px")
    figure = "".join(text.itertext()).strip()
    return element("text", figure, x=text.get("x", "0"), y=text.get("y", "0"), stroke="none", style=f"font-size:{size}")


def _glyph_name(identifier: str) -> str:
    """The name of a glyph: its code point, without what the engraver adds to tell documents apart."""
    return identifier.partition("-")[0]

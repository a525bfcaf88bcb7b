"""The process that engraves: documents in MEI or ABC come in as a JSON list, and SVG goes out, a JSON line each.

It is a process of its own since the engraver, verovio, is known to crash on some input: see `engraving`.
"""

import json
import sys

SCALE = 35
WIDTH = 1150
"""Of a page, in tenths of a millimetre before scaling: room for two bars or three."""

_OPTIONS = {
    "pageWidth": WIDTH,
    "pageHeight": 60000,
    "adjustPageHeight": True,
    "pageMarginLeft": 0,
    "pageMarginRight": 20,
    "pageMarginTop": 0,
    "pageMarginBottom": 0,
    "header": "none",
    "footer": "none",
    "mnumInterval": 0,
    "scale": SCALE,
    "svgViewBox": True,
    "svgRemoveXlink": True,
}


def main() -> None:
    """Engraves what stands in the standard input."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    for document in json.load(sys.stdin):
        # A new one each time: nothing of one document is left for the next.
        toolkit = verovio.toolkit()
        toolkit.setOptions(_OPTIONS)
        toolkit.setInputFrom("mei" if document.lstrip().startswith("<") else "abc")
        drawn = toolkit.renderToSVG(1) if toolkit.loadData(document) and toolkit.getPageCount() == 1 else ""
        print(json.dumps(drawn), flush=True)


if __name__ == "__main__":
    main()

"""The whole page."""

from importlib import resources

from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import element, escape
from etude.pipelines.report.sections.answer import answer
from etude.pipelines.report.sections.breakdown import breakdown_section
from etude.pipelines.report.sections.curves import curves_section
from etude.pipelines.report.sections.data import data_section
from etude.pipelines.report.sections.definitions import definitions_section, reproduction_section
from etude.pipelines.report.sections.figures_tables import figures_tables
from etude.pipelines.report.sections.measures import measures_section
from etude.pipelines.report.sections.music import music_section

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""The browser itself keeps the page from loading anything."""


def page(content: Content) -> str:
    """The report as HTML: no other file and no network is needed to read it."""
    style, script = (_read(name) for name in ("style.css", "player.js"))
    main = "".join(
        [
            answer(content),
            figures_tables(content),
            curves_section(content),
            breakdown_section(content),
            music_section(content),
            measures_section(content),
            data_section(content),
            definitions_section(content),
            reproduction_section(content),
        ]
    )
    head = "".join(
        [
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            element("title", escape(content.presentation.title)),
            element("style", style),
        ]
    )
    body = element("main", main) + element("script", script)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _read(name: str) -> str:
    return (resources.files("etude.pipelines.report") / name).read_text(encoding="utf-8")

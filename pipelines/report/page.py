"""The whole page."""

from collections.abc import Sequence

from markupsafe import Markup

from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import POLICY, Section, Text, environment, inlined, templates
from etude.pipelines.report.sections.answer import answer, remarks
from etude.pipelines.report.sections.breakdown import breakdown_section
from etude.pipelines.report.sections.curves import curves_section
from etude.pipelines.report.sections.data import data_section
from etude.pipelines.report.sections.definitions import definitions_section
from etude.pipelines.report.sections.figures_tables import figures_tables
from etude.pipelines.report.sections.measures import measures_section
from etude.pipelines.report.sections.music import Pieces, pieces_of
from etude.pipelines.report.sections.reproduction import reproduction_section
from etude.pipelines.report.sections.samples import samples_section
from etude.pipelines.report.sections.sweeps import sweeps_section
from etude.pipelines.report.sections.texts import texts_section
from etude.pipelines.report.sections.tunes import tunes_section
from etude.pipelines.report.sections.units import units_section


def page(content: Content) -> str:
    """The report as HTML: no other file and no network is needed to read it."""
    music = pieces_of(content)
    sections: list[Section | None] = [
        tunes_section(content, music),
        figures_tables(content),
        sweeps_section(content),
        samples_section(content),
        curves_section(content),
        breakdown_section(content),
        music.section(),
        texts_section(content),
        measures_section(content),
        units_section(content),
        data_section(content),
        definitions_section(content),
        reproduction_section(content),
    ]
    return document(
        content.presentation.title,
        answer(content),
        [section for section in sections if section],
        remarks=remarks(content),
        music=music,
    )


def document(
    title: str,
    first: Markup,
    sections: Sequence[Section],
    *,
    remarks: Text = "",
    music: Pieces | None = None,
) -> str:
    """A page as HTML: what stands first, then sections with a table of contents."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            parts=templates(),
            policy=POLICY,
            title=title,
            style=inlined("style.css"),
            script=inlined("player.js") + inlined("tables.js"),
            answer=first,
            remarks=remarks,
            sections=sections,
            glyphs=music.glyphs.values() if music else (),
            pieces=music.players if music else [],
        )
    )

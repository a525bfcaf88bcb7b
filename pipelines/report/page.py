"""The whole page."""

from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import POLICY, Section, environment, inlined, templates
from etude.pipelines.report.sections.answer import answer, remarks
from etude.pipelines.report.sections.breakdown import breakdown_section
from etude.pipelines.report.sections.curves import curves_section
from etude.pipelines.report.sections.data import data_section
from etude.pipelines.report.sections.definitions import definitions_section
from etude.pipelines.report.sections.figures_tables import figures_tables
from etude.pipelines.report.sections.measures import measures_section
from etude.pipelines.report.sections.music import pieces_of
from etude.pipelines.report.sections.reproduction import reproduction_section
from etude.pipelines.report.sections.texts import texts_section
from etude.pipelines.report.sections.units import units_section


def page(content: Content) -> str:
    """The report as HTML: no other file and no network is needed to read it."""
    music = pieces_of(content)
    sections: list[Section | None] = [
        figures_tables(content),
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
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            parts=templates(),
            policy=POLICY,
            title=content.presentation.title,
            style=inlined("style.css"),
            script=inlined("player.js") + inlined("tables.js"),
            answer=answer(content),
            remarks=remarks(content),
            sections=[section for section in sections if section],
            glyphs=music.glyphs.values(),
            pieces=music.players,
        )
    )

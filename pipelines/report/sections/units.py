"""Which units of each network follow what in the music."""

from etude.models.inspection.following import Following
from etude.pipelines.comparison.units import PIECES, SHUFFLES
from etude.pipelines.evaluation.inspect import unit_name
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import MISSING, Section, Text, heading, join, number, paragraph, table

_NOTE = (
    "The unit of each network whose values correlate most with what the music has, as layer/kind/unit, over at most "
    f"{PIECES} pieces of the split; a dash where it does no better than by chance: the 95th percentile of the best units "
    f"over {SHUFFLES} shuffles. 'etude inspect MODEL --output units.html' shows the units on the music itself."
)


def units_section(content: Content) -> Section | None:
    """A table for each domain; None where no unit follows anything."""
    parts: list[Text] = []
    for domain in content.results.domains():
        members = [one for one in content.configurations(domain) if one.name in content.units]
        features = list(dict.fromkeys(found.feature for one in members for found in content.units[one.name]))
        rows = [[feature, *(_best(content, one.name, feature) for one in members)] for feature in features]
        if rows:
            parts += [heading(f"{content.words(domain).sequences.capitalize()}{content.apart(domain)}")]
            parts += [table(f"Best units{content.apart(domain)}", ["", *(one.title for one in members)], rows)]
    return Section("units", "What their units follow", join(paragraph(_NOTE), *parts)) if parts else None


def _best(content: Content, name: str, feature: str) -> Text:
    found: Following | None = next((one for one in content.units[name] if one.feature == feature), None)
    if found is None:
        return MISSING
    best = found.followers[0]
    remark = f"{unit_name(best.part, best.unit)}, by chance {number(found.chance, 2)}"
    return join(number(best.correlation, 2), element("small", remark))

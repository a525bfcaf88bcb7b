"""Parts of the page, and numbers as people read them."""

import html
from collections.abc import Iterable, Sequence

from etude.pipelines.comparison.statistics.figures import Estimate

MINUS = "\u2212"
MISSING = "\u2013"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def section(identifier: str, title: str, *parts: str) -> str:
    """A part of the page with a heading to link to."""
    heading = element("h2", escape(title), id=f"{identifier}-title")
    return element("section", heading + "".join(parts), id=identifier, aria_labelledby=f"{identifier}-title")


def paragraph(text: str, **values: object) -> str:
    """A paragraph of plain text."""
    return element("p", escape(text), **values)


def items(texts: Iterable[str]) -> str:
    """A list of plain texts."""
    return element("ul", "".join(element("li", escape(text)) for text in texts))


def details(summary: str, *parts: str) -> str:
    """A part that opens on request."""
    return element("details", element("summary", escape(summary)) + "".join(parts))


def figure(content: str, caption: str) -> str:
    """A drawing with its caption."""
    return element("figure", element("figcaption", escape(caption)) + content)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], sticky: bool = True) -> str:
    """A table whose cells are markup; the first of each row names it. It scrolls sideways by itself, not the page."""
    head = element("tr", "".join(element("th", escape(column), scope="col") for column in columns))
    body = "".join(
        element("tr", element("th", row[0], scope="row") + "".join(element("td", cell) for cell in row[1:]))
        for row in rows
    )
    whole = element(
        "table",
        element("caption", escape(caption)) + element("thead", head) + element("tbody", body),
        class_="sticky" if sticky else None,
    )
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def number(value: float | None, decimals: int = 3) -> str:
    """A number with a real minus sign, short where it is large; a dash where there is none."""
    if value is None:
        return MISSING
    if abs(value) >= 1e5:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", MINUS)
    return f"{value:,.{0 if abs(value) >= 1000 else decimals}f}".replace("-", MINUS)


def percentage(value: float | None) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{100 * value:.1f} %"


def estimate(one: Estimate, decimals: int = 3, as_percentage: bool = False) -> str:
    """A figure, with its interval in small print below."""
    if one.value is None:
        return MISSING
    write = percentage if as_percentage else lambda value: number(value, decimals)
    if one.interval is None:
        return write(one.value)
    low, high = (write(bound) for bound in one.interval)
    return f"{write(one.value)} {element('small', f'{low} to {high}')}"


def escape(value: object) -> str:
    """Text that is safe in an element and in an attribute."""
    return html.escape(str(value), quote=True)


def attributes(**values: object) -> str:
    """Attributes, each after a space. A trailing underscore is dropped, others become hyphens; None leaves one out."""
    shown = {name.rstrip("_").replace("_", "-"): value for name, value in values.items() if value is not None}
    return "".join(f' {name}="{escape(value)}"' for name, value in shown.items())


def element(tag: str, content: str = "", **values: object) -> str:
    """An element around markup, which must be escaped already."""
    return f"<{tag}{attributes(**values)}>{content}</{tag}>"

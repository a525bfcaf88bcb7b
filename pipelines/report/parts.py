"""The parts of the page, made by its templates, and numbers as people read them."""

import functools
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from etude.pipelines.comparison.statistics.figures import Estimate

MINUS = "\u2212"
MISSING = "\u2013"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""The browser itself keeps a page from loading anything."""

Text = str
"""Text that is escaped where it is put, or markup (a subclass), which stays as it is."""


class Section(NamedTuple):
    """A part of the page that the table of contents names."""

    identifier: str
    title: str
    content: Markup


@functools.cache
def environment() -> jinja2.Environment:
    """The templates; whatever is put into them is escaped."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("etude.pipelines.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )


@functools.cache
def templates() -> Any:
    """The parts by name, as functions that return markup."""
    return environment().get_template("parts.html.j2").module


def inlined(name: str) -> Markup:
    """A style sheet or script of this folder, to be put into a page."""
    return Markup((resources.files("etude.pipelines.report") / name).read_text(encoding="utf-8"))


def join(*parts: Text) -> Markup:
    """Parts one after the other."""
    return Markup("").join(parts)


def heading(title: Text) -> Markup:
    """A heading within a section."""
    return templates().heading(title)


def paragraph(text: Text, class_: str | None = None) -> Markup:
    """A paragraph."""
    return templates().paragraph(text, class_)


def items(texts: Iterable[Text]) -> Markup:
    """A list; nothing where there are no texts."""
    listed = list(texts)
    return templates().items(listed) if listed else Markup("")


def terms(pairs: Iterable[tuple[Text, Text]]) -> Markup:
    """Terms and what they mean."""
    return templates().terms(list(pairs))


def details(summary: Text, *content: Text) -> Markup:
    """A part that opens on request."""
    return templates().details(summary, join(*content))


def figure(drawing: Markup, caption: Text) -> Markup:
    """A drawing with its caption."""
    return templates().figure(drawing, caption)


def code(text: str, label: str) -> Markup:
    """A command."""
    return templates().code(text, label)


def legend(entries: Iterable[tuple[str, Markup]]) -> Markup:
    """What colours and shapes stand for: names and keys."""
    return templates().legend(list(entries))


def table(caption: str, columns: Sequence[Text], rows: Iterable[Sequence[Text]]) -> Markup:
    """A table that one can link to by its caption; the first cell of each row names it."""
    listed = [list(row) for row in rows]
    wrong = [row for row in listed if len(row) != len(columns)]
    if wrong:
        raise ValueError(f"{caption}: a row has {len(wrong[0])} cells for {len(columns)} columns")
    return templates().table(caption, list(columns), listed, identifier(caption))


def identifier(title: str) -> str:
    """The name to link to a part by."""
    return "table-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def number(value: float | None, decimals: int = 3) -> str:
    """A number with a real minus sign, short where it is large; a dash where there is none."""
    if value is None:
        return MISSING
    if abs(value) >= 1e5:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", MINUS)
    return f"{value:,.{0 if abs(value) >= 1000 else decimals}f}".replace("-", MINUS)


def percentage(value: float | None) -> str:
    """A share as a percentage, such as 43.6%."""
    return MISSING if value is None else f"{value:.1%}".replace("-", MINUS)


def estimate(one: Estimate, decimals: int = 3, as_percentage: bool = False) -> Text:
    """A figure, with its interval in small print below."""
    write = percentage if as_percentage else functools.partial(number, decimals=decimals)
    if one.value is None or one.interval is None:
        return write(one.value)
    return templates().interval(write(one.value), *(write(bound) for bound in one.interval))

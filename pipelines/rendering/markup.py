"""Elements of HTML and SVG."""

from markupsafe import Markup, escape


def attributes(**values: object) -> Markup:
    """Attributes, each after a space. A trailing underscore is dropped, others become hyphens; None leaves one out."""
    shown = {name.rstrip("_").replace("_", "-"): value for name, value in values.items() if value is not None}
    return Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in shown.items())


def element(tag: str, *content: str, **values: object) -> Markup:
    """An element around its content: markup stays as it is, other text is escaped."""
    return Markup("<{}{}>{}</{}>").format(tag, attributes(**values), Markup("").join(map(escape, content)), tag)

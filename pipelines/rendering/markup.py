"""Elements of HTML and SVG."""

import html


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

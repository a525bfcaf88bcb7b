"""`P:` in the header: the order in which the parts of a tune are played."""

import re
from typing import TypeAlias

from etude.models.abc.problems import AbcError, TooLargeError

PartOrder: TypeAlias = list[tuple[str, int]]
"""Label of a part and how often it is played in a row."""

MAX_PARTS = 1000
_TOKEN = re.compile(r"([A-Za-z])|(\()|\)|[.\s]+")
_COUNT = re.compile(r"[.\s]*(\d+)")


def parse_part_order(text: str) -> PartOrder:
    """Reads an order like `A2.(BC)2.A`; parentheses may be nested, dots and spaces mean nothing.

    Returns:
      Labels with the number of times that each is played in a row, neighbours with the same label together; empty if
      the text is no order at all but, as older tunes have it, the name of a part.

    Raises:
      AbcError: if the parentheses do not match, or the order has more than `MAX_PARTS` entries.
    """
    if not re.fullmatch(r"[A-Za-z0-9().\s]*", text) or re.search(r"[A-Za-z][a-z]", text):
        return []
    groups: list[list[str]] = [[]]
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            raise AbcError(f"expected a part letter, ( or ) in P:, not {text[position]!r}", position)
        position = token.end()
        if token[1]:
            labels = [token[1]]
        elif token[2]:
            groups.append([])
            continue
        elif token[0] == ")":
            if len(groups) == 1:
                raise AbcError("')' without '(' in P:", token.start())
            labels = groups.pop()
        else:
            continue
        count = _COUNT.match(text, position)
        if count:
            position = count.end()
        times = int(count[1][:6]) if count else 1
        if len(groups[-1]) + len(labels) * times > MAX_PARTS:
            raise TooLargeError(f"P: asks for more than {MAX_PARTS} parts", token.start())
        groups[-1].extend(labels * times)
    if len(groups) > 1:
        raise AbcError("'(' without ')' in P:", len(text))
    return _runs(groups[0])


def _runs(labels: list[str]) -> PartOrder:
    order: PartOrder = []
    for label in labels:
        if order and order[-1][0] == label:
            order[-1] = (label, order[-1][1] + 1)
        else:
            order.append((label, 1))
    return order

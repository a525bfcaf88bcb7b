"""`M:`, `L:` and `Q:`: metre, unit note length and tempo."""

import functools
import re
from fractions import Fraction

from etude.models.abc.problems import AbcError

MAX_NUMERATOR = 1000
MAX_DENOMINATOR = 1024
# Each piece of a text can match in one way only, which keeps matching linear.
_METRE = re.compile(r"\(?\s*(\d+(?:\s*\+\s*\d+)*)\s*(?:\)\s*)?/\s*(\d+)")
_FRACTION = re.compile(r"(\d+)\s*(?:/\s*(\d+))?")
_BEAT = re.compile(r"(?<!\d)(\d+)\s*/\s*(\d+)\s*(=)?")
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)")
_UNIT_TEMPO = re.compile(r"C\s*(?:(\d+)\s*)?=")
_BARE_TEMPO = re.compile(r"=?\s*(\d+(?:\.\d+)?)\s*$")


@functools.lru_cache(maxsize=256)
def parse_metre(text: str) -> tuple[int, int] | None:
    """Reads `M:`: `6/8`, `C`, `C|`, `(2+3)/8`, `2+3/8`; None for free metre (`none` or nothing).

    Raises:
      AbcError: if it is no metre.
    """
    text = text.strip()
    if not text or text.lower().startswith(("none", "free", "frei")):
        return None
    if text.startswith("C"):
        return (2, 2) if text.startswith("C|") else (4, 4)
    match = _METRE.match(text)
    if not match:
        raise AbcError(f"expected a metre such as 4/4, C, C| or none, not {text[:20]!r}", 0)
    numerator = sum(_bounded(number, MAX_NUMERATOR, "metre") for number in match[1].split("+"))
    denominator = _bounded(match[2], MAX_DENOMINATOR, "metre")
    if not numerator or not denominator:
        raise AbcError(f"expected a metre above 0, not {match[0]!r}", 0)
    return numerator, denominator


@functools.lru_cache(maxsize=256)
def default_unit_length(metre: tuple[int, int] | None) -> Fraction:
    """The unit note length where there is no `L:`: 1/16 for a bar shorter than 3/4, else 1/8."""
    return Fraction(1, 16) if metre and Fraction(*metre) < Fraction(3, 4) else Fraction(1, 8)


def is_compound(metre: tuple[int, int] | None) -> bool:
    """Whether the beat has three parts, as in 6/8, 9/8 and 12/8."""
    return metre is not None and metre[0] in (6, 9, 12)


@functools.lru_cache(maxsize=256)
def parse_unit_length(text: str) -> Fraction:
    """Reads `L:`: `1/8`, or `1`.

    Raises:
      AbcError: if it is no length.
    """
    match = _FRACTION.match(text.strip())
    if not match:
        raise AbcError(f"expected a unit note length such as 1/8, not {text.strip()[:20]!r}", 0)
    return _fraction(match[1], match[2] or "1")


@functools.lru_cache(maxsize=256)
def parse_tempo(text: str, unit: Fraction) -> Fraction | None:
    """Reads `Q:`: `1/4=120`, `"Allegro" 1/4=120`, `1/4 3/8=40`, and the older `120`, `C=120` and `C3=40`.

    Args:
      text: the field.
      unit: the unit note length, which is what the older forms count.

    Returns:
      Quarter notes a minute; None if the field has only words.

    Raises:
      AbcError: if it is no tempo.
    """
    text = re.sub(r'"[^"]*"?', " ", text).strip()
    if not text:
        return None
    beat, rate = _beat_and_rate(text, unit)
    quarters_per_minute = 4 * beat * Fraction(rate[:12])
    if not 1 <= quarters_per_minute <= 10_000:
        raise AbcError(f"expected a tempo of 1 to 10,000 quarter notes a minute, not {text[:20]!r}", 0)
    return quarters_per_minute


def _beat_and_rate(text: str, unit: Fraction) -> tuple[Fraction, str]:
    """The beat, as a fraction of a whole note, and the number of beats a minute."""
    lengths: list[tuple[str, str]] = []
    end = 0
    for match in _BEAT.finditer(text):
        if match.start() != end:  # only lengths in a row make a beat
            lengths = []
        lengths.append((match[1], match[2]))
        end = match.end()
        if match[3]:
            if rate := _RATE.match(text, end):
                return sum((_fraction(*length) for length in lengths), Fraction(0)), rate[1]
            lengths = []
    if (count := _UNIT_TEMPO.match(text)) and (rate := _RATE.match(text, count.end())):
        return unit * _bounded(count[1] or "1", MAX_NUMERATOR, "tempo"), rate[1]
    if rate := _BARE_TEMPO.match(text):
        return unit, rate[1]
    raise AbcError(f"expected a tempo such as 1/4=120, not {text[:20]!r}", 0)


def _fraction(numerator: str, denominator: str) -> Fraction:
    above, below = _bounded(numerator, MAX_NUMERATOR, "length"), _bounded(denominator, MAX_DENOMINATOR, "length")
    if not above or not below:
        raise AbcError(f"expected a length above 0, not {numerator}/{denominator}", 0)
    return Fraction(above, below)


def _bounded(digits: str, most: int, what: str) -> int:
    digits = digits.strip()
    if len(digits) > 9 or int(digits) > most:
        raise AbcError(f"expected a {what} of numbers up to {most:,}, not {digits[:20]}", 0)
    return int(digits)

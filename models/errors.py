"""The errors that a user can mend."""

import difflib
import numbers
from collections.abc import Iterable, Mapping
from typing import Any


class EtudeError(Exception):
    """Something that the user can mend; the message says what is wrong, where, and the remedy.

    The command line prints the message without a traceback and exits with 1.
    """


class UsageError(EtudeError):
    """The command was called wrongly: an unknown option, name or type. The command line exits with 2."""


def check_ranges(options: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Checks options that are numbers.

    Args:
      options: has them as attributes.
      ranges: by name, the lowest and the highest that each may be; whole numbers where both of these are.

    Raises:
      UsageError: naming the option, its value and what it may be.
    """
    for name, (lowest, highest) in ranges.items():
        value, option = getattr(options, name), f"--{name.replace('_', '-')}"
        is_whole = isinstance(lowest, int) and isinstance(highest, int)
        kind: Any = numbers.Integral if is_whole else numbers.Real
        if not isinstance(value, kind):
            raise UsageError(f"{option} must be a {'whole number' if is_whole else 'number'}, not {value!r}")
        if not lowest <= value <= highest:
            bounds = " to ".join(str(bound) if isinstance(bound, int) else f"{bound:g}" for bound in (lowest, highest))
            raise UsageError(f"{option} must be from {bounds}, not {value}")


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """What to add to "there is no NAME": the choice that is spelt almost alike; empty where none is.

    >>> did_you_mean("genrate", ["convert", "generate"])
    "; did you mean 'generate'?"
    """
    close = difflib.get_close_matches(name, list(choices), 1)
    return f"; did you mean {close[0]!r}?" if close else ""

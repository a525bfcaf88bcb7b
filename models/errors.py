"""The errors that a user can mend."""

import difflib
from collections.abc import Iterable


class EtudeError(Exception):
    """Something that the user can mend; the message says what is wrong, where, and the remedy.

    The command line prints the message without a traceback and exits with 1.
    """


class UsageError(EtudeError):
    """The command was called wrongly: an unknown option, name or type. The command line exits with 2."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """What to add to "there is no NAME": the choice that is spelt almost alike; empty where none is.

    >>> did_you_mean("genrate", ["convert", "generate"])
    "; did you mean 'generate'?"
    """
    close = difflib.get_close_matches(name, list(choices), 1)
    return f"; did you mean {close[0]!r}?" if close else ""

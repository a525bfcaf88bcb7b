"""Imports Beam without what it takes along merely because it is installed.

When it is imported, Beam looks for pandas, PyArrow, PyMongo and BigQuery. Each is optional to it, none is of use to our
commands, and together they take about as long as the rest of Beam, and half of the memory. This is for processes that are
Etude's own: in anybody else's, Beam is imported as it is.
"""

import contextlib
import gc
import logging
import sys
from collections.abc import Iterator

_OPTIONAL = ("apache_beam.io.gcp.bigquery", "bson", "pandas", "pyarrow")
"""What Beam does without if it is missing; `bson` is a part of PyMongo."""


def import_beam() -> None:
    """Imports Beam; what it would have taken along can still be imported later, by whoever needs it."""
    if "apache_beam" in sys.modules:
        return
    gc.disable()
    try:
        with no_console_log(), hidden(*_OPTIONAL):
            import apache_beam  # noqa: F401
        # Modules live as long as the process: there is no need to look at them again and again.
        gc.freeze()
    finally:
        gc.enable()


@contextlib.contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Lets modules appear not to be installed while the block runs, except for those that were imported before."""
    absent = [name for name in names if name not in sys.modules]
    # This is how Python itself marks a module that cannot be imported.
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


@contextlib.contextmanager
def no_console_log() -> Iterator[None]:
    """Keeps Beam, which logs through the root logger, from printing; handlers that the caller installed still hear it."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)

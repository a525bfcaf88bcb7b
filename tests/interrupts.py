"""Processes that heed Ctrl-C, wherever the tests were started."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def heeding_interrupts() -> Iterator[None]:
    """What is started meanwhile heeds Ctrl-C: a job in the background ignores it, and so would what it starts.

    Not by `preexec_fn`: that forks, and gRPC's threads, once a test has started them, abort the fork.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

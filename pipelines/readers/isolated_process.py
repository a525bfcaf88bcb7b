"""The process that reads music for an `IsolatedReader`: files come in, and what they hold goes out.

Start it with `python -P isolated_process.py SECONDS MEGABYTES`. The system ends it, whatever code it is in, if a piece
takes more processor time than that, or if whoever started it is gone; it is given no more memory than that. On Windows,
which has no such limits, it has none.
"""

import contextlib
import marshal
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from etude.pipelines.readers.reading import Reading
    from etude.pipelines.sources.sources import Source

OUT_OF_MEMORY = 3
"""The exit status that says so."""

Read = Callable[["Source", bytes], Iterable["Reading"]]
"""As `read_music`."""


def main() -> None:
    """Reads until there is nothing more to read."""
    # One thread is enough for so little, and each has buffers of its own.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    root = str(pathlib.Path(__file__).parents[3])
    if root not in sys.path:
        sys.path.append(root)
    from etude.pipelines.readers import read_music

    serve(read_music)


def serve(read: Read) -> None:
    """Answers requests from the standard input on the standard output.

    A request is a file's collection, name and bytes; the answers are its readings, then None. All are marshalled. The
    limits stand on the command line.
    """
    from etude.pipelines.sources.sources import Source

    seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])

    # An interrupt is for whoever started this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(megabytes)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    marshal.dump("ready", answers)
    answers.flush()
    # What a library prints is no answer, and of its death the one who asked will tell.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    requests = sys.stdin.buffer
    try:
        while True:
            collection, name, data = marshal.load(requests)
            with _ended_without_asker(requests):
                _limit_time(seconds)
                for reading in read(Source(collection, name, ""), data):
                    marshal.dump(_values(reading), answers)
                    answers.flush()
                    _limit_time(seconds)
                _limit_time(0)
            marshal.dump(None, answers)
            answers.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (EOFError, BrokenPipeError):
        pass  # there is nobody left who asks


def _values(reading: "Reading") -> tuple[object, ...]:
    """What `IsolatedReader` makes a reading of."""
    sequence = reading.sequence and reading.sequence.SerializeToString()
    rejected = reading.rejected and (reading.rejected.reason, reading.rejected.detail)
    return sequence, rejected, reading.reference_number, reading.title, reading.line, reading.text


def _limit_memory(megabytes: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20,) * 2)


def _limit_time(seconds: float) -> None:
    """Ends this process, even inside of a library, when it has worked that much longer; 0 for no limit."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


@contextlib.contextmanager
def _ended_without_asker(requests: BinaryIO) -> Iterator[None]:
    """Ends this process, even inside of a library, if meanwhile the other end of the requests is closed."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    fcntl.fcntl(requests, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(requests, fcntl.F_GETFL)
    fcntl.fcntl(requests, fcntl.F_SETFL, flags | os.O_ASYNC)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        fcntl.fcntl(requests, fcntl.F_SETFL, flags)


if __name__ == "__main__":
    main()

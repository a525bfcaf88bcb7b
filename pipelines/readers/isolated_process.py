"""The process that reads music for an `IsolatedReader`: files come in, and what they hold goes out.

Start it with `python -P isolated_process.py SECONDS MEGABYTES PICKUPS`. The system ends it, whatever code it is in, if a
piece takes more processor time than that, or if whoever started it is gone; it is given no more memory than that. On
Windows, which has no such limits, it has none.
"""

import functools
import marshal
import os
import pathlib
import signal
import struct
import sys
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from etude.pipelines.readers.reading import Reading
    from etude.pipelines.sources.source import Source

OUT_OF_MEMORY = 3
"""The exit status that says so."""

Read = Callable[["Source", bytes, Container[int]], Iterable["Reading"]]
"""As `read_music`."""

_LENGTH = struct.Struct("<Q")


def main() -> None:
    """Reads until there is nothing more to read."""
    # One thread is enough for so little, and each has buffers of its own.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    root = str(pathlib.Path(__file__).parents[3])
    if root not in sys.path:
        sys.path.append(root)
    from etude.pipelines.readers import read_music

    serve(functools.partial(read_music, pickups=sys.argv[3]))


def serve(read: Read) -> None:
    """Answers requests from the standard input on the standard output, within the limits on the command line.

    A request is a list of files, each a collection, a name and bytes; whether each answer is to be sent at once, which
    takes longer, and if this process dies it tells which piece it was; and the places of tunes to pass over. The answers
    are the readings of each file, then None.

    Args:
      read: reads a file.
    """
    from etude.pipelines.sources.source import Source

    seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])
    # An interrupt is for whoever started this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(megabytes)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    write("ready", answers)
    answers.flush()
    # What a library prints is no answer, and of its death the one who asked will tell.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    try:
        while True:
            is_urgent, passed_over, files = receive(requests)
            _end_without_asker(requests, True)
            for collection, name, data in files:
                _limit_time(seconds)
                for reading in read(Source(collection, name, ""), data, passed_over):
                    write(_values(reading), answers)
                    if is_urgent:
                        answers.flush()
                    _limit_time(seconds)
                write(None, answers)
            _limit_time(0)
            _end_without_asker(requests, False)
            answers.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # there is nobody left who asks


def write(value: Any, stream: BinaryIO) -> None:
    """Writes a value into a pipe.

    Raises:
      BrokenPipeError: if nobody is there to receive it.
    """
    data = marshal.dumps(value)
    stream.write(_LENGTH.pack(len(data)) + data)


def receive(stream: BinaryIO) -> Any:
    """Receives what was written.

    Raises:
      EOFError: if nothing more comes.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    return marshal.loads(stream.read(_LENGTH.unpack(head)[0]))


def _values(reading: "Reading") -> tuple[object, ...]:
    """What `IsolatedReader` makes a reading of."""
    sequence = reading.sequence and reading.sequence.SerializeToString()
    rejected = reading.rejected and (reading.rejected.reason, reading.rejected.detail)
    others = (reading.reference_number, reading.title, reading.line, reading.text, reading.bar_starts, reading.bars)
    return sequence, rejected, *others


def _limit_memory(megabytes: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20,) * 2)


def _limit_time(seconds: float) -> None:
    """Ends this process, even inside of a library, when it has worked that much longer; 0 for no limit."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _end_without_asker(requests: BinaryIO, is_wanted: bool) -> None:
    """Ends this process, even inside of a library, at the moment when the other end of the requests is closed."""
    if sys.platform != "win32":
        import fcntl

        # Whatever happens at a pipe of which this is asked is a signal, which nobody handles.
        fcntl.fcntl(requests, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(requests, fcntl.F_SETFL, os.O_ASYNC if is_wanted else 0)


if __name__ == "__main__":
    main()

"""Reading in a process of its own: a reader that stalls or crashes in spite of its limits costs one file, not the job."""

import contextlib
import dataclasses
import marshal
import pathlib
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from etude.models.errors import EtudeError
from etude.pipelines.readers.isolated_process import OUT_OF_MEMORY
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.sources.sources import Source


@dataclasses.dataclass(frozen=True)
class Limits:
    """What reading may take. The readers' own limits, which depend on the file alone, leave it far less.

    Attributes:
      seconds: processor time for a piece.
      megabytes: memory of the process.
    """

    seconds: float = 30.0
    megabytes: int = 2048


LIMITS = Limits()

_PROGRAM = pathlib.Path(__file__).with_name("isolated_process.py")


class IsolatedReader:
    """Reads as `read_music` does, in a process that starts when it is needed first, and again when it has died.

    What only the limits of the process reject is outside the promise that the same files give the same pieces everywhere:
    see `etude.pipelines.reasons.MACHINE`.
    """

    def __init__(self, limits: Limits = LIMITS, program: pathlib.Path = _PROGRAM) -> None:
        """Starts nothing yet.

        Args:
          limits: what reading may take.
          program: what serves, as `isolated_process` does.
        """
        self._command = [sys.executable, "-P", str(program), str(limits.seconds), str(limits.megabytes)]
        self._process: _Process | None = None

    def read(self, source: Source, data: bytes) -> Iterator[Reading]:
        """Yields what is found in a file, as `read_music`; where that ends the process, a rejection that says so.

        Raises:
          EtudeError: if the process cannot be started.
        """
        if self._process is not None and self._process.has_ended():  # killed while it waited, by whoever wanted memory
            self.close()
        if self._process is None:
            self._process = _Process(self._command)
        is_done = False
        try:
            yield from self._process.read(source, data)
            is_done = True
        except EOFError:
            yield Reading(rejected=_explain(self._process.end()))
        finally:
            if not is_done:  # perhaps because whoever asked has heard enough
                self.close()

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    """A process that serves requests, one at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._requests = cast("BinaryIO", self._popen.stdin)
        self._answers = cast("BinaryIO", self._popen.stdout)
        # At the latest with this program, which an interrupt may end.
        self._kill = weakref.finalize(self, self._popen.kill)
        try:
            marshal.load(self._answers)
        except EOFError as error:
            raise EtudeError(
                f"the process that reads music did not start ({' '.join(command)}: exit {self.end()}); install etude again"
            ) from error

    def read(self, source: Source, data: bytes) -> Iterator[Reading]:
        """Raises EOFError where the process ends."""
        try:
            marshal.dump((source.collection, source.name, data), self._requests)
            self._requests.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        while (values := marshal.load(self._answers)) is not None:
            sequence, rejected, *others = values
            yield Reading(sequence and NoteSequence.FromString(sequence), rejected and Rejected(*rejected), *others)

    def has_ended(self) -> bool:
        """Whether there is nobody any more to serve."""
        return self._popen.poll() is not None

    def end(self) -> int:
        """Ends the process, if it did not by itself; returns its exit status, negative for a signal."""
        self._kill()
        status = self._popen.wait()
        self._answers.close()
        with contextlib.suppress(BrokenPipeError):  # from what it was not sent any more
            self._requests.close()
        return status


def _explain(status: int) -> Rejected:
    """Why nothing more is read of a file, by the exit status of the process that read it."""
    if status == OUT_OF_MEMORY:
        return Rejected("out-of-memory", "the rest of the file was not read")
    if sys.platform != "win32" and status == -signal.SIGPROF:
        return Rejected("out-of-time", "the rest of the file was not read")
    name = signal.Signals(-status).name if status < 0 else f"exit {status}"
    return Rejected("reader-crashed", f"{name}; the rest of the file was not read")

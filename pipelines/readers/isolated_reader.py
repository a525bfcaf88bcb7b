"""Reading in a process of its own: a reader that stalls or crashes in spite of its limits costs one piece, not the job."""

import contextlib
import dataclasses
import pathlib
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, cast

from etude.models.errors import EtudeError
from etude.models.melodies.pickups import REST
from etude.pipelines.readers.isolated_process import OUT_OF_MEMORY, receive, write
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.sources.source import Source


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

File = tuple[Source, bytes]
"""Where a file is from, and what it holds."""

_MOST_ACCIDENTS = 3
"""In one file, before the rest of it is left unread: each may take as long as the limits allow."""

_PROGRAM = pathlib.Path(__file__).with_name("isolated_process.py")


class IsolatedReader:
    """Reads as `read_music` does, in a process that starts when it is needed first, and again when it has died.

    What only the limits of the process reject is outside the promise that the same files give the same pieces everywhere:
    see `etude.pipelines.reasons.MACHINE`.
    """

    def __init__(self, limits: Limits = LIMITS, program: pathlib.Path = _PROGRAM, pickups: str = REST) -> None:
        """Starts nothing yet.

        Args:
          limits: what reading may take.
          program: what serves, as `isolated_process` does.
          pickups: as `read_music` takes it.
        """
        self._command = [sys.executable, "-P", str(program), str(limits.seconds), str(limits.megabytes), pickups]
        self._process: _Process | None = None

    def read(self, files: Sequence[File]) -> Iterator[Iterator[Reading]]:
        """Yields for each file what is found in it, as `read_music`; where that ends the process, a rejection that says so.

        A tunebook goes on after the tune that did.

        What is found in one file has to be taken before the next one's turn. Many small files at once cost the least.

        Raises:
          EtudeError: if the process cannot be started.
        """
        readings = self._readings(files)
        for _ in files:
            yield iter(readings.__next__, None)

    def _readings(self, files: Sequence[File]) -> Iterator[Reading | None]:
        """What is found in each file, then None."""
        num_done = num_received = 0
        is_urgent = False
        accidents: dict[int, Rejected] = {}  # by the place of the piece in its file
        try:
            while num_done < len(files):
                # After an accident one by one, to learn which of them it was.
                asked = files[num_done : num_done + 1] if is_urgent else files[num_done:]
                number = 0
                try:
                    for reading in self._running().read(asked, is_urgent, accidents):
                        if reading is None:
                            num_done, num_received, number = num_done + 1, 0, 0
                            accidents, is_urgent = {}, False
                            yield None
                            continue
                        number += 1
                        if number > num_received:
                            num_received = number
                            yield dataclasses.replace(reading, rejected=accidents.get(number - 1, reading.rejected))
                except EOFError:
                    status = self.close()
                    if is_urgent and not _is_passable(asked[0], num_received, accidents):
                        yield Reading(rejected=_explain(status, "the rest of the file was not read"))
                        num_done, num_received = num_done + 1, 0
                        accidents, is_urgent = {}, False
                        yield None
                    elif is_urgent:
                        accidents[num_received] = _explain(status, "the tune was not read")
                    else:
                        is_urgent = True
        finally:
            if num_done < len(files):  # whoever asked has heard enough
                self.close()

    def _running(self) -> "_Process":
        self._process = self._process or _Process(self._command)
        return self._process

    def close(self) -> int:
        """Ends the process; returns its exit status, negative for a signal, 0 if there is none."""
        status = self._process.end() if self._process else 0
        self._process = None
        return status


class _Process:
    """A process that serves requests, one at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._requests = cast("BinaryIO", self._popen.stdin)
        self._answers = cast("BinaryIO", self._popen.stdout)
        # At the latest with this program, which an interrupt may end.
        self._kill = weakref.finalize(self, self._popen.kill)
        try:
            receive(self._answers)
        except EOFError as error:
            raise EtudeError(
                f"the process that reads music did not start ({' '.join(command)}: exit {self.end()}); install etude again"
            ) from error

    def read(self, files: Sequence[File], is_urgent: bool, passed_over: Iterable[int]) -> Iterator[Reading | None]:
        """The readings of each file, then None; raises EOFError where the process ends."""
        contents = [(source.collection, source.name, data) for source, data in files]
        try:
            write((is_urgent, list(passed_over), contents), self._requests)
            self._requests.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        for _ in files:
            while (values := receive(self._answers)) is not None:
                sequence, rejected, *others = values
                yield Reading(sequence and NoteSequence.FromString(sequence), rejected and Rejected(*rejected), *others)
            yield None

    def end(self) -> int:
        """Ends the process, if it did not by itself; returns its exit status, negative for a signal."""
        self._kill()
        status = self._popen.wait()
        self._answers.close()
        with contextlib.suppress(BrokenPipeError):  # from what it was not sent any more
            self._requests.close()
        return status


def _is_passable(file: File, place: int, accidents: Mapping[int, Rejected]) -> bool:
    """Whether a file may be read again without the piece at `place`: a tunebook, in which that was not tried before."""
    return file[0].format == "abc" and place not in accidents and len(accidents) < _MOST_ACCIDENTS


def _explain(status: int, consequence: str) -> Rejected:
    """Why something is not read of a file, by the exit status of the process that read it."""
    if status == OUT_OF_MEMORY:
        return Rejected("out-of-memory", consequence)
    if sys.platform != "win32" and status == -signal.SIGPROF:
        return Rejected("out-of-time", consequence)
    name = signal.Signals(-status).name if status < 0 else f"exit {status}"
    return Rejected("reader-crashed", f"{name}; {consequence}")

"""What the user sees: messages, progress, results. Everything that libraries print goes to a log file instead."""

import contextlib
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

from etude.models.errors import EtudeError
from etude.models.progress import Progress

QUIET_SECONDS = 2.0
"""Tasks that finish sooner show no progress."""

SECONDS_BETWEEN_LINES = 10.0
"""Where the output is no terminal, progress is a plain line now and then."""

_CONTROL_CHARACTERS = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in ("\n", "\t")
}


class ReaderGoneError(Exception):
    """Whoever read the results has ended, as `head` does: there is nobody left to tell."""


class Console:
    """The user's standard output for results, and standard error for everything else.

    While it is open, file descriptors 1 and 2 lead to a log file, so that what libraries write there, in Python or in C++,
    does not mix with our own messages. Control characters are shown as such: a file's name cannot steer the terminal.
    """

    def __init__(self, debug: bool = False) -> None:
        """Opens the console.

        Args:
          debug: leave the libraries' output where it is.
        """
        self.log: pathlib.Path | None = None
        self._live: Any = None
        self._debug = debug
        self._has_output = _is_open(1)
        _open_closed_descriptors()
        _flush_standard_streams()
        self._results: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
        self._messages: IO[str] = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        if not debug:
            descriptor = self._open_log()
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.close(descriptor)

    def say(self, message: str) -> None:
        """Shows a message. Where it cannot be shown, the work goes on."""
        text = message.translate(_CONTROL_CHARACTERS)
        with contextlib.suppress(OSError):
            if self._live is None:
                print(text, file=self._messages, flush=True)
            else:
                self._live.print(text, markup=False, highlight=False, soft_wrap=True)

    def result(self, line: str) -> None:
        """Writes a line of the result to standard output.

        Raises:
          ReaderGoneError: if nobody reads it.
          EtudeError: if it is closed, or a full disk.
        """
        if not self._has_output:
            raise EtudeError("standard output is closed, so that the results cannot be shown; open it, or use > FILE")
        try:
            print(line.translate(_CONTROL_CHARACTERS), file=self._results, flush=True)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise EtudeError(f"cannot write to standard output: {error.strerror}") from error

    @property
    def is_terminal(self) -> bool:
        """Whether somebody is watching."""
        return self._messages.isatty()

    @contextlib.contextmanager
    def progress(self, title: str, as_percentage: bool = False) -> Iterator[Progress]:
        """Shows how far a task is, with the time that is left: a moving line on a terminal, else a line now and then.

        Args:
          title: what is being done.
          as_percentage: show the share that is done instead of counts that mean nothing to people.
        """
        title = title.translate(_CONTROL_CHARACTERS)
        if not self.is_terminal:
            yield _PlainProgress(self, title, as_percentage)
            return
        with _bar(self._messages, title, as_percentage) as (progress, self._live):
            try:
                yield progress
            finally:
                self._live = None

    def close(self, keep_log: bool) -> None:
        """Gives the file descriptors back, and removes the log unless it is to be kept."""
        _flush_standard_streams()
        for file, descriptor in ((self._results, 1), (self._messages, 2)):
            try:
                file.flush()
            except OSError:  # what is left cannot be shown
                with open(os.devnull, "w") as nowhere:
                    os.dup2(nowhere.fileno(), file.fileno())
            if not self._debug:
                os.dup2(file.fileno(), descriptor)
            file.close()
        if self.log is not None and not keep_log:
            self.log.unlink(missing_ok=True)

    def _open_log(self) -> int:
        """The descriptor of the log; of nothing, where no file can be made for it."""
        try:
            descriptor, name = tempfile.mkstemp(prefix="etude-", suffix=".log")
        except OSError:
            return os.open(os.devnull, os.O_WRONLY)
        self.log = pathlib.Path(name)
        return descriptor


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _open_closed_descriptors() -> None:
    """Opens those of 0, 1 and 2 that the caller closed, lest a file of ours get their number."""
    for descriptor in range(3):
        if not _is_open(descriptor):
            os.open(os.devnull, os.O_RDWR)


def _flush_standard_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()


class _PlainProgress:
    """Progress as lines of text."""

    def __init__(self, console: Console, title: str, as_percentage: bool) -> None:
        self._console = console
        self._title = title
        self._as_percentage = as_percentage
        self._start = time.monotonic()
        self._first_done: int | None = None
        self._shown = self._start + QUIET_SECONDS - SECONDS_BETWEEN_LINES

    def __call__(self, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if self._first_done is None:
            # Work that an earlier run did says nothing of the speed.
            self._first_done, self._start = done, now
            self._shown = max(self._shown, now + QUIET_SECONDS - SECONDS_BETWEEN_LINES)
        is_last = done >= total and now - self._start > QUIET_SECONDS
        if now - self._shown < SECONDS_BETWEEN_LINES and not is_last:
            return
        self._shown = now
        remaining = ""
        if self._first_done < done < total:
            seconds = (now - self._start) * (total - done) / (done - self._first_done)
            remaining = f", {duration(seconds)} left"
        self._console.say(
            f"{self._title}: {_state(done, total, self._as_percentage, ' of ')}{remaining}{', ' + note if note else ''}"
        )


@contextlib.contextmanager
def _bar(file: IO[str], title: str, as_percentage: bool) -> Iterator[tuple[Progress, Any]]:
    """A progress bar on a terminal, and what prints above it."""
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns: list[Any] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        # Empty until the task has said how much there is to do.
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    ]
    console = RichConsole(file=file)
    with RichProgress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, state="", note="")

        def progress(done: int, total: int, note: str = "") -> None:
            state = _state(done, total, as_percentage, "/")
            bar.update(task, completed=done, total=total, state=state, note=note.translate(_CONTROL_CHARACTERS))

        yield progress, console


def _state(done: int, total: int, as_percentage: bool, between: str) -> str:
    return f"{done / max(total, 1):.0%}" if as_percentage else f"{done:,}{between}{total:,}"


def duration(seconds: float) -> str:
    """A length of time for people: 0:42, 12:05, 3:10:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

"""What the user sees: messages, progress, results. Everything that libraries print goes to a log file instead."""

import contextlib
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

from etude.models.progress import Progress

QUIET_SECONDS = 2.0
"""Tasks that finish sooner show no progress."""

SECONDS_BETWEEN_LINES = 10.0
"""Where the output is no terminal, progress is a plain line now and then."""


class Console:
    """The user's standard output for results, and standard error for everything else.

    While it is open, file descriptors 1 and 2 lead to a log file, so that what libraries write there, in Python or in C++,
    does not mix with our own messages.
    """

    def __init__(self, debug: bool = False) -> None:
        """Opens the console.

        Args:
          debug: leave the libraries' output where it is.
        """
        self.log: pathlib.Path | None = None
        self._results: IO[str] = sys.stdout
        self._messages: IO[str] = sys.stderr
        if not debug:
            descriptor, name = tempfile.mkstemp(prefix="etude-", suffix=".log")
            self.log = pathlib.Path(name)
            sys.stdout.flush()
            sys.stderr.flush()
            self._results = os.fdopen(os.dup(1), "w", encoding="utf-8")
            self._messages = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.close(descriptor)

    def say(self, message: str) -> None:
        """Shows a message."""
        print(message, file=self._messages, flush=True)

    def result(self, line: str) -> None:
        """Writes a line of the result to standard output."""
        print(line, file=self._results, flush=True)

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
        if self.is_terminal:
            with _bar(self._messages, title, as_percentage) as progress:
                yield progress
        else:
            yield _PlainProgress(self, title, as_percentage)

    def close(self, keep_log: bool) -> None:
        """Gives the file descriptors back, and removes the log unless it is to be kept."""
        self._results.flush()
        self._messages.flush()
        if self.log is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(self._results.fileno(), 1)
            os.dup2(self._messages.fileno(), 2)
            if not keep_log:
                self.log.unlink(missing_ok=True)


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
        state = f"{done / max(total, 1):.0%}" if self._as_percentage else f"{done:,} of {total:,}"
        self._console.say(f"{self._title}: {state}{remaining}{', ' + note if note else ''}")


@contextlib.contextmanager
def _bar(file: IO[str], title: str, as_percentage: bool) -> Iterator[Progress]:
    """A progress bar on a terminal."""
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn() if as_percentage else MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    ]
    with RichProgress(*columns, console=RichConsole(file=file), transient=True) as bar:
        task = bar.add_task(title, total=None, note="")

        def progress(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield progress


def duration(seconds: float) -> str:
    """A length of time for people: 0:42, 12:05, 3:10:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

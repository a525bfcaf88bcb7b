"""Tasks in processes of their own, several at once. One that fails or dies does not keep the others from ending."""

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Protocol, TypeVar

from etude.models.errors import EtudeError
from etude.models.progress import Progress

Task = TypeVar("Task")
Function = Callable[[Task, Progress], None]
"""What is done to a task; it reaches the process by its name, so it stands at the top of a module."""

_SECONDS_TO_END = 10.0


class Listener(Protocol):
    """Hears how tasks fare, in the process that waits for them."""

    def moved(self, index: int, done: int, total: int, note: str) -> None:
        """Task `index` is so far."""

    def ended(self, index: int, error: str) -> None:
        """Task `index` has ended; `error` says what went wrong, and is empty where nothing did."""


def run_tasks(function: Function[Task], tasks: Sequence[Task], num_processes: int, listener: Listener) -> None:
    """Does all tasks, so many at once. A process does one after another, and a task that kills it ends with an error.

    The processes end with this one, however it ends: by an exception, by Ctrl-C, or killed.

    Args:
      function: does one task.
      tasks: in the order in which they are begun.
      num_processes: tasks at once.
      listener: called with everything.
    """
    upcoming = iter(enumerate(tasks))
    with contextlib.ExitStack() as stack:
        workers = [_Worker(function, stack) for _ in range(min(num_processes, len(tasks)))]
        busy = [worker for worker in workers if worker.begin(upcoming)]
        while busy:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                worker.hear(listener)
                if worker.index is None and not worker.begin(upcoming):
                    busy.remove(worker)


class _Worker(Generic[Task]):
    """A process and the task that it is at; a process that died is replaced when the next task begins."""

    def __init__(self, function: Function[Task], stack: contextlib.ExitStack) -> None:
        self._function = function
        self._process: Any = None
        self.connection: Connection[Any, Any]
        self.index: int | None = None
        stack.callback(self._end)

    def begin(self, upcoming: Iterator[tuple[int, Task]]) -> bool:
        """Begins the next task; false where none is left."""
        following = next(upcoming, None)
        if following is None:
            return False
        if self._process is None:
            self._start()
        self.index, task = following
        with contextlib.suppress(BrokenPipeError):  # it died while it waited; the next message says so
            self.connection.send(task)
        return True

    def hear(self, listener: Listener) -> None:
        """Takes one message."""
        assert self.index is not None
        try:
            kind, *content = self.connection.recv()
        except (EOFError, OSError):
            error = self._death()
            self._end()
            kind, content = "ended", [error]
        if kind == "moved":
            listener.moved(self.index, *content)
        else:
            index, self.index = self.index, None
            listener.ended(index, *content)

    def _start(self) -> None:
        # TensorFlow does not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._function), daemon=True)
        self._process.start()
        theirs.close()

    def _death(self) -> str:
        self._process.join(_SECONDS_TO_END)
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; the machine may have run out of memory" if -code == signal.SIGKILL else ""
            return f"its process was killed ({name}){hint}"
        return f"its process ended with status {code}"

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.join(_SECONDS_TO_END)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self.connection.close()
            self._process = None


def _work(connection: "Connection[Any, Any]", function: Function[Any]) -> None:
    """What a process does: one task after another, until it is ended."""
    # Ctrl-C reaches every process of a terminal; the one that waits for this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def progress(done: int, total: int, note: str = "") -> None:
        connection.send(("moved", done, total, note))

    while True:
        task = connection.recv()
        error = ""
        try:
            function(task, progress)
        except EtudeError as raised:
            error = str(raised)
        except Exception as raised:
            traceback.print_exc()
            error = f"{type(raised).__name__}: {raised}"
        connection.send(("ended", error))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)

"""Runs a pipeline with whatever runner the user wants, and says plainly what went wrong."""

import contextlib
import dataclasses
import io
import logging
import os
import pathlib
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from etude.models.errors import EtudeError, UsageError
from etude.models.progress import Progress, silent
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.running.lean_beam import no_console_log
from etude.pipelines.running.progress import UNCOUNTED, Tally

with no_console_log():
    import apache_beam as beam
    from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

Options = TypeVar("Options", bound=PipelineOptions)


class _Options(PipelineOptions):  # type: ignore[misc]
    """Beam's options, whose views are made once: Beam asks for them at every transform, and each parses all options."""

    def view_as(self, cls: type[Options]) -> Options:
        """The options as those of one kind."""
        views = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


_OWN_RUNNER = "FnApiRunner"
_THREAD = "pipeline"
_LIBRARIES = ("apache_beam", "grpc")
"""Whose threads go on when a pipeline is abandoned."""
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 3.0
"""Until a pipeline is given up that lost a worker: at its very end it may yet be done."""


@dataclasses.dataclass(frozen=True)
class Resources:
    """What a job may use, none of which changes its result.

    Attributes:
      workers: processes of this machine.
      beam_options: Beam's own options, if it is to run elsewhere than here.
      progress: called with how far the job is.
    """

    workers: int = 1
    beam_options: Sequence[str] = ()
    progress: Progress = silent

    def check(self) -> None:
        """Looks at the options before anything is written.

        Raises:
          UsageError: if Beam would not accept them.
        """
        if self.workers < 1:
            raise UsageError(f"--workers must be at least 1, not {self.workers}")
        with no_console_log():
            _pipeline_options(self.beam_options)

    def runner(self) -> str:
        """The name of the runner that the user chose; empty for this machine's own."""
        with no_console_log():
            name = _pipeline_options(self.beam_options).view_as(StandardOptions).runner or ""
        return "" if name == _OWN_RUNNER else name


@dataclasses.dataclass(frozen=True)
class Watch:
    """What tells how far a pipeline is.

    Attributes:
      note: what is being done.
      done: counts what is done.
      total: how much there is to do; 0 if that is not known yet.
    """

    note: str
    done: Tally = UNCOUNTED
    total: Callable[[], int] = lambda: 0


def run(build: Callable[[Any], None], resources: Resources, watch: Watch) -> None:
    """Runs a pipeline to its end.

    By default this happens in this process (workers=1) or in `workers` processes of Beam's FnApiRunner. Any Beam option
    may be given, another runner too.

    Args:
      build: adds the transforms to a pipeline.
      resources: what may be used.
      watch: what tells how far it is.

    Raises:
      EtudeError: what a transform raised, that a worker was lost, or that the runner does not work here.
    """
    resources.check()
    with no_console_log(), temporary_folder() as signs:
        options = _pipeline_options(resources.beam_options)
        pipeline = beam.Pipeline(runner=_runner(options, resources.workers, signs), options=options)
        build(pipeline)
        try:
            _run_watched(pipeline, pathlib.Path(signs), resources.progress, watch)
        except Exception as error:
            message = _own_message(error)
            runner = resources.runner()
            if message is None and runner:
                said = str(error) or type(error).__name__
                message = f"{runner} failed: {said}; see whether it runs another pipeline, or leave --runner away"
            if message is None:
                raise
            raise EtudeError(message) from error


def _run_watched(pipeline: Any, signs: pathlib.Path, progress: Progress, watch: Watch) -> None:
    """Runs a pipeline to its end, or until one of its workers is lost.

    Beam itself waits for ever for a worker process that was killed. It also takes an interrupt for a fault of whatever it
    was calling, so it runs in a thread of its own.

    Args:
      pipeline: the pipeline.
      signs: the folder where worker processes of this machine say that they work.
      progress: called with how far it is.
      watch: what tells how far it is.
    """
    outcome: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run_to_end() -> None:
        try:
            pipeline.run().wait_until_finish()
            outcome.put(None)
        except BaseException as error:
            outcome.put(error)

    threading.Thread(target=run_to_end, name=_THREAD, daemon=True).start()
    reported = (-1, -1)
    try:
        while True:
            state = (watch.done.count(), watch.total())
            if state != reported:
                progress(*state, watch.note)
                reported = state
            lost = _lost_worker(signs)
            with contextlib.suppress(queue.Empty):
                error = outcome.get(timeout=_GRACE_SECONDS if lost else _POLL_SECONDS)
                if error is None:
                    return
                if not lost:
                    raise error
            if lost:
                _silence()
                raise EtudeError(
                    "a worker process was killed, perhaps for want of memory; run the same command again, with fewer "
                    "--workers if need be"
                )
    except KeyboardInterrupt:
        _silence()
        _end_workers(signs)
        raise


def _silence() -> None:
    """For what the abandoned thread, and those that wait for ended workers, have to say, by logging or by failing."""
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    report = threading.excepthook

    def report_others(failure: threading.ExceptHookArgs) -> None:
        frames = (frame for frame, _ in traceback.walk_tb(failure.exc_traceback))
        if not any(frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES for frame in frames):
            report(failure)

    threading.excepthook = report_others


def _lost_worker(signs: pathlib.Path) -> bool:
    """Whether a worker process is gone that did not say so; then the others are ended too."""
    working = [int(path.name) for path in signs.iterdir()]
    alive = {pid for pid in working if _is_alive(pid)}
    # Its sign goes before a worker ends by itself.
    if not any(pid not in alive and (signs / str(pid)).exists() for pid in working):
        return False
    _end_workers(signs)
    return True


def _end_workers(signs: pathlib.Path) -> None:
    for path in signs.iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(path.name), signal.SIGTERM)


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":  # where asking would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _pipeline_options(beam_options: Sequence[str]) -> Any:
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            options = _Options(list(beam_options))
            runner = options.view_as(StandardOptions).runner or ""
            known = options.get_all_options().keys()
            unknown = options.get_all_options(retain_unknown_options=True).keys() - known
    except SystemExit as error:
        reason = complaint.getvalue().strip().rpartition("error: ")[2]
        raise UsageError(f"Beam does not accept the options {' '.join(beam_options)}: {reason}") from error
    # The job servers of portable runners have options of their own.
    if unknown and not runner:
        raise UsageError(f"Beam has no option {', '.join(f'--{name}' for name in sorted(unknown))}")
    if "dask" in runner.lower():
        raise UsageError(
            f"{runner} silently loses data and writes records to the wrong files; "
            "leave --runner away, or use FlinkRunner, SparkRunner or DataflowRunner"
        )
    return options


def _runner(options: Any, workers: int, signs: str) -> Any:
    """The user's runner, or FnApiRunner with as many processes as asked for."""
    standard = options.view_as(StandardOptions)
    if standard.runner not in (None, _OWN_RUNNER):
        return standard.runner
    direct = options.view_as(DirectOptions)
    if workers == 1 or (direct.direct_running_mode or "in_memory") != "in_memory":
        return FnApiRunner()
    direct.direct_num_workers = workers
    command = [sys.executable, "-P", str(pathlib.Path(__file__).with_name("worker.py")), signs]
    # Beam hands the command to a shell, which would report how a worker ended.
    line = subprocess.list2cmdline(command) if sys.platform == "win32" else f"exec {shlex.join(command)}"
    return FnApiRunner(default_environment=SubprocessSDKEnvironment.from_command_string(line))


def _own_message(error: BaseException) -> str | None:
    """The message of the EtudeError that Beam wrapped; from another process only its text arrives."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, EtudeError):
            # Beam appends where it happened.
            return str(cause).partition(" [while running ")[0]
        cause = cause.__cause__
    match = re.search(r"models\.errors\.\w+: (.*?)(?: \[while running |\\n|$)", str(error), re.MULTILINE)
    return match[1] if match else None

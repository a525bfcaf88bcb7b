"""The only module that knows Beam: it maps a function over slices with whatever runner the user wants."""

import contextlib
import dataclasses
import io
import logging
import os
import pathlib
import pickle
import queue
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from etude.models.errors import EtudeError, UsageError


@contextlib.contextmanager
def _no_console_log() -> Iterator[None]:
    """Keeps Beam, which logs through the root logger, from printing; handlers that the caller installed still hear it."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


with _no_console_log():
    import apache_beam as beam
    from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 3.0
"""Until a pipeline is given up that lost a worker: at its very end it may yet be done."""

SliceFunction = Callable[[Any], Mapping[str, int]]
"""Works on one slice, writes its shards, and returns what it counted."""


class _Process(beam.DoFn):  # type: ignore[misc]
    """Calls a function on each packed slice and counts what it returns."""

    def __init__(self, function: SliceFunction) -> None:
        self._function = function

    def process(self, element: bytes) -> Iterator[int]:
        part = _unpack(element)
        for name, count in self._function(part).items():
            beam.metrics.Metrics.counter("etude", name).inc(count)
        yield part.index


def _pack(part: Any) -> bytes:
    """A slice as few bytes. Beam keeps all of its input in memory, several times over, so that size matters there."""
    return zlib.compress(pickle.dumps(part))


def _unpack(packed: bytes) -> Any:
    """The slice again, in the worker that has its turn."""
    return pickle.loads(zlib.decompress(packed))


@dataclasses.dataclass
class ProcessSlices(beam.PTransform):  # type: ignore[misc]
    """Packed slices in, the numbers of the finished ones out; the results are files.

    Attributes:
      function: does the work; it has to be picklable.
      spread: whether there are several workers. Slices must then not stay fused with their source, or one worker would
        get them all.
    """

    function: SliceFunction
    spread: bool = True

    def expand(self, pcollection: Any) -> Any:
        """Spreads the slices over the workers and processes each."""
        spread = pcollection | beam.Reshuffle() if self.spread else pcollection
        return spread | beam.ParDo(_Process(self.function))


def run_slices(
    function: SliceFunction, slices: Sequence[Any], workers: int = 1, beam_options: Sequence[str] = ()
) -> dict[str, int]:
    """Calls `function` on every slice.

    By default this happens in this process (workers=1) or in `workers` processes of Beam's FnApiRunner. Any Beam option
    may be given, another runner too: it needs the inputs and the output folder on a file system that its workers share.

    Args:
      function: does the work; picklable, for it may travel to other processes.
      slices: objects with an `index`.
      workers: processes.
      beam_options: Beam's own options, such as `--runner=FlinkRunner`.

    Returns:
      The counters, summed over all slices (on runners that report metrics).

    Raises:
      EtudeError: what `function` raised, or that the runner does not work here.
    """
    if not slices:
        return {}
    with _no_console_log(), tempfile.TemporaryDirectory(prefix="etude-") as signs:
        options = _pipeline_options(beam_options)
        spread = workers > 1 or bool(beam_options)
        pipeline = beam.Pipeline(runner=_runner(options, workers, signs), options=options)
        pipeline | beam.Create(list(map(_pack, slices)), reshuffle=False) | "Process" >> ProcessSlices(function, spread)
        try:
            result = _run_watched(pipeline, pathlib.Path(signs)) if workers > 1 else _run(pipeline)
        except Exception as error:
            message = _own_message(error)
            if message is None:
                raise
            raise EtudeError(message) from error
        return _counters(result)


def _run(pipeline: Any) -> Any:
    """Runs a pipeline to its end."""
    result = pipeline.run()
    result.wait_until_finish()
    return result


def _run_watched(pipeline: Any, signs: pathlib.Path) -> Any:
    """Runs a pipeline to its end, or until one of its workers is lost.

    Beam itself waits for ever for a worker process that was killed.

    Args:
      pipeline: the pipeline.
      signs: the folder where worker processes of this machine say that they work.
    """
    outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(_run(pipeline))
        except BaseException as error:
            outcome.put(error)

    thread = threading.Thread(target=run, name="pipeline", daemon=True)
    thread.start()
    while True:
        lost = _lost_worker(signs)
        try:
            result = outcome.get(timeout=_GRACE_SECONDS if lost else _POLL_SECONDS)
        except queue.Empty:
            if not lost:
                continue
            result = None
        if lost and (result is None or isinstance(result, BaseException)):
            logging.getLogger().addHandler(logging.NullHandler())  # for what the abandoned thread has to say
            raise EtudeError(
                "a worker process was killed, perhaps for want of memory; run the same command again, with fewer "
                "--workers if need be: it goes on where it was"
            )
        if isinstance(result, BaseException):
            raise result
        return result


def _lost_worker(signs: pathlib.Path) -> bool:
    """Whether a worker process is gone that did not say so; then the others are ended too."""
    working = [int(path.name) for path in signs.iterdir()]
    alive = {pid for pid in working if _is_alive(pid)}
    # Its sign goes before a worker ends by itself.
    if not any(pid not in alive and (signs / str(pid)).exists() for pid in working):
        return False
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    return True


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
            options = PipelineOptions(list(beam_options))
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
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, not {workers}")
    standard = options.view_as(StandardOptions)
    if standard.runner not in (None, "FnApiRunner"):
        return standard.runner
    direct = options.view_as(DirectOptions)
    if workers == 1 or (direct.direct_running_mode or "in_memory") != "in_memory":
        return FnApiRunner()
    direct.direct_num_workers = workers
    command = [sys.executable, "-P", str(pathlib.Path(__file__).with_name("beam_worker.py")), signs]
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


def _counters(result: Any) -> dict[str, int]:
    try:
        counters = result.metrics().query()["counters"]
    except (AttributeError, NotImplementedError):
        return {}
    return {counter.key.metric.name: counter.result for counter in counters if counter.key.metric.namespace == "etude"}

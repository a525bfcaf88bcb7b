"""A job writes one output folder: it can be killed and resumed, and refuses to mix with another job.

`.etude-job.json` says which job the folder belongs to and stays. `.etude-work/` holds what the job needs until it is
done: the results of each slice, intermediate shards, the lock. The file that the job writes last, the marker, says that
the folder is complete.
"""

import contextlib
import dataclasses
import fnmatch
import hashlib
import importlib.metadata
import itertools
import json
import os
import pathlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from etude.models.errors import EtudeError
from etude.models.progress import Progress, silent
from etude.models.storage.files import remove_partial_files, write_text
from etude.pipelines.sources.remote_files import is_remote

JOB_FILE = ".etude-job.json"
WORK_FOLDER = ".etude-work"
_PRODUCTS = (
    "notes-*.tfrecord",
    "train-*.tfrecord",
    "eval-*.tfrecord",
    "test-*.tfrecord",
    "*_melodies.tfrecord",
    "summary.json",
    "dataset.json",
)
"""Names of the files that jobs write, without their reports, which may stay when another job moves in."""
_POLL_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Job:
    """What is to be written where.

    Attributes:
      command: the command, for messages.
      output: the folder.
      marker: the name of the file that is written last: JSON that lists the record files under `files`.
      fingerprint: what tells it from other jobs.
    """

    command: str
    output: pathlib.Path
    marker: str
    fingerprint: str

    @property
    def work(self) -> pathlib.Path:
        """The hidden folder that exists until the job is complete."""
        return self.output / WORK_FOLDER

    def result_path(self, phase: str, index: int) -> pathlib.Path:
        """Where a slice's result is kept; it exists once the slice is finished."""
        return self.work / phase / f"{index:05d}.json"


def make_job(command: str, output: pathlib.Path | str, marker: str, inputs: Iterable[Any]) -> Job:
    """A job that is told from others by its inputs, and by the version of Etude.

    Args:
      command: the command.
      output: the folder.
      marker: the name of the file that is written last.
      inputs: everything that the result depends on, as JSON values.

    Raises:
      EtudeError: if the output is not on disk.
    """
    if is_remote(str(output)):
        raise EtudeError(
            f"cannot write to {output}: only sources may be remote; give a folder on disk, which may be a mounted bucket"
        )
    digest = hashlib.sha256()
    for value in itertools.chain([command, version()], inputs):
        digest.update(json.dumps(value, sort_keys=True).encode() + b"\n")
    # Workers may run in another folder.
    return Job(command, pathlib.Path(output).absolute(), marker, digest.hexdigest())


@contextlib.contextmanager
def claim(job: Job, overwrite: bool = False) -> Iterator[bool]:
    """Takes hold of a job's output folder while the job is worked on.

    Args:
      job: the job.
      overwrite: whether files of another job in the folder are to be removed.

    Yields:
      True if the folder is complete already and there is nothing to do.

    Raises:
      EtudeError: if the folder cannot be written to, belongs to another job, or is being written by another process.
    """
    if job.output.exists() and not job.output.is_dir():
        raise EtudeError(f"{job.output} is a file; --output has to be a folder")
    if not overwrite:
        _check_same_job(job)
    if _is_complete(job):
        # A job that was killed after its last file leaves the work folder behind.
        _remove_work(job)
        yield True
        return
    _make_work(job)
    with _locked(job):
        if overwrite and not _belongs_to(job):
            _remove_products(job)
        _check_same_job(job)
        was_free = not _products(job)
        (job.output / job.marker).unlink(missing_ok=True)
        remove_partial_files(job.output)
        write_text(job.output / JOB_FILE, json.dumps({"command": job.command, "fingerprint": job.fingerprint}) + "\n")
        try:
            yield False
        except BaseException:
            if was_free and not any(job.work.glob("*/*.json")):
                # Nothing is done that could be resumed: leave no trace.
                give_up(job)
            raise
    _remove_work(job)


def give_up(job: Job) -> None:
    """Frees the folder of a job that cannot succeed, for another try; the reports stay, to be read."""
    _remove_products(job)
    _remove_work(job)
    with contextlib.suppress(OSError):
        job.output.rmdir()  # if nothing is left in it


def version() -> str:
    """The version of Etude, which finished folders carry."""
    try:
        return importlib.metadata.version("etude")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"


def write_result(path: pathlib.Path, result: Any) -> None:
    """Writes a slice's result, which also says that the slice is finished."""
    write_text(path, json.dumps(result, ensure_ascii=False) + "\n")


def read_result(path: pathlib.Path) -> Any:
    """Reads what `write_result` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


@dataclasses.dataclass(frozen=True)
class Resources:
    """What a job may use, none of which changes its result.

    Attributes:
      workers: processes.
      beam_options: Beam's own options, if it is to run elsewhere than here.
      progress: called with the count of finished slices.
    """

    workers: int = 1
    beam_options: Sequence[str] = ()
    progress: Progress = silent


def run_phase(
    job: Job,
    phase: str,
    function: Callable[[Any], Mapping[str, int]],
    slices: Sequence[Any],
    shards: Sequence[str],
    resources: Resources,
    note: str,
) -> None:
    """Calls a function on every slice that is not finished yet.

    Args:
      job: the job.
      phase: the name of the phase.
      function: works on one slice; it writes the slice's shards, then its result.
      slices: all slices.
      shards: the outputs of which each finished slice has a shard in the output folder.
      resources: what may be used.
      note: what the user is told is going on.

    Raises:
      EtudeError: what `function` raised, or that Beam cannot run.
    """
    todo = [
        piece
        for piece in slices
        if not job.result_path(phase, piece.index).exists()
        or not all((job.output / piece.shard(name)).exists() for name in shards)
    ]
    for piece in todo:
        job.result_path(phase, piece.index).unlink(missing_ok=True)
    with _watched(job.work / phase, len(slices), resources.progress, note):
        if todo:
            # Beam takes seconds to import.
            from etude.pipelines.jobs.beam_runner import run_slices

            run_slices(function, todo, resources.workers, resources.beam_options)


@contextlib.contextmanager
def _watched(folder: pathlib.Path, total: int, progress: Progress, note: str) -> Iterator[None]:
    """Reports how many slices are finished while the block runs, whatever process works on them."""
    stop = threading.Event()

    def report() -> None:
        finished = sum(1 for _ in folder.glob("[0-9]*.json")) if folder.is_dir() else 0
        progress(finished, total, note)

    def watch() -> None:
        while not stop.wait(_POLL_SECONDS):
            report()

    report()
    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    report()


def _make_work(job: Job) -> None:
    """Makes the work folder, which also shows that the output can be written: Beam would bury the error."""
    try:
        job.work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EtudeError(f"cannot write to {job.output}: {error.strerror}; choose another --output") from error
    write_text(job.work / "writable", "")


@contextlib.contextmanager
def _locked(job: Job) -> Iterator[None]:
    """Keeps other processes out; the system frees the lock when this process ends, however it ends."""
    with (job.work / "lock").open("wb") as file:
        if not _lock(file):
            raise EtudeError(f"another process is writing {job.output}; wait for it, or choose another --output")
        yield


def _lock(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks
        return True
    return True


def _belongs_to(job: Job) -> bool:
    try:
        known = json.loads((job.output / JOB_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and known.get("fingerprint") == job.fingerprint


def _check_same_job(job: Job) -> None:
    if _belongs_to(job):
        return
    if job.output.exists() and ((job.output / JOB_FILE).exists() or _products(job)):
        raise EtudeError(
            f"{job.output} holds the results of another job (other sources or options); "
            "choose another --output, or replace them with --overwrite"
        )


def _is_complete(job: Job) -> bool:
    """Whether the folder is this job's, with its marker and every file that the marker lists."""
    if not _belongs_to(job):
        return False
    try:
        listed = _listed_files(json.loads((job.output / job.marker).read_text(encoding="utf-8")))
        return all((job.output / name).exists() for name in listed)
    except (OSError, ValueError):
        return False


def _listed_files(value: Any) -> list[str]:
    if isinstance(value, dict):
        nested = [_listed_files(entry) for key, entry in value.items() if key != "files"]
        return [*value.get("files", []), *itertools.chain.from_iterable(nested)]
    return list(itertools.chain.from_iterable(map(_listed_files, value))) if isinstance(value, list) else []


def _products(job: Job) -> list[pathlib.Path]:
    names = sorted(os.listdir(job.output))
    return [job.output / name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in _PRODUCTS)]


def _remove_products(job: Job) -> None:
    # Markers go first: a folder whose removal is interrupted must not look complete.
    for path in sorted(_products(job), key=lambda path: path.suffix != ".json"):
        path.unlink(missing_ok=True)
    (job.output / JOB_FILE).unlink(missing_ok=True)
    for path in job.work.glob("*/"):
        shutil.rmtree(path, ignore_errors=True)


def _remove_work(job: Job) -> None:
    shutil.rmtree(job.work, ignore_errors=True)

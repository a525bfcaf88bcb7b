"""The folder that a job writes: claimed, started afresh or found finished, and complete only with its description.

The description is the file that is written last. `.etude-job.json` beside it says what it was made of; while a job is at
work it says nothing of that. `.etude-work/` holds the lock and what is not finished.
"""

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import itertools
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterable, Iterator
from typing import IO, Any

from etude.models.errors import EtudeError
from etude.models.storage.files import remove_partial_files
from etude.pipelines.files import file_systems

JOB_FILE = ".etude-job.json"
WORK_FOLDER = ".etude-work"
_PRODUCTS = re.compile(
    r"(notes|texts|train|eval|test)-.*\.tfrecord|.*_melodies\.tfrecord|summary\.json|dataset\.json|manifest\.jsonl|rejected\.jsonl"
)
"""Names of the files that jobs write."""
_REPORTS = ("manifest.jsonl", "rejected.jsonl")
"""Those that may stay when another job moves in."""
_MAX_JSON = 1 << 26


def fingerprint(command: str, inputs: Iterable[Any]) -> str:
    """What tells a job from others: its inputs, as JSON values, and the version of Etude."""
    digest = hashlib.sha256()
    for value in itertools.chain([command, version()], inputs):
        digest.update(json.dumps(value, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def version() -> str:
    """The version of Etude, which finished folders carry."""
    try:
        return importlib.metadata.version("etude")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"


@dataclasses.dataclass(frozen=True)
class OutputFolder:
    """A folder that a job writes, on any file system.

    Attributes:
      path: its path or address.
      description: the name of the file that is written last: JSON that lists the record files under `files`.
    """

    path: str
    description: str

    @classmethod
    def of(cls, path: pathlib.Path | str, description: str) -> "OutputFolder":
        """A folder under a path that holds for every process of this machine."""
        text = str(path)
        return cls(text.rstrip("/") if file_systems.is_remote(text) else os.path.abspath(text), description)

    def join(self, name: str) -> str:
        """The path of a file in it."""
        return file_systems.join(self.path, name)

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Takes hold of the folder. A folder on disk is locked; one elsewhere cannot be.

        Raises:
          EtudeError: if it cannot be written to, or another process is writing it.
        """
        if file_systems.is_remote(self.path):
            yield
            self._remove_work()
            return
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise EtudeError(f"{self.path} is a file; --output has to be a folder")
        was_there = os.path.isdir(self.path)
        work = pathlib.Path(self.path, WORK_FOLDER)
        try:
            work.mkdir(parents=True, exist_ok=True)
            lock = (work / "lock").open("wb")
        except OSError as error:
            raise EtudeError(f"cannot write to {self.path}: {error.strerror}; choose another --output") from error
        with lock:
            if not _lock(lock):
                raise EtudeError(f"another process is writing {self.path}; wait for it, or choose another --output")
            try:
                yield
            finally:
                self._remove_work()
                if not was_there:
                    with contextlib.suppress(OSError):
                        os.rmdir(self.path)  # if nothing is left in it

    def made_of(self) -> str | None:
        """The fingerprint of the job that finished the folder; None if none did."""
        if not file_systems.exists(self.join(self.description)):
            return None
        made_of = self._json(JOB_FILE).get("fingerprint")
        return made_of if isinstance(made_of, str) else ""

    def is_complete(self) -> bool:
        """Whether it has its description and every file that this lists."""
        listed = listed_files(self._json(self.description))
        return bool(listed) and all(file_systems.exists(self.join(name)) for name in listed)

    def check_free(self, overwrite: bool, fingerprint: str = "") -> None:
        """Makes sure that no other job's results are lost.

        Raises:
          EtudeError: if they would be.
        """
        if overwrite:
            return
        made_of = self.made_of()
        if made_of is None:
            taken = not file_systems.exists(self.join(JOB_FILE)) and any(
                name not in _REPORTS for name in self._products()
            )
        else:
            taken = made_of != fingerprint
        if taken:
            raise EtudeError(
                f"{self.path} holds the results of another job (other sources or options); "
                "choose another --output, or replace them with --overwrite"
            )

    def start(self) -> None:
        """Makes it a folder that holds nothing finished: the old description goes first."""
        file_systems.delete(self.join(self.description))
        self.give_up()
        for name in _REPORTS:
            file_systems.delete(self.join(name))
        file_systems.write(self.join(JOB_FILE), b"{}\n")

    def finish(self, fingerprint: str, description: bytes) -> None:
        """Says what it was made of and, last, what it holds."""
        file_systems.write(self.join(JOB_FILE), json.dumps({"fingerprint": fingerprint}).encode() + b"\n")
        file_systems.write(self.join(self.description), description)

    def give_up(self) -> None:
        """Frees it for another try; the reports stay, to be read."""
        for name in self._products():
            if name not in _REPORTS:
                file_systems.delete(self.join(name))
        file_systems.delete(self.join(JOB_FILE))
        if not file_systems.is_remote(self.path):
            remove_partial_files(self.path)

    def _json(self, name: str) -> dict[str, Any]:
        try:
            with file_systems.open_to_read(self.join(name)) as file:
                value = json.loads(file.read(_MAX_JSON))
        except (OSError, ValueError, EtudeError):
            return {}
        return value if isinstance(value, dict) else {}

    def _products(self) -> list[str]:
        if file_systems.is_remote(self.path):
            names = [found.path.rpartition("/")[2] for found in file_systems.match(self.join("*"))]
        else:
            names = os.listdir(self.path) if os.path.isdir(self.path) else []
        # Descriptions go first: a folder whose removal is interrupted must not look complete.
        return sorted(filter(_PRODUCTS.fullmatch, names), key=lambda name: (not name.endswith(".json"), name))

    def _remove_work(self) -> None:
        if not file_systems.is_remote(self.path):
            shutil.rmtree(self.join(WORK_FOLDER), ignore_errors=True)
            return
        for found in file_systems.match(self.join(f"{WORK_FOLDER}/**")):
            file_systems.delete(found.path)


def listed_files(description: Any) -> list[str]:
    """The record files that a description lists under `files`, at any depth."""
    if isinstance(description, dict):
        listed = [name for name in description.get("files", []) if isinstance(name, str)]
        nested = (listed_files(value) for key, value in description.items() if key != "files")
        return [*listed, *itertools.chain.from_iterable(nested)]
    return list(itertools.chain.from_iterable(map(listed_files, description))) if isinstance(description, list) else []


def _lock(file: IO[bytes]) -> bool:
    """Keeps other processes out; the system frees the lock when this process ends, however it ends."""
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

"""What `etude dataset` is given, expanded to a list of NoteSequence files."""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

from etude.models.errors import EtudeError
from etude.pipelines.jobs.job import JOB_FILE

PATTERN = "*.tfrecord*"


@dataclasses.dataclass(frozen=True)
class NoteFile:
    """A TFRecord file of NoteSequences.

    Attributes:
      path: where it is.
      size: bytes.
      modified: when it was changed, in nanoseconds.
    """

    path: str
    size: int
    modified: int

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return os.path.basename(self.path)


def expand_note_files(arguments: Sequence[str | pathlib.Path]) -> list[NoteFile]:
    """Finds the NoteSequence files that the arguments stand for.

    Args:
      arguments: TFRecord files, and folders that `etude convert` wrote or that hold such files.

    Returns:
      The files, each once, in the order of the arguments and, within a folder, of their names.

    Raises:
      EtudeError: if an argument is missing, a folder is unfinished or holds no such file.
    """
    found: dict[str, NoteFile] = {}
    for argument in map(pathlib.Path, arguments):
        if not argument.exists():
            raise EtudeError(
                f"{argument} does not exist; give the folder that 'etude convert SOURCE --output {argument}' writes"
            )
        for path in _files(argument) if argument.is_dir() else [argument]:
            status = path.stat()
            found.setdefault(
                os.path.realpath(path), NoteFile(os.path.abspath(path), status.st_size, status.st_mtime_ns)
            )
    if not found:
        raise EtudeError("no NoteSequences were given; make some with 'etude convert SOURCE --output NOTES'")
    return list(found.values())


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    if (folder / "dataset.json").exists():
        raise EtudeError(f"{folder} is a dataset already; give the folder that 'etude convert' wrote")
    if (folder / JOB_FILE).exists() and not (folder / "summary.json").exists():
        raise EtudeError(f"{folder} is not finished; run its 'etude convert' command again, it goes on where it was")
    paths = sorted(path for path in folder.glob(PATTERN) if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise EtudeError(f"{folder} holds no {PATTERN} files; make some with 'etude convert SOURCE --output {folder}'")
    return paths

"""What `etude dataset` is given, expanded to a list of NoteSequence files."""

import json
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from etude.models.errors import EtudeError
from etude.pipelines.files import file_systems
from etude.pipelines.files.file_systems import FoundFile
from etude.pipelines.files.output_folder import JOB_FILE

PATTERN = "*.tfrecord*"
SUMMARY = "summary.json"
_MAX_BYTES = 1 << 28


class NoteFile(NamedTuple):
    """A TFRecord file of NoteSequences.

    Attributes:
      path: its path or address.
      texts: the file with what some of them were written as, in the same order; empty if there is none.
      size: bytes of both.
      modified: when it was changed, in nanoseconds.
    """

    path: str
    texts: str = ""
    size: int = 0
    modified: int = 0

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return self.path.replace("\\", "/").rpartition("/")[2]


class NoteFiles(NamedTuple):
    """The files of a job.

    Attributes:
      files: each once.
      are_named_apart: whether the names of all pieces are known to differ, as those of one conversion do.
    """

    files: list[NoteFile]
    are_named_apart: bool


def expand_note_files(arguments: Sequence[str | pathlib.Path]) -> NoteFiles:
    """Finds the NoteSequence files that the arguments stand for.

    Args:
      arguments: TFRecord files, and folders that `etude convert` wrote or that hold such files, on any file system.

    Returns:
      The files, in the order of the arguments and, within a folder, of their names.

    Raises:
      EtudeError: if an argument is missing, a folder is unfinished, has lost a file or holds no such file.
    """
    found: dict[str, NoteFile] = {}
    num_conversions = num_others = 0
    for argument in map(str, arguments):
        files, is_conversion = _remote_files(argument) if file_systems.is_remote(argument) else _local_files(argument)
        num_conversions += is_conversion
        num_others += not is_conversion
        for file in files:
            place = file.path if file_systems.is_remote(file.path) else os.path.realpath(file.path)
            found.setdefault(place, file)
    if not found:
        raise EtudeError("no NoteSequences were given; make some with 'etude convert SOURCE --output NOTES'")
    return NoteFiles(list(found.values()), num_conversions == 1 and not num_others)


def _local_files(argument: str) -> tuple[list[NoteFile], bool]:
    if not os.path.exists(argument):
        raise EtudeError(
            f"{argument} does not exist; give the folder that 'etude convert SOURCE --output {argument}' writes"
        )
    if not os.path.isdir(argument):
        return [_local_file(argument)], False
    names = os.listdir(argument)
    listed = _listed(argument, names)
    if listed is not None:
        missing = sorted(set(listed).union(listed.values()) - {"", *names})
        if missing:
            raise _lost(argument, missing)
        return [
            _local_file(os.path.join(argument, name), os.path.join(argument, texts) if texts else "")
            for name, texts in sorted(listed.items())
        ], True
    folder = pathlib.Path(argument)
    paths = sorted(path for path in folder.glob(PATTERN) if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise _nothing_in(argument)
    return [_local_file(str(path)) for path in paths], False


def _local_file(path: str, texts: str = "") -> NoteFile:
    status = os.stat(path)
    size = status.st_size + (os.stat(texts).st_size if texts else 0)
    return NoteFile(os.path.abspath(path), os.path.abspath(texts) if texts else "", size, status.st_mtime_ns)


def _remote_files(argument: str) -> tuple[list[NoteFile], bool]:
    if "tfrecord" in argument.rpartition("/")[2]:
        matches = file_systems.match(argument)
        if not matches:
            raise EtudeError(f"{argument} does not exist; give the folder that 'etude convert SOURCE' wrote")
        return [NoteFile(found.path, "", found.size, found.modified) for found in matches], False
    folder = argument.rstrip("/")
    matches = file_systems.match(f"{folder}/*")
    by_name: dict[str, FoundFile] = {found.path.rpartition("/")[2]: found for found in matches}
    listed = _listed(folder, by_name)
    if listed is not None:
        missing = sorted(set(listed).union(listed.values()) - {"", *by_name})
        if missing:
            raise _lost(argument, missing)
        return [
            NoteFile(
                by_name[name].path,
                by_name[texts].path if texts else "",
                by_name[name].size + (by_name[texts].size if texts else 0),
                by_name[name].modified,
            )
            for name, texts in sorted(listed.items())
        ], True
    names = sorted(name for name in by_name if ".tfrecord" in name and not name.startswith("."))
    if not names:
        raise _nothing_in(argument)
    return [NoteFile(by_name[name].path, "", by_name[name].size, by_name[name].modified) for name in names], False


def _listed(folder: str, names: Sequence[str] | dict[str, FoundFile]) -> dict[str, str] | None:
    """The files of NoteSequences that the folder's summary lists, with those of their texts; None without a summary."""
    if "dataset.json" in names:
        raise EtudeError(f"{folder} is a dataset already; give the folder that 'etude convert' wrote")
    if SUMMARY not in names:
        if JOB_FILE in names:
            raise EtudeError(f"{folder} is not finished; run its 'etude convert' command again")
        return None
    try:
        summary = json.loads(file_systems.read(file_systems.join(folder, SUMMARY), _MAX_BYTES))
        texts = set(map(str, summary.get("texts", [])))
        return {str(name): _texts_of(str(name), texts) for name in summary["files"]}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise EtudeError(f"{folder}/{SUMMARY} is damaged: {error}; run the 'etude convert' command again") from error


def _texts_of(name: str, texts: set[str]) -> str:
    same = name.replace("notes-", "texts-", 1)
    return same if same in texts else ""


def _lost(folder: str, missing: Sequence[str]) -> EtudeError:
    return EtudeError(f"{folder} has lost {', '.join(missing)}; run its 'etude convert' command again")


def _nothing_in(folder: str) -> EtudeError:
    return EtudeError(f"{folder} holds no {PATTERN} files; make some with 'etude convert SOURCE --output {folder}'")

"""Files by path or address: on disk, and wherever Beam has a file system (gs://, s3://, hdfs:// and others)."""

import importlib.util
import os
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any, NamedTuple

from etude.models.errors import EtudeError
from etude.models.storage.files import explain_write_errors, write_whole

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""One slash suffices, as pathlib leaves no more; a drive of Windows has but one letter."""
_BLOCK = 1 << 20
_EXTRAS = {"gs": ("google.cloud.storage", "gcp"), "s3": ("boto3", "aws"), "azfs": ("azure.storage.blob", "azure")}
"""What Beam's file systems need, and the extra that brings it."""


class FoundFile(NamedTuple):
    """A file and what tells its versions apart.

    Attributes:
      path: its full address.
      size: bytes.
      modified: when it was changed, in nanoseconds; 0 where the file system does not say.
    """

    path: str
    size: int
    modified: int


def is_remote(path: str | pathlib.Path) -> bool:
    """Whether this is the address of a remote file or folder: SCHEME://..."""
    return _ADDRESS.match(str(path)) is not None


def set_options(beam_options: Sequence[str]) -> None:
    """Gives Beam's own options to its file systems, as some need keys or regions; workers get them from Beam."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(beam_options)))


def match(pattern: str) -> list[FoundFile]:
    """Finds files by address: `*` stands for any characters of a name, `**` also for folders.

    Returns:
      What was found, sorted by address.

    Raises:
      EtudeError: if there is no such file system, or it does not answer.
    """
    _check_extra(pattern)
    try:
        (result,) = _file_systems().match([pattern])
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(f"{pattern} cannot be listed: {error}; check the address and your access") from error
    found = {
        entry.path: FoundFile(entry.path, entry.size_in_bytes, int((entry.last_updated_in_seconds or 0) * 1e9))
        for entry in result.metadata_list
    }
    return [found[path] for path in sorted(found)]


def join(folder: str | pathlib.Path, name: str) -> str:
    """The path of a file in a folder."""
    return f"{str(folder).rstrip('/')}/{name}" if is_remote(folder) else os.path.join(folder, name)


def exists(path: str) -> bool:
    """Whether there is such a file."""
    if not is_remote(path):
        return os.path.exists(path)
    _check_extra(path)
    try:
        return bool(_file_systems().exists(path))
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(f"{path} cannot be looked up: {error}; check the address and your access") from error


def open_to_read(path: str) -> IO[bytes]:
    """Opens a file as it is, compressed or not.

    Raises:
      OSError: if it is on disk and cannot be opened.
      EtudeError: if it is elsewhere and cannot be opened.
    """
    if not is_remote(path):
        return open(path, "rb")
    _check_extra(path)
    from apache_beam.io.filesystem import CompressionTypes

    try:
        file: IO[bytes] = _file_systems().open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(f"{path} cannot be read: {error}") from error
    return file


def write(path: str, data: bytes) -> None:
    """Writes a file, whole or not at all where the file system can do that.

    Raises:
      EtudeError: if it cannot be written.
    """
    if not is_remote(path):
        with write_whole(path) as file:
            file.write(data)
        return
    with open_to_write(path) as file:
        file.write(data)


def open_to_write(path: str) -> IO[bytes]:
    """Opens a new file.

    Raises:
      EtudeError: if it cannot be written.
    """
    if not is_remote(path):
        with explain_write_errors(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return open(path, "wb")
    _check_extra(path)
    from apache_beam.io.filesystem import CompressionTypes

    try:
        file: IO[bytes] = _file_systems().create(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(f"{path} cannot be written: {error}; check the address and your access") from error
    return file


def move(source: str, target: str) -> None:
    """Gives a file another name, in place of a file that has it. Doing it twice does no harm.

    On object stores this is a copy and a removal, so that a first try may have ended between the two.

    Raises:
      EtudeError: if there is no such file, or it cannot be moved.
    """
    if not is_remote(source):
        try:
            os.replace(source, target)
        except FileNotFoundError:
            if not os.path.exists(target):
                raise EtudeError(f"{source} is gone before it could become {target}") from None
        except OSError as error:
            raise EtudeError(f"cannot write {target}: {error.strerror}") from error
        return
    if not exists(source) and exists(target):
        return
    try:
        if exists(target):
            _file_systems().delete([target])
        _file_systems().rename([source], [target])
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(f"{target} cannot be written: {error}; check the address and your access") from error


def delete(path: str) -> None:
    """Removes a file, if there is one.

    Raises:
      EtudeError: if it is there and cannot be removed.
    """
    try:
        if not is_remote(path):
            pathlib.Path(path).unlink(missing_ok=True)
        elif exists(path):
            _file_systems().delete([path])
    except EtudeError:
        raise
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(f"{path} cannot be removed: {error}; check your access") from error


def read(path: str, most: int) -> bytes:
    """Reads a file, or its first `most` bytes.

    Raises:
      ValueError: if it cannot be read.
    """
    data = b""
    for block in _blocks(path):
        data += block
        if len(data) >= most:
            break
    return data[:most]


def copy(path: str, target: pathlib.Path) -> None:
    """Copies a file to disk, whole or not at all.

    Raises:
      EtudeError: if it cannot be read or written.
    """
    with write_whole(target) as file:
        try:
            for block in _blocks(path):
                file.write(block)
        except ValueError as error:
            raise EtudeError(f"{path} {error}") from error


def _blocks(path: str) -> Iterator[bytes]:
    try:
        with open_to_read(path) as file:
            while block := file.read(_BLOCK):
                yield block
    except Exception as error:  # each file system raises errors of its own
        raise ValueError(f"cannot be read: {error}") from error


def _check_extra(path: str) -> None:
    """Says which extra a cloud needs, before Beam says less."""
    module, extra = _EXTRAS.get(path.partition(":")[0].lower(), ("", ""))
    if not module:
        return
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of a parent package
        found = None
    if found is None:
        package = f"etude[{extra}]" if extra in ("aws", "gcp") else f"apache-beam[{extra}]"
        raise EtudeError(f"{path} needs the extra {extra}, here and on the workers: pip install '{package}'")


def _file_systems() -> Any:
    # Beam takes seconds to import.
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.value_provider import RuntimeValueProvider

    # S3's refuses to work without options; a pipeline or a worker would have set them.
    if not (FileSystems._pipeline_options or RuntimeValueProvider.runtime_options):
        set_options([])
    return FileSystems

"""Files that are not on disk: whatever Beam has a file system for, such as gs://, s3:// and hdfs://."""

import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from etude.models.errors import EtudeError
from etude.models.storage.files import write_whole

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""One slash suffices, as pathlib leaves no more; a drive of Windows has but one letter."""
_BLOCK = 1 << 20


class RemoteFile(NamedTuple):
    """A file and what tells its versions apart.

    Attributes:
      path: its full address.
      size: bytes.
      modified: when it was changed, in nanoseconds; 0 where the file system does not say.
    """

    path: str
    size: int
    modified: int


def is_remote(path: str) -> bool:
    """Whether this is the address of a remote file or folder: SCHEME://..."""
    return _ADDRESS.match(path) is not None


def set_options(beam_options: Sequence[str]) -> None:
    """Gives Beam's own options to its file systems, as some need keys or regions; workers get them from Beam."""
    from apache_beam.options.pipeline_options import PipelineOptions

    _file_systems().set_options(PipelineOptions(list(beam_options)))


def match(pattern: str) -> list[RemoteFile]:
    """Finds files by address: `*` stands for any characters of a name, `**` also for folders.

    Returns:
      What was found, sorted by address.

    Raises:
      EtudeError: if there is no such file system, or it does not answer.
    """
    try:
        (result,) = _file_systems().match([pattern])
    except Exception as error:  # each file system raises errors of its own
        raise EtudeError(
            f"{pattern} cannot be listed: {error}; check the address and your access "
            "(gs:// needs the extra apache-beam[gcp], s3:// apache-beam[aws])"
        ) from error
    found = {
        entry.path: RemoteFile(entry.path, entry.size_in_bytes, int((entry.last_updated_in_seconds or 0) * 1e9))
        for entry in result.metadata_list
    }
    return [found[path] for path in sorted(found)]


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
    from apache_beam.io.filesystem import CompressionTypes

    try:
        with _file_systems().open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            while block := file.read(_BLOCK):
                yield block
    except Exception as error:  # each file system raises errors of its own
        raise ValueError(f"cannot be read: {error}") from error


def _file_systems() -> Any:
    # Beam takes seconds to import.
    from apache_beam.io.filesystems import FileSystems

    return FileSystems

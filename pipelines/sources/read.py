"""The bytes of a source, out of whatever archive or file system it lies in."""

import contextlib
import hashlib
import pathlib
import shutil
from collections.abc import Iterable, Iterator

from etude.models.storage.files import write_whole
from etude.pipelines.files import file_systems
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.sources import archives
from etude.pipelines.sources.member import Member
from etude.pipelines.sources.source import Source

MAX_FILE_BYTES = 1 << 26
"""Larger files are rejected unread."""


class SourceError(ValueError):
    """A source that cannot be read, for a reason that lies outside its file."""


def read_source(source: Source, expanded_archives: pathlib.Path) -> bytes:
    """The bytes of a source.

    Args:
      source: the source.
      expanded_archives: the folder that `expand_archives` filled.

    Raises:
      SourceError: if it was found with a problem.
      ValueError: if it is too large or cannot be read.
    """
    if source.problem:
        raise SourceError(source.problem)
    if source.size > MAX_FILE_BYTES:
        raise ValueError(f"has {source.size:,} bytes, at most {MAX_FILE_BYTES:,} are read")
    if source.member:
        archive = _readable_archive(source.path, expanded_archives)
        return archives.read_member(archive, Member(source.member, source.size, source.offset, source.packing))
    if file_systems.is_remote(source.path):
        data = file_systems.read(source.path, MAX_FILE_BYTES + 1)
    else:
        try:
            with open(source.path, "rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"has more than the {MAX_FILE_BYTES:,} bytes that are read")
    return data


def expand_archives(sources: Iterable[Source], folder: pathlib.Path) -> None:
    """Puts each archive where workers can read its members in any order: remote ones fetched, compressed .tar expanded.

    Raises:
      EtudeError: if one cannot be read, or the folder cannot be written.
    """
    for path in sorted({source.path for source in sources if source.member}):
        target = _readable_archive(path, folder)
        if str(target) == path or target.exists():
            continue
        if not file_systems.is_remote(path):
            archives.expand_tar(pathlib.Path(path), target)
            continue
        with on_disk(path) as copied:
            if archives.is_compressed_tar(copied):
                archives.expand_tar(copied, target)
            else:
                with copied.open("rb") as source, write_whole(target) as file:
                    shutil.copyfileobj(source, file)


@contextlib.contextmanager
def on_disk(path: str) -> Iterator[pathlib.Path]:
    """An archive on disk; a remote one is there for as long as the block runs."""
    if not file_systems.is_remote(path):
        yield pathlib.Path(path)
        return
    with temporary_folder() as folder:
        copied = pathlib.Path(folder, path.rpartition("/")[2])
        file_systems.copy(path, copied)
        yield copied


def _readable_archive(path: str, folder: pathlib.Path) -> pathlib.Path:
    """Where the members of an archive can be read: itself, or what `expand_archives` makes of it."""
    if not file_systems.is_remote(path) and not archives.is_compressed_tar(pathlib.Path(path)):
        return pathlib.Path(path)
    suffix = ".zip" if archives.is_zip(path) else ".tar"
    return folder / f"{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}{suffix}"

"""Members of .zip and .tar archives, listed and read in place, with bounds on what they may expand to."""

import bz2
import gzip
import lzma
import os
import pathlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from etude.models.errors import EtudeError
from etude.models.storage.files import write_whole

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = ZIP_SUFFIXES + TAR_SUFFIXES

MAX_EXPANSION = 100
"""A compressed .tar may be this many times larger than its file..."""
MAX_SMALL_EXPANSION = 1 << 28
"""...or this many bytes, whichever is more."""

_BLOCK = 1 << 20
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
)


class Member(NamedTuple):
    """One file of an archive.

    Attributes:
      name: its path in the archive.
      size: its size in bytes once expanded.
      offset: where it starts in the (expanded) .tar; -1 in a .zip, which finds members by name.
    """

    name: str
    size: int
    offset: int


def is_archive(path: pathlib.Path | str) -> bool:
    """Whether the name is that of an archive that can be read."""
    return str(path).lower().endswith(SUFFIXES)


def is_compressed_tar(path: pathlib.Path | str) -> bool:
    """Whether the name is that of a .tar that has to be expanded before its members can be reached."""
    name = str(path).lower()
    return name.endswith(TAR_SUFFIXES) and not name.endswith(".tar")


def list_members(path: pathlib.Path) -> Iterator[Member]:
    """Yields the regular files of an archive, in its order.

    Raises:
      EtudeError: if the archive is damaged or expands beyond all measure.
    """
    try:
        if str(path).lower().endswith(ZIP_SUFFIXES):
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir():
                        yield Member(entry.filename, entry.file_size, -1)
            return
        limit = _expansion_limit(path)
        with tarfile.open(path, "r:*") as tar:
            for member in tar:
                if is_compressed_tar(path) and member.offset_data + member.size > limit:
                    raise _expands_too_much(path, limit)
                if member.isreg() and not member.sparse:
                    yield Member(member.name, member.size, member.offset_data)
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def expand_tar(path: pathlib.Path, target: pathlib.Path) -> None:
    """Writes the plain .tar that a compressed one holds to `target`.

    Raises:
      EtudeError: if the archive is damaged, expands beyond all measure, or `target` cannot be written.
    """
    limit = _expansion_limit(path)
    written = 0
    with write_whole(target) as file:
        for block in _expanded_blocks(path):
            written += len(block)
            if written > limit:
                raise _expands_too_much(path, limit)
            file.write(block)


def read_member(archive: pathlib.Path, member: str, offset: int, size: int) -> bytes:
    """Reads one file of a .zip (`offset` -1, found by name) or of a plain .tar (found by offset).

    Args:
      archive: the .zip or plain .tar.
      member: its path in the archive.
      offset: where it starts in a .tar.
      size: its size in bytes; a member of another size is damaged.

    Raises:
      ValueError: if it cannot be read or has another size.
    """
    try:
        if offset >= 0:
            with archive.open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        else:
            with zipfile.ZipFile(archive) as zipped, zipped.open(member) as file:
                # One byte more than promised shows a member that expands beyond its listed size.
                data = file.read(size + 1)
    except (*_DAMAGE, RuntimeError) as error:
        raise ValueError(f"cannot be read from its archive: {error}") from error
    if len(data) != size:
        raise ValueError(f"has {len(data)} bytes in its archive where {size} are listed")
    return data


def _expanded_blocks(path: pathlib.Path) -> Iterator[bytes]:
    name = str(path).lower()
    open_compressed: Callable[[pathlib.Path], Any] = (
        gzip.open if name.endswith("gz") else bz2.open if name.endswith("bz2") else lzma.open
    )
    try:
        with open_compressed(path) as file:
            while block := file.read(_BLOCK):
                yield block
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: pathlib.Path, error: Exception) -> EtudeError:
    return EtudeError(f"{path} cannot be read as an archive: {error}; unpack it, or fetch it again")


def _expansion_limit(path: pathlib.Path) -> int:
    return max(os.stat(path).st_size * MAX_EXPANSION, MAX_SMALL_EXPANSION)


def _expands_too_much(path: pathlib.Path, limit: int) -> EtudeError:
    return EtudeError(f"{path} expands to more than {limit:,} bytes, which no real collection does; unpack it yourself")

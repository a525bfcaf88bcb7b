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
from typing import Any

from etude.models.errors import EtudeError
from etude.models.storage.files import write_whole
from etude.pipelines.sources.member import Member
from etude.pipelines.sources.tar_archives import compression, list_tar
from etude.pipelines.sources.zip_archives import list_zip, read_zip_member

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = ZIP_SUFFIXES + TAR_SUFFIXES

MAX_EXPANSION = 100
"""An archive may expand to this many times the size of its file..."""
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
_OPEN_COMPRESSED: dict[str, Callable[[pathlib.Path], Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


def is_archive(path: pathlib.Path | str) -> bool:
    """Whether the name is that of an archive that can be read."""
    return str(path).lower().endswith(SUFFIXES)


def is_zip(path: pathlib.Path | str) -> bool:
    """Whether the name of an archive is that of a .zip."""
    return str(path).lower().endswith(ZIP_SUFFIXES)


def is_compressed_tar(path: pathlib.Path) -> bool:
    """Whether this is a .tar that has to be expanded before its members can be reached; whatever its name says."""
    try:
        return not is_zip(path) and compression(path) != ""
    except OSError as error:
        raise _damaged(path, error) from error


def list_members(path: pathlib.Path) -> Iterator[Member]:
    """Yields the files of an archive, and what of it cannot be read.

    Raises:
      EtudeError: if the archive as a whole cannot be read, or expands beyond all measure.
    """
    try:
        limit = _expansion_limit(path)
        if is_zip(path):
            with path.open("rb") as file:
                members = list_zip(file)
            if sum(member.size for member in members) > limit:
                raise _expands_too_much(path, limit)
            yield from members
            return
        is_compressed = is_compressed_tar(path)
        for member in list_tar(path):
            if is_compressed and member.offset + member.size > limit:
                raise _expands_too_much(path, limit)
            yield member
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


def read_member(archive: pathlib.Path, member: Member) -> bytes:
    """Reads one file of a .zip or of a plain .tar, without looking for it.

    Args:
      archive: the .zip or plain .tar.
      member: what `list_members` says of the file.

    Raises:
      ValueError: if it cannot be read or has another size.
    """
    try:
        with archive.open("rb") as file:
            if member.packing:
                data = read_zip_member(file, member)
            else:
                file.seek(member.offset)
                data = file.read(member.size)
    except (*_DAMAGE, RuntimeError) as error:
        raise ValueError(f"cannot be read from its archive: {error}") from error
    if len(data) != member.size:
        raise ValueError(f"has {len(data)} bytes in its archive where {member.size} are listed")
    return data


def _expanded_blocks(path: pathlib.Path) -> Iterator[bytes]:
    try:
        with _OPEN_COMPRESSED[compression(path)](path) as file:
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

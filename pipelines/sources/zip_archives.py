"""Zip archives: the directory is read once, and each file by its place, whatever its name is or is written in.

Python's own reader gives up on a whole archive for one name that is not in the encoding it says. Expanding is left to it.
"""

import io
import struct
import zipfile
from typing import IO, Any

from etude.pipelines.sources.member import Member, Packing

_DIRECTORY_ENTRY = struct.Struct("<4s4xH18xHHH12x")
"""Signature, flags, and the lengths of name, extra field and comment, which follow."""
_DIRECTORY_SIGNATURE = b"PK\1\2"
_FLAGS_AT = 8
_NAME_IS_UTF_8 = 0x800
_IS_ENCRYPTED = 0x1
_FILE_HEADER = struct.Struct("<4s22xHH")
"""Signature, and the lengths of name and extra field, which follow."""
_FILE_SIGNATURE = b"PK\3\4"


def list_zip(file: IO[bytes]) -> list[Member]:
    """Reads the directory of a zip archive.

    Raises:
      zipfile.BadZipFile: if it is damaged or no zip archive.
    """
    with zipfile.ZipFile(_UnflaggedFile(file)) as archive:
        return [_member(entry) for entry in archive.infolist() if not entry.is_dir()]


def read_zip_member(file: IO[bytes], member: Member) -> bytes:
    """Reads a file that `list_zip` found, in time and memory proportional to its listed size.

    Raises:
      ValueError, OSError and others: if it is damaged, or compressed in a way that Python does not know.
    """
    if member.packing is None:
        raise ValueError("it is in no zip archive")
    file.seek(member.offset)
    header = file.read(_FILE_HEADER.size)
    if len(header) < _FILE_HEADER.size or not header.startswith(_FILE_SIGNATURE):
        raise zipfile.BadZipFile("no file starts where the directory says")
    _, name_length, extra_length = _FILE_HEADER.unpack(header)
    file.seek(name_length + extra_length, io.SEEK_CUR)
    entry = zipfile.ZipInfo("member")
    entry.compress_type, entry.compress_size, entry.CRC = member.packing
    entry.file_size = member.size
    with zipfile.ZipExtFile(file, "r", entry) as expanded:
        return expanded.read(member.size)


def _member(entry: zipfile.ZipInfo) -> Member:
    return Member(
        _name(entry.filename),
        entry.file_size,
        entry.header_offset,
        Packing(entry.compress_type, entry.compress_size, entry.CRC),
        "is encrypted; unpack its archive with the password" if entry.flag_bits & _IS_ENCRYPTED else "",
    )


def _name(filename: str) -> str:
    """UTF-8 if it can be, as many programs write it without saying so; else code page 437."""
    try:
        return filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return filename


class _UnflaggedFile:
    """A zip file in whose directory no name is said to be UTF-8: some are not, and the others are known by being it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        return _without_flags(data) if data.startswith(_DIRECTORY_SIGNATURE) else data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _without_flags(directory: bytes) -> bytes:
    changed = bytearray(directory)
    place = 0
    while place + _DIRECTORY_ENTRY.size <= len(directory):
        signature, flags, *lengths = _DIRECTORY_ENTRY.unpack_from(directory, place)
        if signature != _DIRECTORY_SIGNATURE:
            break
        struct.pack_into("<H", changed, place + _FLAGS_AT, flags & ~_NAME_IS_UTF_8)
        place += _DIRECTORY_ENTRY.size + sum(lengths)
    return bytes(changed)

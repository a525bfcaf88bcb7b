"""Zip archives whose names are in any encoding: Python's own reader gives up on all of an archive for one bad name."""

import struct
import zipfile
from typing import IO, Any

_DIRECTORY_ENTRY = struct.Struct("<4s4xH18xHHH12x")
"""Signature, flags, and the lengths of name, extra field and comment, which follow."""
_DIRECTORY_SIGNATURE = b"PK\1\2"
_DIRECTORY_FLAGS_AT = 8
_MEMBER_HEADER_SIZE = 30
_MEMBER_SIGNATURE = b"PK\3\4"
_MEMBER_FLAGS_AT = 6
_NAME_IS_UTF_8 = 0x08
"""In the upper byte of the flags."""


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Opens a zip archive; `member_name` knows its names. Closing it leaves the file open.

    Raises:
      zipfile.BadZipFile: if it is damaged or no zip archive.
    """
    return zipfile.ZipFile(_UnflaggedFile(file))


def member_name(member: zipfile.ZipInfo) -> str:
    """The name of a member: UTF-8 if it can be, as many programs write it without saying so; else code page 437."""
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


class _UnflaggedFile:
    """A zip file in which no name is said to be UTF-8: some are not, and the others are known by being it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if data.startswith(_MEMBER_SIGNATURE) and size == _MEMBER_HEADER_SIZE == len(data):
            changed = bytearray(data)
            changed[_MEMBER_FLAGS_AT + 1] &= ~_NAME_IS_UTF_8
            return bytes(changed)
        return _without_flags(data) if data.startswith(_DIRECTORY_SIGNATURE) else data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _without_flags(directory: bytes) -> bytes:
    changed = bytearray(directory)
    place = 0
    while place + _DIRECTORY_ENTRY.size <= len(directory):
        signature, _, *lengths = _DIRECTORY_ENTRY.unpack_from(directory, place)
        if signature != _DIRECTORY_SIGNATURE:
            break
        changed[place + _DIRECTORY_FLAGS_AT + 1] &= ~_NAME_IS_UTF_8
        place += _DIRECTORY_ENTRY.size + sum(lengths)
    return bytes(changed)

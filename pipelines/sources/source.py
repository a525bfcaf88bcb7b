"""A music file, and what its name tells."""

import dataclasses
import os

from etude.pipelines.sources.member import Packing

FORMATS = {
    ".mid": "midi",
    ".midi": "midi",
    ".abc": "abc",
    ".xml": "musicxml",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
}
"""Format by file extension."""

NAMED_FORMATS = {**FORMATS, ".txt": "abc"}
"""Of files whose ending is typed, in a name or a pattern: folders and archives hold other texts."""

_NO_FORMAT = "none"


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One music file.

    Attributes:
      collection: the folder, archive or corpus that it belongs to.
      name: its path in the collection, with forward slashes.
      path: the file on disk, or its address: itself, or its archive.
      member: its path in the archive; empty if it is a file by itself.
      offset: where it starts in its archive; see `Member`.
      packing: how a .zip holds it.
      size: bytes.
      modified: when the file on disk was changed, in nanoseconds.
      problem: why it cannot be read; empty if it can be.
      root: the path or address of the collection.
    """

    collection: str
    name: str
    path: str
    member: str = ""
    offset: int = 0
    packing: Packing | None = None
    size: int = 0
    modified: int = 0
    problem: str = ""
    root: str = ""

    @property
    def full_name(self) -> str:
        """Collection and name, unique in a list of sources."""
        return f"{self.collection}/{self.name}" if self.collection else self.name

    @property
    def format(self) -> str:
        """What it is written in: "midi", "abc" or "musicxml"; "none" for a folder or an archive with a problem."""
        return music_format(self.name)


def music_format(name: str) -> str:
    """What a file of this name is written in: "midi", "abc" or "musicxml"; "none" for other names."""
    return NAMED_FORMATS.get(suffix(name), _NO_FORMAT)


def suffix(name: str) -> str:
    """The extension of a file's name, in small letters."""
    return os.path.splitext(name)[1].lower()


def printable(name: str) -> str:
    """The name as text that can be stored: bytes that are no UTF-8 are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

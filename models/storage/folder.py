"""A folder that is read, wherever it lies."""

import dataclasses
import pathlib
from typing import IO, Protocol, runtime_checkable


@runtime_checkable
class Folder(Protocol):
    """A folder on some file system; `str` gives its path or address."""

    def open(self, name: str) -> IO[bytes]:
        """Opens one of its files.

        Raises:
          OSError: if there is no such file on disk.
          EtudeError: if there is no such file elsewhere.
        """

    def exists(self, name: str) -> bool:
        """Whether it has such a file."""

    def path(self, name: str) -> str:
        """The path or address of one of its files."""


@dataclasses.dataclass(frozen=True)
class LocalFolder:
    """A folder on disk.

    Attributes:
      folder: its path.
    """

    folder: pathlib.Path

    def __str__(self) -> str:
        """Its path."""
        return str(self.folder)

    def open(self, name: str) -> IO[bytes]:
        """Opens one of its files."""
        return (self.folder / name).open("rb")

    def exists(self, name: str) -> bool:
        """Whether it has such a file."""
        return (self.folder / name).is_file()

    def path(self, name: str) -> str:
        """The path of one of its files."""
        return str(self.folder / name)


def as_folder(folder: "Folder | pathlib.Path | str") -> Folder:
    """The folder itself, or the one on disk that a path names."""
    return LocalFolder(pathlib.Path(folder)) if isinstance(folder, (str, pathlib.Path)) else folder

"""Dataset folders on any file system, for the parts of Etude that know nothing of Beam."""

import dataclasses
import pathlib
from typing import IO

from etude.models.storage.folder import Folder, LocalFolder
from etude.pipelines.files import file_systems


@dataclasses.dataclass(frozen=True)
class RemoteFolder:
    """A folder on one of Beam's file systems.

    Attributes:
      address: SCHEME://...
    """

    address: str

    def __str__(self) -> str:
        """Its address."""
        return self.address

    def open(self, name: str) -> IO[bytes]:
        """Opens one of its files."""
        return file_systems.open_to_read(self.path(name))

    def exists(self, name: str) -> bool:
        """Whether it has such a file."""
        return file_systems.exists(self.path(name))

    def path(self, name: str) -> str:
        """The address of one of its files."""
        return file_systems.join(self.address, name)


def open_folder(path: str | pathlib.Path) -> Folder:
    """The folder at a path or an address."""
    return RemoteFolder(str(path).rstrip("/")) if file_systems.is_remote(path) else LocalFolder(pathlib.Path(path))

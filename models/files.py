"""Files that appear whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import IO

from models.errors import EtudeError


@contextlib.contextmanager
def write_whole(path: pathlib.Path | str) -> Iterator[IO[bytes]]:
    """Opens a file that takes its name only once it is complete.

    The bytes go to a hidden file beside `path`, which is flushed to disk and renamed when the block ends, and removed
    when the block raises. A killed process leaves at most a hidden file, which nothing reads.

    Args:
      path: the file to write; its folder is made if need be.

    Yields:
      A binary file open for writing.

    Raises:
      EtudeError: if the folder cannot be written to or the disk is full.
    """
    path = pathlib.Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise EtudeError(
            f"cannot write {path}: {error.strerror}; choose another output folder or free some space"
        ) from error
    partial = pathlib.Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EtudeError(
            f"cannot write {path}: {error.strerror}; choose another output folder or free some space"
        ) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: pathlib.Path | str, text: str) -> None:
    """Writes `text` as UTF-8 to `path`, whole or not at all."""
    with write_whole(path) as file:
        file.write(text.encode())


def remove_partial_files(folder: pathlib.Path | str) -> None:
    """Removes what a killed writer left in `folder`. Call it only where no other process is writing there."""
    for partial in pathlib.Path(folder).glob(".*.part"):
        partial.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask (which can only be read by setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""Files that appear whole or not at all."""

import contextlib
import errno
import os
import pathlib
import secrets
from collections.abc import Iterator
from typing import IO

from etude.models.errors import EtudeError

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""What goes wrong while writing to a file that could be opened."""


@contextlib.contextmanager
def explain_write_errors(path: pathlib.Path | str) -> Iterator[None]:
    """Turns the errors of a full, read-only or missing folder into one that names the file and the remedy.

    Args:
      path: the file that is written in the block.

    Raises:
      EtudeError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise EtudeError(
            f"cannot write {path}: {error.strerror}; choose another output folder or free some space"
        ) from error


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
    partial = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = partial.open("xb")
    try:
        with file:
            yield file
            with explain_write_errors(path):
                file.flush()
                os.fsync(file.fileno())
        with explain_write_errors(path):
            partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            with explain_write_errors(path):
                raise
        raise


def write_text(path: pathlib.Path | str, text: str) -> None:
    """Writes `text` as UTF-8 to `path`, whole or not at all."""
    with write_whole(path) as file:
        file.write(text.encode())


def remove_partial_files(folder: pathlib.Path | str) -> None:
    """Removes what a killed writer left in `folder`. Call it only where no other process is writing there."""
    for partial in pathlib.Path(folder).glob(".*.part"):
        partial.unlink(missing_ok=True)

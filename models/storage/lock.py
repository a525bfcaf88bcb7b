"""One process at a time in a folder."""

import contextlib
import os
import pathlib
import time
from collections.abc import Iterator

from etude.models.errors import EtudeError
from etude.models.storage.files import explain_write_errors

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def locked(folder: pathlib.Path | str, seconds: float = 0.0) -> Iterator[None]:
    """Keeps other processes from writing to a folder while the block runs.

    The lock is on the folder itself, so nothing is left behind; the system frees it when this process ends, however it
    ends. Where a file system has no locks, there is none.

    Args:
      folder: made if need be; a new one that is still empty at the end is removed again.
      seconds: how long to wait for another process to end.

    Raises:
      EtudeError: if another process holds it, or the folder cannot be made.
    """
    folder = pathlib.Path(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    with explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + seconds
        while not (is_ours := _lock(descriptor)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not is_ours:
            raise EtudeError(f"another process is writing {folder}; wait for it, or choose another folder")
        yield
    finally:
        with contextlib.suppress(OSError):  # what is not empty stays
            for path in made:
                path.rmdir()
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return True
    return True

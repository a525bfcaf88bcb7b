"""What lies in a folder on disk."""

import glob
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple


class Entry(NamedTuple):
    """Something in a folder.

    Attributes:
      path: where it is.
      name: its path in the folder, with forward slashes.
      problem: why it cannot be read; empty if it can be.
    """

    path: pathlib.Path
    name: str
    problem: str = ""


def walk(folder: pathlib.Path) -> Iterator[Entry]:
    """Yields the files of a folder and of those in it, and what cannot be looked into.

    Each folder is searched once, however many links lead to it, by its own name rather than by that of a link. What is
    hidden is passed over. The order does not depend on the disk's.
    """
    waiting = [folder]
    seen: set[tuple[int, int]] = set()
    while waiting:
        problems: list[OSError] = []
        for parent, folders, names in os.walk(waiting.pop(0), onerror=problems.append):
            status = os.stat(parent)
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            folders[:] = sorted(name for name in folders if not is_hidden(name))
            paths = [pathlib.Path(parent, name) for name in folders]
            waiting += [path for path in paths if path.is_symlink()]
            for name in sorted(names):
                if not is_hidden(name):
                    path = pathlib.Path(parent, name)
                    yield Entry(path, path.relative_to(folder).as_posix(), file_problem(path))
        for error in problems:
            path = pathlib.Path(error.filename)
            yield Entry(path, path.relative_to(folder).as_posix(), f"cannot be searched: {error.strerror}")


def not_searched(pattern: str) -> Iterator[Entry]:
    """Yields the folders that a glob pattern has to look into and cannot, which Python's glob passes over in silence."""
    parts = pathlib.Path(pattern).parts
    seen: set[str] = set()
    for length, part in enumerate(parts):
        if not glob.has_magic(part):
            continue
        above = os.path.join(*parts[:length]) if length else "."
        # Two asterisks look into what they match, too.
        for found in glob.glob(os.path.join(above, "**") if part == "**" else above, recursive=True):
            if found.rstrip(os.sep) in seen or not os.path.isdir(found):
                continue
            seen.add(found.rstrip(os.sep))
            try:
                os.scandir(found).close()
            except OSError as error:
                path = pathlib.Path(found)
                yield Entry(path, path.name, f"cannot be searched: {error.strerror}")


def file_problem(path: pathlib.Path) -> str:
    """Why a file cannot be read, as far as can be seen from outside; empty if it can be."""
    try:
        path.stat()
    except FileNotFoundError:
        return f"is a link to {os.readlink(path)}, which does not exist" if path.is_symlink() else "does not exist"
    except OSError as error:
        return f"cannot be reached: {error.strerror}"
    return "" if path.is_file() else "is no plain file"


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none that a person put there."""
    return name.startswith(".") or name == "__MACOSX"

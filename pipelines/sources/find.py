"""What one argument of the command line stands for."""

import glob
import os
import pathlib
import re
from collections.abc import Container, Iterator

from etude.models.errors import EtudeError
from etude.pipelines.files import file_systems
from etude.pipelines.sources import archives
from etude.pipelines.sources.corpora import CORPUS_PREFIX, corpus_folder, corpus_names
from etude.pipelines.sources.folders import Entry, file_problem, is_hidden, not_searched, walk
from etude.pipelines.sources.read import on_disk
from etude.pipelines.sources.source import FORMATS, NAMED_FORMATS, Source, printable, suffix


def find(argument: str) -> Iterator[Source]:
    """Yields the music files that one argument stands for, in no particular order and without a collection's name.

    Raises:
      EtudeError: if it names nothing, or an archive is damaged.
    """
    if argument.startswith(CORPUS_PREFIX):
        yield from _in_folder(corpus_folder(argument.removeprefix(CORPUS_PREFIX)), argument)
        return
    if file_systems.is_remote(argument):
        yield from _remote(argument)
        return
    if os.path.exists(argument):
        yield from _in_path(pathlib.Path(argument))
        return
    matches = sorted(glob.glob(argument, recursive=True))
    problems = list(not_searched(argument))
    for entry in problems:
        yield _file(entry, os.path.realpath(entry.path.parent))
    if not matches and not problems:
        raise EtudeError(f"{argument} does not exist; give a music file, a folder, an archive or {corpus_names()}")
    for match in matches:
        path = pathlib.Path(match)
        # A glob may well match other files; a name that is typed out may not.
        if path.is_dir() or archives.is_archive(path) or suffix(path.name) in _formats(argument):
            yield from _in_path(path)


def _in_path(path: pathlib.Path) -> Iterator[Source]:
    if path.is_dir():
        yield from _in_folder(path, os.path.realpath(path))
    elif archives.is_archive(path):
        yield from _members(path, os.path.realpath(path), os.path.abspath(path), path.stat().st_mtime_ns)
    elif suffix(path.name) in NAMED_FORMATS:
        yield _file(Entry(path, path.name, file_problem(path)), os.path.realpath(path.absolute().parent))
    else:
        raise EtudeError(
            f"{path} is no music file by its name; known extensions are "
            f"{' '.join(NAMED_FORMATS)} {' '.join(archives.SUFFIXES)}"
        )


def _in_folder(folder: pathlib.Path, root: str) -> Iterator[Source]:
    for entry in walk(folder):
        if entry.problem:
            if _may_be_music(entry.name):
                yield _file(entry, root)
        elif suffix(entry.name) in FORMATS:
            yield _file(entry, root)
        elif archives.is_archive(entry.name):
            modified = entry.path.stat().st_mtime_ns
            yield from _inner_members(entry.path, root, os.path.abspath(entry.path), modified, entry.name)


def _remote(address: str) -> Iterator[Source]:
    """Remote files: `address` is one of them, a glob or a folder."""
    is_glob = any(character in address for character in "*?[")
    is_file = not is_glob and (suffix(address) in NAMED_FORMATS or archives.is_archive(address))
    folder = address.rstrip("/")
    matches = file_systems.match(address if is_glob or is_file else f"{folder}/**")
    if not matches and is_file:  # perhaps a folder with an odd name
        is_file, matches = False, file_systems.match(f"{folder}/**")
    if not matches:
        raise EtudeError(f"{address} does not exist or is empty; give a music file, a folder or an archive")
    root = re.split(r"[*?[]", address)[0].rpartition("/")[0] if is_glob or is_file else folder
    formats = _formats(address)
    for found in matches:
        if any(map(is_hidden, found.path.removeprefix(f"{root}/").split("/"))):
            continue
        parent = found.path.rpartition("/")[0] if is_glob or is_file else folder
        name = found.path.removeprefix(f"{parent}/")
        if suffix(name) in formats:
            yield Source("", printable(name), found.path, size=found.size, modified=found.modified, root=parent)
        elif archives.is_archive(name):
            with on_disk(found.path) as archive:
                if is_glob or is_file:
                    yield from _members(archive, found.path, found.path, found.modified)
                else:
                    yield from _inner_members(archive, parent, found.path, found.modified, name)


def _members(archive: pathlib.Path, root: str, path: str, modified: int, folder: str = "") -> Iterator[Source]:
    """The music of an archive.

    Args:
      archive: where it is on disk now.
      root: the collection that its members belong to.
      path: where it is to be read later.
      modified: when it was changed.
      folder: what stands before the names of its members.
    """
    for member in archives.list_members(archive):
        parts = [part for part in member.name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if any(map(is_hidden, parts)):
            continue
        problem = member.problem
        if not problem and archives.is_archive(member.name):
            problem = "is an archive inside an archive, which is not opened; unpack the outer one"
        if suffix(member.name) in FORMATS or (problem and _may_be_music(member.name)):
            name = printable("/".join([*filter(None, [folder]), *parts]))
            yield Source(
                *("", name, path, member.name, member.offset, member.packing, member.size, modified, problem, root)
            )


def _inner_members(archive: pathlib.Path, root: str, path: str, modified: int, name: str) -> Iterator[Source]:
    """The music of an archive that lies in a folder, whose other files are read though this one is damaged."""
    try:
        yield from _members(archive, root, path, modified, name)
    except EtudeError as error:
        yield Source("", printable(name), path, modified=modified, problem=str(error), root=root)


def _file(entry: Entry, root: str) -> Source:
    path = os.path.abspath(entry.path)
    if entry.problem:
        return Source("", printable(entry.name), path, problem=entry.problem, root=root)
    status = entry.path.stat()
    name = printable(entry.name)
    return Source("", name, path, size=status.st_size, modified=status.st_mtime_ns, root=root)


def _formats(argument: str) -> Container[str]:
    """Endings of music files: some names are music only where their ending is typed."""
    return NAMED_FORMATS if suffix(argument) in NAMED_FORMATS else FORMATS


def _may_be_music(name: str) -> bool:
    """Whether something that cannot be read could hold music by its name; folders have no extension."""
    return not suffix(name) or suffix(name) in FORMATS or archives.is_archive(name)

"""What `etude convert` is given, expanded to a sorted list of music files.

A source is a file, a folder (searched recursively), a glob, an archive or `corpus:NAME`; the first four may be remote,
where Beam has a file system for them. Names are relative to the
collection that a file belongs to, so that they do not depend on where it lies.
"""

import contextlib
import dataclasses
import glob
import hashlib
import os
import pathlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence

from etude.models.errors import EtudeError
from etude.pipelines.files import file_systems
from etude.pipelines.sources import archives
from etude.pipelines.sources.corpora import CORPORA, CORPUS_PREFIX, corpus_folder, corpus_names

FORMATS = {
    ".mid": "midi",
    ".midi": "midi",
    ".abc": "abc",
    ".xml": "musicxml",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
}
"""Format by file extension."""

MAX_FILE_BYTES = 1 << 26
"""Larger files are rejected unread."""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One music file.

    Attributes:
      collection: the folder, archive or corpus that it belongs to.
      name: its path in the collection, with forward slashes.
      path: the file on disk, or its address: itself, or its archive.
      member: its path in the archive; empty if it is a file by itself.
      offset: where it starts in a .tar archive; -1 otherwise.
      size: bytes.
      modified: when the file on disk was changed, in nanoseconds.
      root: the path or address of the collection.
    """

    collection: str
    name: str
    path: str
    member: str = ""
    offset: int = -1
    size: int = 0
    modified: int = 0
    root: str = ""

    @property
    def place(self) -> str:
        """Where the bytes are: two names for one file have the same place."""
        path = self.path if file_systems.is_remote(self.path) else os.path.realpath(self.path)
        return f"{path}\0{self.member}\0{self.offset}"

    @property
    def full_name(self) -> str:
        """Collection and name, unique in a list of sources."""
        return f"{self.collection}/{self.name}" if self.collection else self.name

    @property
    def format(self) -> str:
        """What it is written in: "midi", "abc" or "musicxml"."""
        return music_format(self.name)


def music_format(name: str) -> str:
    """What a file of this name is written in: "midi", "abc" or "musicxml"; "unknown" for other names."""
    return FORMATS.get(_suffix(name), "unknown")


def expand_sources(arguments: Sequence[str]) -> list[Source]:
    """Finds the music files that the arguments stand for.

    Args:
      arguments: files, folders, globs, archives and `corpus:NAME`.

    Returns:
      The files, each once, sorted by collection and name: the same list whatever the order of the arguments' contents
      on disk.

    Raises:
      EtudeError: if an argument names nothing, an archive is damaged, or no music file is found.
    """
    found: dict[str, Source] = {}
    roots: list[tuple[int, str]] = []
    for index, argument in enumerate(arguments):
        for source in find(argument):
            roots.append((index, source.root))
            found.setdefault(source.place, source)
    if not found:
        raise EtudeError(nothing_found(arguments))
    names = collection_names(roots)
    named = [dataclasses.replace(source, collection=names[source.root]) for source in found.values()]
    return _with_unique_names(sorted(named, key=lambda source: (source.collection, source.name, source.path)))


def collection_names(roots: Iterable[tuple[int, str]]) -> dict[str, str]:
    """What collections are called: the last part of their path, with a number if another collection has that name.

    Args:
      roots: for each collection the number of the argument that it was found by, and its path or address.
    """
    names: dict[str, str] = {}
    taken = set(CORPORA)
    first: dict[str, int] = {}
    for index, root in roots:
        first[root] = min(index, first.get(root, index))
    for _, root in sorted((index, root) for root, index in first.items()):
        if root.startswith(CORPUS_PREFIX):
            names[root] = root.removeprefix(CORPUS_PREFIX)
            continue
        name = unique = _printable(os.path.basename(root))
        number = 1
        while unique in taken:
            number += 1
            unique = f"{name}-{number}"
        taken.add(unique)
        names[root] = unique
    return names


def read_source(source: Source, expanded_archives: pathlib.Path) -> bytes:
    """The bytes of a source.

    Args:
      source: the source.
      expanded_archives: the folder that `expand_archives` filled.

    Raises:
      ValueError: if it is too large or cannot be read.
    """
    if source.size > MAX_FILE_BYTES:
        raise ValueError(f"has {source.size:,} bytes, at most {MAX_FILE_BYTES:,} are read")
    if source.member:
        archive = _readable_archive(source.path, expanded_archives)
        return archives.read_member(archive, source.member, source.offset, source.size)
    if file_systems.is_remote(source.path):
        data = file_systems.read(source.path, MAX_FILE_BYTES + 1)
    else:
        try:
            with open(source.path, "rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"has more than the {MAX_FILE_BYTES:,} bytes that are read")
    return data


def expand_archives(sources: Iterable[Source], folder: pathlib.Path) -> None:
    """Puts each archive where workers can read its members in any order: remote ones fetched, compressed .tar expanded."""
    for path in sorted({source.path for source in sources if source.member}):
        target = _readable_archive(path, folder)
        if str(target) == path or target.exists():
            continue
        if archives.is_compressed_tar(path):
            with _on_disk(path) as archive:
                archives.expand_tar(archive, target)
        else:
            file_systems.copy(path, target)


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
    if not matches:
        raise EtudeError(f"{argument} does not exist; give a music file, a folder, an archive or {corpus_names()}")
    for match in matches:
        path = pathlib.Path(match)
        # A glob may well match other files; a name that is typed out may not.
        if path.is_dir() or archives.is_archive(path) or _suffix(path.name) in FORMATS:
            yield from _in_path(path)


def _in_path(path: pathlib.Path) -> Iterator[Source]:
    if path.is_dir():
        yield from _in_folder(path, os.path.realpath(path))
    elif archives.is_archive(path):
        yield from _in_archive(path, os.path.realpath(path))
    elif _suffix(path.name) in FORMATS:
        yield _file(path, os.path.realpath(path.absolute().parent), path.name)
    else:
        raise EtudeError(
            f"{path} is no music file by its name; known extensions are {' '.join(FORMATS)} {' '.join(archives.SUFFIXES)}"
        )


def _in_folder(folder: pathlib.Path, root: str) -> Iterator[Source]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in names:
            path = pathlib.Path(parent, name)
            if not _is_hidden(name) and _suffix(name) in FORMATS and path.is_file():
                yield _file(path, root, path.relative_to(folder).as_posix())


def _remote(address: str) -> Iterator[Source]:
    """Remote files: `address` is one of them, a glob or a folder."""
    is_glob = any(character in address for character in "*?[")
    is_file = not is_glob and (_suffix(address) in FORMATS or archives.is_archive(address))
    folder = address.rstrip("/")
    matches = file_systems.match(address if is_glob or is_file else f"{folder}/**")
    if not matches and is_file:  # perhaps a folder with an odd name
        is_file, matches = False, file_systems.match(f"{folder}/**")
    if not matches:
        raise EtudeError(f"{address} does not exist or is empty; give a music file, a folder or an archive")
    root = re.split(r"[*?[]", address)[0].rpartition("/")[0] if is_glob or is_file else folder
    for found in matches:
        if any(map(_is_hidden, found.path.removeprefix(f"{root}/").split("/"))):
            continue
        parent = found.path.rpartition("/")[0] if is_glob or is_file else folder
        name = found.path.removeprefix(f"{parent}/")
        if _suffix(name) in FORMATS:
            yield Source("", _printable(name), found.path, size=found.size, modified=found.modified, root=parent)
        elif archives.is_archive(name) and (is_glob or is_file):
            with _on_disk(found.path) as archive:
                yield from _members(archive, found.path, found.path, found.modified)


def _in_archive(path: pathlib.Path, root: str) -> Iterator[Source]:
    return _members(path, root, os.path.abspath(path), path.stat().st_mtime_ns)


def _members(archive: pathlib.Path, root: str, path: str, modified: int) -> Iterator[Source]:
    for member in archives.list_members(archive):
        parts = [part for part in member.name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if _suffix(member.name) in FORMATS and not any(map(_is_hidden, parts)):
            yield Source("", _printable("/".join(parts)), path, member.name, member.offset, member.size, modified, root)


@contextlib.contextmanager
def _on_disk(path: str) -> Iterator[pathlib.Path]:
    """An archive on disk; a remote one is there for as long as the block runs."""
    if not file_systems.is_remote(path):
        yield pathlib.Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="etude-") as folder:
        copied = pathlib.Path(folder, path.rpartition("/")[2])
        file_systems.copy(path, copied)
        yield copied


def _file(path: pathlib.Path, root: str, name: str) -> Source:
    status = path.stat()
    return Source(
        "", _printable(name), os.path.abspath(path), size=status.st_size, modified=status.st_mtime_ns, root=root
    )


def _with_unique_names(sources: list[Source]) -> list[Source]:
    """Numbers sources that share a name (an archive may hold the same path twice)."""
    groups: dict[str, list[Source]] = {}
    for source in sources:
        groups.setdefault(source.full_name, []).append(source)
    return [numbered for group in groups.values() for numbered in number_names(group)]


def number_names(sources: Iterable[Source]) -> Iterator[Source]:
    """Tells sources of one name apart by a number; their places decide the order."""
    for number, source in enumerate(sorted(sources, key=lambda source: (source.path, source.offset)), start=1):
        stem, suffix = os.path.splitext(source.name)
        yield source if number == 1 else dataclasses.replace(source, name=f"{stem}~{number}{suffix}")


def _readable_archive(path: str, folder: pathlib.Path) -> pathlib.Path:
    """Where the members of an archive can be read: itself, or what `expand_archives` makes of it."""
    if not archives.is_compressed_tar(path) and not file_systems.is_remote(path):
        return pathlib.Path(path)
    suffix = ".zip" if path.lower().endswith(archives.ZIP_SUFFIXES) else ".tar"
    return folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}{suffix}"


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _printable(name: str) -> str:
    """The name as text that can be stored: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def nothing_found(arguments: Sequence[str]) -> str:
    """Says that the arguments hold no music, and what was looked for."""
    message = f"no music files in {' '.join(arguments)}; looked for {' '.join(FORMATS)}"
    for argument in arguments:
        if os.path.isdir(argument):
            inside = [name for name in sorted(os.listdir(argument)) if archives.is_archive(name)]
            if inside:
                return f"{message} (it holds archives, which have to be named: {os.path.join(argument, inside[0])})"
    return message

"""What `etude convert` is given, expanded to a sorted list of music files.

A source is a file, a folder (searched recursively, with the archives in it), a glob, an archive or `corpus:NAME`; the
first four may be remote, where Beam has a file system for them. Names are relative to the collection that a file belongs
to, so that they do not depend on where it lies. What is found and cannot be read is a source with a problem: nothing is
passed over in silence but files that are no music by their names, and hidden ones.
"""

import contextlib
import dataclasses
import glob
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence

from etude.models.errors import EtudeError
from etude.models.storage.files import write_whole
from etude.pipelines.files import file_systems
from etude.pipelines.sources import archives
from etude.pipelines.sources.corpora import CORPORA, CORPUS_PREFIX, corpus_folder, corpus_names
from etude.pipelines.sources.folders import Entry, file_problem, is_hidden, walk
from etude.pipelines.sources.member import Member, Packing

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
"""Of files that are named themselves, or by a glob: folders and archives hold other texts."""

MAX_FILE_BYTES = 1 << 26
"""Larger files are rejected unread."""

_NO_FORMAT = "none"


class SourceError(ValueError):
    """A source that cannot be read, for a reason that lies outside its file."""


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
    def place(self) -> str:
        """Where the bytes are: two names for one file have the same place."""
        is_as_named = bool(self.problem) or file_systems.is_remote(self.path)
        path = self.path if is_as_named else os.path.realpath(self.path)
        return f"{path}\0{self.member}\0{self.offset}"

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
    return NAMED_FORMATS.get(_suffix(name), _NO_FORMAT)


def expand_sources(arguments: Sequence[str]) -> list[Source]:
    """Finds the music files that the arguments stand for.

    Args:
      arguments: files, folders, globs, archives and `corpus:NAME`.

    Returns:
      The files, each once, sorted by collection and name: the same list whatever the order of the arguments' contents
      on disk.

    Raises:
      EtudeError: if an argument names nothing or a damaged archive, or no music file is found.
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
      SourceError: if it was found with a problem.
      ValueError: if it is too large or cannot be read.
    """
    if source.problem:
        raise SourceError(source.problem)
    if source.size > MAX_FILE_BYTES:
        raise ValueError(f"has {source.size:,} bytes, at most {MAX_FILE_BYTES:,} are read")
    if source.member:
        archive = _readable_archive(source.path, expanded_archives)
        return archives.read_member(archive, Member(source.member, source.size, source.offset, source.packing))
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
    """Puts each archive where workers can read its members in any order: remote ones fetched, compressed .tar expanded.

    Raises:
      EtudeError: if one cannot be read, or the folder cannot be written.
    """
    for path in sorted({source.path for source in sources if source.member}):
        target = _readable_archive(path, folder)
        if str(target) == path or target.exists():
            continue
        if not file_systems.is_remote(path):
            archives.expand_tar(pathlib.Path(path), target)
            continue
        with _on_disk(path) as copied:
            if archives.is_compressed_tar(copied):
                archives.expand_tar(copied, target)
            else:
                with copied.open("rb") as source, write_whole(target) as file:
                    shutil.copyfileobj(source, file)


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
        if path.is_dir() or archives.is_archive(path) or _suffix(path.name) in NAMED_FORMATS:
            yield from _in_path(path)


def _in_path(path: pathlib.Path) -> Iterator[Source]:
    if path.is_dir():
        yield from _in_folder(path, os.path.realpath(path))
    elif archives.is_archive(path):
        yield from _members(path, os.path.realpath(path), os.path.abspath(path), path.stat().st_mtime_ns)
    elif _suffix(path.name) in NAMED_FORMATS:
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
        elif _suffix(entry.name) in FORMATS:
            yield _file(entry, root)
        elif archives.is_archive(entry.name):
            modified = entry.path.stat().st_mtime_ns
            yield from _inner_members(entry.path, root, os.path.abspath(entry.path), modified, entry.name)


def _remote(address: str) -> Iterator[Source]:
    """Remote files: `address` is one of them, a glob or a folder."""
    is_glob = any(character in address for character in "*?[")
    is_file = not is_glob and (_suffix(address) in NAMED_FORMATS or archives.is_archive(address))
    folder = address.rstrip("/")
    matches = file_systems.match(address if is_glob or is_file else f"{folder}/**")
    if not matches and is_file:  # perhaps a folder with an odd name
        is_file, matches = False, file_systems.match(f"{folder}/**")
    if not matches:
        raise EtudeError(f"{address} does not exist or is empty; give a music file, a folder or an archive")
    root = re.split(r"[*?[]", address)[0].rpartition("/")[0] if is_glob or is_file else folder
    formats = NAMED_FORMATS if is_glob or is_file else FORMATS
    for found in matches:
        if any(map(is_hidden, found.path.removeprefix(f"{root}/").split("/"))):
            continue
        parent = found.path.rpartition("/")[0] if is_glob or is_file else folder
        name = found.path.removeprefix(f"{parent}/")
        if _suffix(name) in formats:
            yield Source("", _printable(name), found.path, size=found.size, modified=found.modified, root=parent)
        elif archives.is_archive(name):
            with _on_disk(found.path) as archive:
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
        if _suffix(member.name) in FORMATS or (problem and _may_be_music(member.name)):
            name = _printable("/".join([*filter(None, [folder]), *parts]))
            yield Source(
                *("", name, path, member.name, member.offset, member.packing, member.size, modified, problem, root)
            )


def _inner_members(archive: pathlib.Path, root: str, path: str, modified: int, name: str) -> Iterator[Source]:
    """The music of an archive that lies in a folder, whose other files are read though this one is damaged."""
    try:
        yield from _members(archive, root, path, modified, name)
    except EtudeError as error:
        yield Source("", _printable(name), path, modified=modified, problem=str(error), root=root)


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


def _file(entry: Entry, root: str) -> Source:
    path = os.path.abspath(entry.path)
    if entry.problem:
        return Source("", _printable(entry.name), path, problem=entry.problem, root=root)
    status = entry.path.stat()
    name = _printable(entry.name)
    return Source("", name, path, size=status.st_size, modified=status.st_mtime_ns, root=root)


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
    if not file_systems.is_remote(path) and not archives.is_compressed_tar(pathlib.Path(path)):
        return pathlib.Path(path)
    suffix = ".zip" if archives.is_zip(path) else ".tar"
    return folder / f"{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}{suffix}"


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _may_be_music(name: str) -> bool:
    """Whether something that cannot be read could hold music by its name; folders have no extension."""
    return not _suffix(name) or _suffix(name) in FORMATS or archives.is_archive(name)


def _printable(name: str) -> str:
    """The name as text that can be stored: bytes that are no UTF-8 are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def nothing_found(arguments: Sequence[str]) -> str:
    """Says that the arguments hold no music, and what was looked for."""
    return f"no music files in {' '.join(arguments)}; looked for {' '.join(FORMATS)}"

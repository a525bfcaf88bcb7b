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
from etude.pipelines.sources import archives, remote_files
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

    @property
    def full_name(self) -> str:
        """Collection and name, unique in a list of sources."""
        return f"{self.collection}/{self.name}" if self.collection else self.name

    @property
    def format(self) -> str:
        """What it is written in: "midi", "abc" or "musicxml"; "none" for a folder or an archive with a problem."""
        return FORMATS.get(_suffix(self.name), _NO_FORMAT)


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
    roots: dict[str, str] = {}
    found: dict[tuple[str, str, int], Source] = {}
    for argument in arguments:
        for source in _expand(argument, roots):
            is_as_named = bool(source.problem) or remote_files.is_remote(source.path)
            place = source.path if is_as_named else os.path.realpath(source.path)
            found.setdefault((place, source.member, source.offset), source)
    if not found:
        raise EtudeError(_nothing_found(arguments))
    return _with_unique_names(sorted(found.values(), key=lambda source: (source.collection, source.name, source.path)))


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
    if remote_files.is_remote(source.path):
        data = remote_files.read(source.path, MAX_FILE_BYTES + 1)
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
        if not remote_files.is_remote(path):
            archives.expand_tar(pathlib.Path(path), target)
            continue
        with _on_disk(path) as copied:
            if archives.is_compressed_tar(copied):
                archives.expand_tar(copied, target)
            else:
                with copied.open("rb") as source, write_whole(target) as file:
                    shutil.copyfileobj(source, file)


def _expand(argument: str, roots: dict[str, str]) -> Iterator[Source]:
    if argument.startswith(CORPUS_PREFIX):
        name = argument.removeprefix(CORPUS_PREFIX)
        yield from _in_folder(corpus_folder(name), name)
        return
    if remote_files.is_remote(argument):
        yield from _remote(argument, roots)
        return
    if os.path.exists(argument):
        yield from _in_path(pathlib.Path(argument), roots)
        return
    matches = sorted(glob.glob(argument, recursive=True))
    if not matches:
        raise EtudeError(f"{argument} does not exist; give a music file, a folder, an archive or {corpus_names()}")
    for match in matches:
        path = pathlib.Path(match)
        # A glob may well match other files; a name that is typed out may not.
        if path.is_dir() or archives.is_archive(path) or _suffix(path.name) in FORMATS:
            yield from _in_path(path, roots)


def _in_path(path: pathlib.Path, roots: dict[str, str]) -> Iterator[Source]:
    if path.is_dir():
        yield from _in_folder(path, _collection_name(path, roots))
    elif archives.is_archive(path):
        yield from _members(path, _collection_name(path, roots), os.path.abspath(path), path.stat().st_mtime_ns)
    elif _suffix(path.name) in FORMATS:
        yield _file(Entry(path, path.name, file_problem(path)), _collection_name(path.absolute().parent, roots))
    else:
        raise EtudeError(
            f"{path} is no music file by its name; known extensions are {' '.join(FORMATS)} {' '.join(archives.SUFFIXES)}"
        )


def _in_folder(folder: pathlib.Path, collection: str) -> Iterator[Source]:
    for entry in walk(folder):
        if entry.problem:
            if _may_be_music(entry.name):
                yield _file(entry, collection)
        elif _suffix(entry.name) in FORMATS:
            yield _file(entry, collection)
        elif archives.is_archive(entry.name):
            modified = entry.path.stat().st_mtime_ns
            yield from _inner_members(entry.path, collection, os.path.abspath(entry.path), modified, entry.name)


def _remote(address: str, roots: dict[str, str]) -> Iterator[Source]:
    """Remote files: `address` is one of them, a glob or a folder."""
    is_glob = any(character in address for character in "*?[")
    is_file = not is_glob and (_suffix(address) in FORMATS or archives.is_archive(address))
    folder = address.rstrip("/")
    matches = remote_files.match(address if is_glob or is_file else f"{folder}/**")
    if not matches and is_file:  # perhaps a folder with an odd name
        is_file, matches = False, remote_files.match(f"{folder}/**")
    if not matches:
        raise EtudeError(f"{address} does not exist or is empty; give a music file, a folder or an archive")
    root = re.split(r"[*?[]", address)[0].rpartition("/")[0] if is_glob or is_file else folder
    for found in matches:
        if any(map(is_hidden, found.path.removeprefix(f"{root}/").split("/"))):
            continue
        parent = found.path.rpartition("/")[0] if is_glob or is_file else folder
        name = found.path.removeprefix(f"{parent}/")
        if _suffix(name) in FORMATS:
            collection = _collection_name(parent, roots)
            yield Source(collection, _printable(name), found.path, size=found.size, modified=found.modified)
        elif archives.is_archive(name):
            with _on_disk(found.path) as archive:
                if is_glob or is_file:
                    yield from _members(archive, _collection_name(found.path, roots), found.path, found.modified)
                else:
                    collection = _collection_name(parent, roots)
                    yield from _inner_members(archive, collection, found.path, found.modified, name)


def _members(archive: pathlib.Path, collection: str, path: str, modified: int, folder: str = "") -> Iterator[Source]:
    """The music of an archive.

    Args:
      archive: where it is on disk now.
      collection: what its members belong to.
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
                *(collection, name, path, member.name, member.offset, member.packing, member.size, modified, problem)
            )


def _inner_members(archive: pathlib.Path, collection: str, path: str, modified: int, name: str) -> Iterator[Source]:
    """The music of an archive that lies in a folder, whose other files are read though this one is damaged."""
    try:
        yield from _members(archive, collection, path, modified, name)
    except EtudeError as error:
        yield Source(collection, _printable(name), path, modified=modified, problem=str(error))


@contextlib.contextmanager
def _on_disk(path: str) -> Iterator[pathlib.Path]:
    """An archive on disk; a remote one is there for as long as the block runs."""
    if not remote_files.is_remote(path):
        yield pathlib.Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="etude-") as folder:
        copied = pathlib.Path(folder, path.rpartition("/")[2])
        remote_files.copy(path, copied)
        yield copied


def _file(entry: Entry, collection: str) -> Source:
    path = os.path.abspath(entry.path)
    if entry.problem:
        return Source(collection, _printable(entry.name), path, problem=entry.problem)
    status = entry.path.stat()
    return Source(collection, _printable(entry.name), path, size=status.st_size, modified=status.st_mtime_ns)


def _collection_name(root: pathlib.Path | str, roots: dict[str, str]) -> str:
    """The last part of the root's name, with a number if another root has that name."""
    key = str(root) if remote_files.is_remote(str(root)) else os.path.realpath(root)
    if key not in roots:
        name = _printable(os.path.basename(key))
        taken = set(roots.values())
        number = 1
        unique = name
        while unique in taken or unique in CORPORA:
            number += 1
            unique = f"{name}-{number}"
        roots[key] = unique
    return roots[key]


def _with_unique_names(sources: list[Source]) -> list[Source]:
    """Numbers sources that share a name (an archive may hold the same path twice)."""
    taken: set[str] = set()
    unique = []
    for source in sources:
        stem, suffix = os.path.splitext(source.name)
        number = 1
        while source.full_name in taken:
            number += 1
            source = dataclasses.replace(source, name=f"{stem}~{number}{suffix}")
        taken.add(source.full_name)
        unique.append(source)
    return unique


def _readable_archive(path: str, folder: pathlib.Path) -> pathlib.Path:
    """Where the members of an archive can be read: itself, or what `expand_archives` makes of it."""
    if not remote_files.is_remote(path) and not archives.is_compressed_tar(pathlib.Path(path)):
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


def _nothing_found(arguments: Sequence[str]) -> str:
    return f"no music files in {' '.join(arguments)}; looked for {' '.join(FORMATS)}"

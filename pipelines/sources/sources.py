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
from etude.pipelines.sources import archives, remote_files
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
    """

    collection: str
    name: str
    path: str
    member: str = ""
    offset: int = -1
    size: int = 0
    modified: int = 0

    @property
    def full_name(self) -> str:
        """Collection and name, unique in a list of sources."""
        return f"{self.collection}/{self.name}" if self.collection else self.name

    @property
    def format(self) -> str:
        """What it is written in: "midi", "abc" or "musicxml"."""
        return FORMATS[_suffix(self.name)]


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
    roots: dict[str, str] = {}
    found: dict[tuple[str, str], Source] = {}
    for argument in arguments:
        for source in _expand(argument, roots):
            place = source.path if remote_files.is_remote(source.path) else os.path.realpath(source.path)
            found.setdefault((place, source.member), source)
    if not found:
        raise EtudeError(_nothing_found(arguments))
    return _with_unique_names(sorted(found.values(), key=lambda source: (source.collection, source.name, source.path)))


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
    """Puts each archive where workers can read its members in any order: remote ones fetched, compressed .tar expanded."""
    for path in sorted({source.path for source in sources if source.member}):
        target = _readable_archive(path, folder)
        if str(target) == path or target.exists():
            continue
        if archives.is_compressed_tar(path):
            with _on_disk(path) as archive:
                archives.expand_tar(archive, target)
        else:
            remote_files.copy(path, target)


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
        yield from _in_archive(path, _collection_name(path, roots))
    elif _suffix(path.name) in FORMATS:
        yield _file(path, _collection_name(path.absolute().parent, roots), path.name)
    else:
        raise EtudeError(
            f"{path} is no music file by its name; known extensions are {' '.join(FORMATS)} {' '.join(archives.SUFFIXES)}"
        )


def _in_folder(folder: pathlib.Path, collection: str) -> Iterator[Source]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in names:
            path = pathlib.Path(parent, name)
            if not _is_hidden(name) and _suffix(name) in FORMATS and path.is_file():
                yield _file(path, collection, path.relative_to(folder).as_posix())


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
        if any(map(_is_hidden, found.path.removeprefix(f"{root}/").split("/"))):
            continue
        parent = found.path.rpartition("/")[0] if is_glob or is_file else folder
        name = found.path.removeprefix(f"{parent}/")
        if _suffix(name) in FORMATS:
            collection = _collection_name(parent, roots)
            yield Source(collection, _printable(name), found.path, size=found.size, modified=found.modified)
        elif archives.is_archive(name) and (is_glob or is_file):
            with _on_disk(found.path) as archive:
                yield from _members(archive, _collection_name(found.path, roots), found.path, found.modified)


def _in_archive(path: pathlib.Path, collection: str) -> Iterator[Source]:
    return _members(path, collection, os.path.abspath(path), path.stat().st_mtime_ns)


def _members(archive: pathlib.Path, collection: str, path: str, modified: int) -> Iterator[Source]:
    for member in archives.list_members(archive):
        parts = [part for part in member.name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if _suffix(member.name) in FORMATS and not any(map(_is_hidden, parts)):
            yield Source(
                collection, _printable("/".join(parts)), path, member.name, member.offset, member.size, modified
            )


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


def _file(path: pathlib.Path, collection: str, name: str) -> Source:
    status = path.stat()
    return Source(collection, _printable(name), os.path.abspath(path), size=status.st_size, modified=status.st_mtime_ns)


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
    if not archives.is_compressed_tar(path) and not remote_files.is_remote(path):
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


def _nothing_found(arguments: Sequence[str]) -> str:
    message = f"no music files in {' '.join(arguments)}; looked for {' '.join(FORMATS)}"
    for argument in arguments:
        if os.path.isdir(argument):
            inside = [name for name in sorted(os.listdir(argument)) if archives.is_archive(name)]
            if inside:
                return f"{message} (it holds archives, which have to be named: {os.path.join(argument, inside[0])})"
    return message

"""Tar archives: every file in them, also behind damage and by its links."""

import pathlib
import posixpath
import tarfile
from collections.abc import Iterator
from typing import Literal, TypeAlias

from etude.pipelines.sources.member import Member

Compression: TypeAlias = Literal["", "gz", "bz2", "xz"]
_MODES: dict[Compression, Literal["r:", "r:gz", "r:bz2", "r:xz"]] = {
    "": "r:",
    "gz": "r:gz",
    "bz2": "r:bz2",
    "xz": "r:xz",
}
_MAGIC: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"))
_MOST_LINKS = 40
"""From one to the next, as in Linux."""


def compression(path: pathlib.Path) -> Compression:
    """How a file is compressed, by its first bytes: names lie."""
    with path.open("rb") as file:
        start = file.read(6)
    return next((name for magic, name in _MAGIC if start.startswith(magic)), "")


def list_tar(path: pathlib.Path) -> Iterator[Member]:
    """Yields the files of a .tar, compressed or not: in its order, at last the links. A damaged stretch is one, too.

    A hard link or a link that leads to a file of the archive is that file under another name. Of files with the same
    name all are given, as they lie at different places.

    Raises:
      tarfile.TarError and others: if nothing of it can be read, or the compressed data is damaged.
    """
    files: dict[str, Member] = {}
    links: dict[str, str] = {}
    folders: set[str] = set()
    damage: list[Member] = []
    with tarfile.open(
        path,
        _MODES[compression(path)],
        tarinfo=_watched_header(damage),
        ignore_zeros=True,  # reads on behind damage, and what `cat` put behind another archive
        encoding="utf-8",
        errors="surrogateescape",
    ) as tar:
        is_tar = False
        while (entry := _next(tar, damage)) is not None:
            is_tar = True
            yield from _taken(damage)
            name = posixpath.normpath(entry.name)
            if entry.issym() or entry.islnk():
                folder = posixpath.dirname(name) if entry.issym() else ""
                links[name] = posixpath.normpath(posixpath.join(folder, entry.linkname))
            elif entry.isreg() and not entry.sparse:
                files[name] = Member(entry.name, entry.size, entry.offset_data)
                yield files[name]
            elif entry.isdir():
                folders.add(name)
            else:
                yield Member(entry.name, problem="is no plain file; unpack its archive")
    if damage and not is_tar:
        raise tarfile.ReadError(damage[0].problem)
    yield from _taken(damage)
    for name, target in links.items():
        if target not in folders:
            yield _follow(name, links, files)


def _next(tar: tarfile.TarFile, damage: list[Member]) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except tarfile.ReadError as error:  # the last file goes beyond the end
        damage.append(_damage(tar.offset, error))
        return None


def _watched_header(damage: list[Member]) -> type[tarfile.TarInfo]:
    """Headers of which the damaged ones are put down, one for each stretch, before they are passed over."""
    is_sound = True

    class Header(tarfile.TarInfo):
        @classmethod
        def fromtarfile(cls, tar: tarfile.TarFile) -> "Header":
            nonlocal is_sound
            try:
                header = super().fromtarfile(tar)
            except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
                raise
            except tarfile.HeaderError as error:
                if is_sound:
                    damage.append(_damage(tar.offset, error))
                is_sound = False
                raise tarfile.InvalidHeaderError(str(error)) from error  # type: ignore[attr-defined]
            is_sound = True
            return header

    return Header


def _damage(offset: int, error: Exception) -> Member:
    return Member(f"byte {offset}", problem=f"is damaged from byte {offset} on: {error}; fetch the archive again")


def _taken(damage: list[Member]) -> list[Member]:
    taken = damage.copy()
    damage.clear()
    return taken


def _follow(name: str, links: dict[str, str], files: dict[str, Member]) -> Member:
    """The file that a link leads to, under the name of the link."""
    target = name
    for _ in range(_MOST_LINKS):
        if target in files:
            return files[target]._replace(name=name)
        if target not in links:
            break
        target = links[target]
    return Member(name, problem=f"is a link to {links[name]}, which is no file of the archive")

"""What collections and files are called: each by a name of its own, wherever they lie."""

import dataclasses
import os
from collections.abc import Iterable, Iterator

from etude.pipelines.files import file_systems
from etude.pipelines.sources.corpora import CORPORA, CORPUS_PREFIX
from etude.pipelines.sources.source import Source, printable


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
        name = unique = printable(os.path.basename(root))
        number = 1
        while unique in taken:
            number += 1
            unique = f"{name}-{number}"
        taken.add(unique)
        names[root] = unique
    return names


def place(source: Source) -> str:
    """Where the bytes of a source are: two names for one file have the same place."""
    is_as_named = bool(source.problem) or file_systems.is_remote(source.path)
    path = source.path if is_as_named else os.path.realpath(source.path)
    return f"{path}\0{source.member}\0{source.offset}"


def number_names(sources: Iterable[Source]) -> Iterator[Source]:
    """Tells sources of one name apart by a number; their places decide the order."""
    for number, source in enumerate(sorted(sources, key=lambda source: (source.path, source.offset)), start=1):
        stem, suffix = os.path.splitext(source.name)
        yield source if number == 1 else dataclasses.replace(source, name=f"{stem}~{number}{suffix}")

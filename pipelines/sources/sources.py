"""What `etude convert` is given, expanded to a sorted list of music files.

A source is a file, a folder (searched recursively, with the archives in it), a glob, an archive or `corpus:NAME`; the
first four may be remote, where Beam has a file system for them. Names are relative to the collection that a file belongs
to, so that they do not depend on where it lies. What is found and cannot be read is a source with a problem: nothing is
passed over in silence but files that are no music by their names, and hidden ones.
"""

import dataclasses
from collections.abc import Sequence

from etude.models.errors import EtudeError
from etude.pipelines.sources.find import find
from etude.pipelines.sources.names import collection_names, number_names, place
from etude.pipelines.sources.source import FORMATS, Source


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
            found.setdefault(place(source), source)
    if not found:
        raise EtudeError(nothing_found(arguments))
    names = collection_names(roots)
    named = [dataclasses.replace(source, collection=names[source.root]) for source in found.values()]
    return _with_unique_names(sorted(named, key=lambda source: (source.collection, source.name, source.path)))


def _with_unique_names(sources: list[Source]) -> list[Source]:
    """Numbers sources that share a name (an archive may hold the same path twice)."""
    groups: dict[str, list[Source]] = {}
    for source in sources:
        groups.setdefault(source.full_name, []).append(source)
    return [numbered for group in groups.values() for numbered in number_names(group)]


def nothing_found(arguments: Sequence[str]) -> str:
    """Says that the arguments hold no music, and what was looked for."""
    return f"no music files in {' '.join(arguments)}; looked for {' '.join(FORMATS)}"

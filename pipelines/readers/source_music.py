"""The bytes of a source to be read, archives unpacked where need be."""

import pathlib

from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.sources.read import SourceError, expand_archives, read_source
from etude.pipelines.sources.source import Source


def fetch(source: Source, folder: pathlib.Path) -> bytes | Reading:
    """The bytes of a source, or a reading that says why there are none.

    Args:
      source: where the file is.
      folder: where archives are unpacked, each once.

    Raises:
      EtudeError: if an archive cannot be unpacked.
    """
    try:
        if source.member and not source.problem:
            expand_archives([source], folder)
        return read_source(source, folder)
    except SourceError as error:
        return Reading(rejected=Rejected("unreachable", str(error)))
    except ValueError as error:
        return Reading(rejected=Rejected("unreadable", str(error)))

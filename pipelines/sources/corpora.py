"""The collections that `corpus:NAME` stands for."""

import importlib.util
import pathlib
from collections.abc import Sequence

from etude.models.errors import EtudeError

CORPUS_PREFIX = "corpus:"
CORPORA = ("ryansMammoth", "oneills1850", "airdsAirs", "essenFolksong", "miscFolk", "bach")
"""Collections that the music21 package carries."""
NON_COMMERCIAL_CORPORA = ("essenFolksong",)


def licence_notes(arguments: Sequence[str]) -> list[str]:
    """What a user of these sources has to know about their licence."""
    return [
        f"{CORPUS_PREFIX}{name} is licensed for non-commercial use only"
        for name in NON_COMMERCIAL_CORPORA
        if CORPUS_PREFIX + name in arguments
    ]


def corpus_folder(name: str) -> pathlib.Path:
    """The folder of a collection.

    Raises:
      EtudeError: if there is no such collection, or it is not installed.
    """
    if name not in CORPORA:
        raise EtudeError(f"there is no {CORPUS_PREFIX}{name}; there is {corpus_names()}")
    package = importlib.util.find_spec("music21")
    if package is None or not package.submodule_search_locations:
        raise EtudeError(f"{CORPUS_PREFIX}{name} is read from the music21 package: pip install 'etude[demo]'")
    folder = pathlib.Path(package.submodule_search_locations[0]) / "corpus" / name
    if not folder.is_dir():
        raise EtudeError(
            f"the installed music21 has no {folder}; install music21 10 or another that carries its corpus"
        )
    return folder


def corpus_names() -> str:
    """The names of all collections, for messages."""
    return ", ".join(CORPUS_PREFIX + name for name in CORPORA)

"""The representations by name. Another one is added by a line here, or named as MODULE:CLASS from anywhere."""

import importlib
from collections.abc import Mapping

from etude.models.errors import UsageError
from etude.models.representations.representation import Representation

MELODY = "melody"
REPRESENTATIONS = {
    MELODY: "etude.models.representations.melody:MelodyRepresentation",
    "abc_characters": "etude.models.representations.abc_characters:AbcCharacters",
    "abc_tokens": "etude.models.representations.abc_tokens:AbcTokens",
}


def representation_class(name: str) -> type[Representation]:
    """The class of a representation.

    Args:
      name: out of `REPRESENTATIONS`, or MODULE:CLASS of one that is installed beside Etude.

    Raises:
      UsageError: if there is none.
    """
    module, _, cls = REPRESENTATIONS.get(name, name).partition(":")
    try:
        found = getattr(importlib.import_module(module), cls)
    except (ImportError, AttributeError, ValueError) as error:
        names = ", ".join(REPRESENTATIONS)
        raise UsageError(f"there is no representation {name!r}; there is {names}, or MODULE:CLASS") from error
    if not (isinstance(found, type) and issubclass(found, Representation)):
        raise UsageError(f"{name} is no representation: {cls} does not derive from Representation")
    return found


def make_representation(name: str, options: Mapping[str, str] | None = None) -> Representation:
    """A representation with its options, each as JSON.

    Raises:
      UsageError: if there is none of this name.
      EtudeError: if it has no such options.
    """
    return representation_class(name).of(options or {})

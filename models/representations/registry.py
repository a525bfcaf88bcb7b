"""The representations by name. Another one is added by a line here, or named as MODULE:CLASS from anywhere."""

import importlib
from collections.abc import Mapping

from etude.models.errors import UsageError
from etude.models.registry import FAMILIES
from etude.models.representations.representation import Representation
from etude.models.sequences.domain import LEAD_SHEET, MELODY

REPRESENTATIONS = {
    MELODY: "etude.models.representations.melody:MelodyRepresentation",
    LEAD_SHEET: "etude.models.representations.lead_sheet:LeadSheetRepresentation",
    "abc_characters": "etude.models.representations.abc_characters:AbcCharacters",
    "abc_tokens": "etude.models.representations.abc_tokens:AbcTokens",
    "drums": "etude.models.representations.drums:Drums",
    "one_drum": "etude.models.representations.drums:OneDrum",
    "polyphony": "etude.models.representations.polyphony:Polyphony",
    "notes_and_chords": "etude.models.representations.notes_and_chords:NotesAndChords",
    "notes_and_chords_as_described": "etude.models.representations.notes_and_chords:NotesAndChordsAsDescribed",
    "notes_and_chords_as_published": "etude.models.representations.notes_and_chords:NotesAndChordsAsPublished",
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


def find_representation(name: str) -> str:
    """What a representation is typed as, from its own name: one of those here, or of the families in use.

    So that a file, which may name no module, can name what its user's families read.

    Raises:
      UsageError: if there is none.
    """
    names = [*REPRESENTATIONS, *(family.representation for family in FAMILIES.values() if family.representation)]
    known = {representation_class(typed).name: typed for typed in dict.fromkeys(names)}
    if name not in known:
        raise UsageError(f"there is no representation {name!r} among those of the families in use: {', '.join(known)}")
    return known[name]


def make_representation(name: str, options: Mapping[str, str] | None = None) -> Representation:
    """A representation with its options, each as JSON.

    Raises:
      UsageError: if there is none of this name.
      EtudeError: if it has no such options.
    """
    return representation_class(name).of(options or {})

"""The families of models by name. A new family is a new folder and one line here; one of another package is used by name.

`etude train --config MODULE:NAME` imports it from wherever Python finds MODULE, and every command that reads its runs takes
`--family MODULE:NAME`. Runs store the family's own name alone: nothing that is read from a file is ever imported.
"""

import dataclasses
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from etude.models import (
    abc_characters,
    abc_tokens,
    attention,
    attention_improv,
    basic,
    basic_improv,
    chord_pitches_improv,
    drums,
    lookback,
    mono,
    ngram,
    notes_and_chords,
    polyphony,
)
from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding
from etude.models.errors import UsageError, did_you_mean
from etude.models.family import Family
from etude.models.hyperparameters import override
from etude.models.sequences.domain import MELODIC, Domain

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        basic.FAMILY,
        lookback.FAMILY,
        attention.FAMILY,
        mono.FAMILY,
        basic_improv.FAMILY,
        attention_improv.FAMILY,
        chord_pitches_improv.FAMILY,
        abc_characters.FAMILY,
        abc_tokens.FAMILY,
        drums.FAMILY,
        drums.ONE_DRUM,
        polyphony.FAMILY,
        notes_and_chords.FAMILY,
        notes_and_chords.AS_DESCRIBED,
        notes_and_chords.AS_PUBLISHED,
        ngram.FAMILY,
    )
}


ALIASES = {"drum-kit": "drums", "improv": "basic-improv"}
"""Other names of families."""

USED: dict[str, Family] = {}
"""The families of other packages that are in use, by MODULE:NAME: what another process has to be told."""


def use_family(name: str) -> Family:
    """Imports a family of another package and registers it under its own name, for the rest of the process.

    Only for what a user typed: it runs the code of the module.

    Args:
      name: MODULE:NAME, where NAME is a `Family` in the module.

    Raises:
      UsageError: if there is none, or one of Etude's is called the same.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever the module raises
        raise UsageError(f"there is no family {name!r}: {error}; name it as MODULE:NAME") from error
    if not isinstance(found, Family):
        raise UsageError(f"{name} is a {type(found).__name__}, not a Family")
    if FAMILIES.get(found.name) not in (None, USED.get(name), found):
        raise UsageError(f"{name} is called {found.name!r}, as another family is; give it another name")
    FAMILIES[found.name] = USED[name] = found
    return found


def family(name: str) -> Family:
    """The family called `name`; Magenta's names (basic_rnn and so on) and underscores are accepted.

    Raises:
      UsageError: if there is none; the message lists them.
    """
    plain = name.removesuffix("_rnn").replace("_", "-")
    found = FAMILIES.get(name) or FAMILIES.get(ALIASES.get(plain, plain))
    if found is None:
        hint = did_you_mean(name, FAMILIES)
        raise UsageError(f"unknown configuration {name!r}{hint or ';'} choose one of: {', '.join(FAMILIES)}")
    return found


def families_of(representation: str) -> list[str]:
    """Names of the families that read a representation, those that read any of them last."""
    found = [family for family in FAMILIES.values() if family.representation in (representation, "")]
    return [family.name for family in sorted(found, key=lambda family: not family.representation)]


def typed_family(name: str) -> Family:
    """The family that a user named: one of those here, or MODULE:NAME of another package.

    Raises:
      UsageError: if there is none.
    """
    return use_family(name) if ":" in name else family(name)


def use_families(names: Iterable[str]) -> None:
    """Imports families that another process of this command uses, where they are not in use yet."""
    for name in names:
        if name not in USED:
            use_family(name)


def configure(name: str, overrides: Mapping[str, Any] | None = None, **fields: Any) -> Configuration:
    """A family's default configuration with some hyperparameters and fields replaced.

    Args:
      name: the family.
      overrides: hyperparameters to replace.
      **fields: other fields of `Configuration` to replace.

    Raises:
      UsageError: if a name is unknown, or a value is invalid or does not go with the family.
    """
    found = family(name)
    defaults = found.defaults
    hyperparameters = override(defaults.hyperparameters, overrides or {})
    if found.representation not in ("", *MELODIC) and {"min_note", "max_note"} & fields.keys():
        raise UsageError(f"configuration {found.name} has no range of pitches: leave out --min-note and --max-note")
    try:
        return dataclasses.replace(defaults, hyperparameters=hyperparameters, **fields)
    except ValueError as error:
        raise UsageError(str(error)) from error


def make_encoding(configuration: Configuration) -> Encoding:
    """The encoding of a configuration."""
    return family(configuration.config).make_encoding(configuration)


def make_domain(configuration: Configuration) -> Domain:
    """The sequences that a configuration knows: for a family that reads any representation, those that its readers know."""
    found = family(configuration.config)
    if not found.representation:
        found = family(families_of(configuration.representation)[0])
    return found.make_domain(configuration)

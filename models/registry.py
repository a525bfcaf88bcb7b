"""The families of models by name. A new family is a new folder and one line here; those of other packages register."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from etude.models import attention, basic, lookback, mono, ngram
from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding
from etude.models.errors import UsageError, did_you_mean
from etude.models.family import Family
from etude.models.hyperparameters import override
from etude.models.sequences.domain import Domain

FAMILIES: dict[str, Family] = {
    family.name: family for family in (basic.FAMILY, lookback.FAMILY, attention.FAMILY, mono.FAMILY, ngram.FAMILY)
}


def register(new: Family) -> None:
    """Adds a family of another package under its name, for the rest of the process."""
    FAMILIES[new.name] = new


def family(name: str) -> Family:
    """The family called `name`; Magenta's names (basic_rnn and so on) are accepted.

    Raises:
      UsageError: if there is none; the message lists them.
    """
    found = FAMILIES.get(name.removesuffix("_rnn"))
    if found is None:
        hint = did_you_mean(name, FAMILIES)
        raise UsageError(f"unknown configuration {name!r}{hint or ';'} choose one of: {', '.join(FAMILIES)}")
    return found


def configure(name: str, overrides: Mapping[str, Any] | None = None, **fields: Any) -> Configuration:
    """A family's default configuration with some hyperparameters and fields replaced.

    Args:
      name: the family.
      overrides: hyperparameters to replace.
      **fields: other fields of `Configuration` to replace.

    Raises:
      UsageError: if a name is unknown, or a value is invalid or does not go with the family.
    """
    defaults = family(name).defaults
    hyperparameters = override(defaults.hyperparameters, overrides or {})
    try:
        return dataclasses.replace(defaults, hyperparameters=hyperparameters, **fields)
    except ValueError as error:
        raise UsageError(str(error)) from error


def make_encoding(configuration: Configuration) -> Encoding:
    """The encoding of a configuration."""
    return family(configuration.config).make_encoding(configuration)


def make_domain(configuration: Configuration) -> Domain:
    """The sequences that a configuration knows."""
    return family(configuration.config).make_domain(configuration)

"""`--list-hparams NAME`: the hyperparameters of a family, with their defaults and meanings."""

import argparse
import textwrap
from collections.abc import Sequence
from typing import Any

WIDTH = 100


class ListHyperparameters(argparse.Action):
    """Prints the list and ends, as `--help` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Prints those of the family that is named."""
        from etude.models.errors import UsageError
        from etude.models.registry import typed_family

        try:
            found = typed_family(str(values))
        except UsageError as error:
            parser.error(str(error))
        print(f"hyperparameters of {found.name}, for --hparams NAME=VALUE,...; with their defaults:\n")
        print(listed(found.defaults.hyperparameters))
        parser.exit()


def listed(hyperparameters: Any) -> str:
    """A line or more for every value of a dataclass of hyperparameters."""
    from etude.models.hyperparameters import as_text, meanings

    values, means = as_text(hyperparameters), meanings(hyperparameters)
    heads = {name: f"  {name}={text}" for name, text in values.items()}
    indent = max(map(len, heads.values())) + 2
    return "\n".join(
        textwrap.fill(means[name], WIDTH, initial_indent=head.ljust(indent), subsequent_indent=" " * indent)
        if means[name]
        else head
        for name, head in heads.items()
    )

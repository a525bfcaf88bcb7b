"""What a family of models tells the rest: its name, its defaults and its encoding."""

import dataclasses
from collections.abc import Callable

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding


@dataclasses.dataclass(frozen=True)
class Family:
    """A family of models: everything outside its folder that needs to know it goes through this.

    Attributes:
      name: what `--config` takes.
      title: how reports call it.
      summary: one sentence on what it sees and predicts.
      defaults: its default configuration.
      make_encoding: the encoding of a configuration of this family.
    """

    name: str
    title: str
    summary: str
    defaults: Configuration
    make_encoding: Callable[[Configuration], Encoding]

"""Models that come with Etude, one a folder: a run's configuration and its weights in half precision, and a card.

`scripts/pretrain.py` trains them.
"""

import pathlib

from etude.models.errors import EtudeError, did_you_mean
from etude.models.storage.run_directory import CONFIG_FILE

PREFIX = "pretrained:"
"""What stands before their names where a model is asked for."""


def names() -> list[str]:
    """Of all there are, as one types them."""
    return sorted(PREFIX + file.parent.name for file in _HERE.glob(f"*/{CONFIG_FILE}"))


def located(path: pathlib.Path) -> pathlib.Path:
    """The run directory of a model that comes with Etude; any other path as it is.

    Raises:
      EtudeError: if there is no such model; the message lists those that there are.
    """
    typed = str(path)
    if not typed.startswith(PREFIX):
        return path
    if typed not in names():
        hint = did_you_mean(typed, names())
        raise EtudeError(
            f"there is no model {typed}{hint or ';'} those that come with Etude are: {', '.join(names()) or 'none'}"
        )
    return _HERE / typed.removeprefix(PREFIX)


_HERE = pathlib.Path(__file__).parent

"""What a study keeps of the steps that it has finished, and how far it is as a whole."""

import contextlib
import hashlib
import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from models.files import write_text
from models.progress import Progress

FOLDER = ".etude-study"

Share = Callable[[str], Progress]
"""From what is being done to the progress of one step."""

_UNITS = 10000


class Finished:
    """The steps of a study that are finished, each with a hash of all that it depends on."""

    def __init__(self, output: pathlib.Path, inputs: Any) -> None:
        """Opens the record of a study.

        Args:
          output: the study's folder.
          inputs: what every step depends on.
        """
        self._folder = output / FOLDER
        self._inputs = inputs
        self._hashes: dict[str, str] = {}

    @contextlib.contextmanager
    def step(
        self, name: str, inputs: Any, products: Sequence[pathlib.Path], after: str | None = None
    ) -> Iterator[bool]:
        """Surrounds a step; once the block ends without an error, the step counts as finished.

        Args:
          name: of the step.
          inputs: what it depends on.
          products: files and folders that it makes.
          after: a step whose results it takes, done before.

        Yields:
          Whether it was finished before, from the same inputs, and its products are still there.
        """
        text = repr([self._inputs, inputs, self._hashes[after] if after else ""])
        digest = hashlib.sha256(text.encode()).hexdigest()
        record = self._folder / f"{name.replace(' ', '-')}.json"
        is_finished = _read(record) == digest and all(product.exists() for product in products)
        yield is_finished
        if not is_finished:
            write_text(record, json.dumps({"step": name, "inputs": digest}) + "\n")
        self._hashes[name] = digest

    def so_far(self) -> dict[str, str]:
        """The hashes of all steps that were taken, by name."""
        return dict(self._hashes)


def shares(costs: Sequence[float], progress: Progress) -> list[Share]:
    """The progress of each step of a whole.

    Args:
      costs: about how long each step takes, in any unit.
      progress: told of the whole.

    Returns:
      For each step, a function that takes what is being done and returns the progress to give to the step.
    """
    whole = sum(costs)
    furthest = 0
    starts = [sum(costs[:index]) for index in range(len(costs))]

    def share(index: int) -> Share:
        def named(what: str) -> Progress:
            def told(done: int, total: int, note: str = "") -> None:
                within = done / total if total else 0.0
                nonlocal furthest
                # A step may count anew for each of its phases; the whole never goes back.
                furthest = max(furthest, round(_UNITS * (starts[index] + within * costs[index]) / whole))
                progress(furthest, _UNITS, f"{index + 1}/{len(costs)} {what}" + (f": {note}" if note else ""))

            return told

        return named

    return [share(index) for index in range(len(costs))]


def _read(record: pathlib.Path) -> str:
    try:
        return str(json.loads(record.read_text())["inputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""

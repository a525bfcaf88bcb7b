"""What a study keeps of the steps that it has finished, and how far it is as a whole."""

import contextlib
import hashlib
import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from etude.models.progress import Progress
from etude.models.storage.files import write_text

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

    def is_finished(self, name: str, inputs: Any, products: Sequence[pathlib.Path], after: str | None = None) -> bool:
        """Whether a step was finished before, from the same inputs, and its products are still there.

        Args:
          name: of the step.
          inputs: what it depends on.
          products: files and folders that it makes.
          after: a step whose results it takes, asked for before.
        """
        text = repr([self._inputs, inputs, self._hashes[after] if after else ""])
        self._hashes[name] = hashlib.sha256(text.encode()).hexdigest()
        return _read(self._record(name)) == self._hashes[name] and all(product.exists() for product in products)

    def record(self, name: str) -> None:
        """Keeps that a step is finished, which `is_finished` was asked for."""
        write_text(self._record(name), json.dumps({"step": name, "inputs": self._hashes[name]}) + "\n")

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
          Whether it was finished before; see `is_finished`.
        """
        was_finished = self.is_finished(name, inputs, products, after)
        yield was_finished
        if not was_finished:
            self.record(name)

    def so_far(self) -> dict[str, str]:
        """The hashes of all steps that were taken, by name."""
        return dict(self._hashes)

    def _record(self, name: str) -> pathlib.Path:
        return self._folder / f"{name.replace(' ', '-')}.json"


def shares(costs: Sequence[float], progress: Progress) -> list[Share]:
    """The progress of each step of a whole; several steps may be under way at once.

    Args:
      costs: about how long each step takes, in any unit.
      progress: called with the count of the whole.

    Returns:
      For each step, a function that takes what is being done and returns the progress to give to the step.
    """
    whole = sum(costs)
    reached = [0.0] * len(costs)

    def share(index: int) -> Share:
        def named(what: str) -> Progress:
            def report(done: int, total: int, note: str = "") -> None:
                # A step may count anew for each of its phases; the whole never goes back.
                reached[index] = max(reached[index], costs[index] * done / total if total else 0.0)
                state = f"{index + 1}/{len(costs)} {what}" + (f": {note}" if note else "")
                progress(round(_UNITS * sum(reached) / whole), _UNITS, state)

            return report

        return named

    return [share(index) for index in range(len(costs))]


def _read(record: pathlib.Path) -> str:
    try:
        return str(json.loads(record.read_text())["inputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""

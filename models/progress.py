"""How long work tells the caller how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Receives the state of a task that can take more than two seconds."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Takes note that `done` of `total` units are finished; `note` is a short remark to show beside it."""


def silent(done: int, total: int, note: str = "") -> None:
    """Shows nothing; the default wherever a `Progress` is asked for."""

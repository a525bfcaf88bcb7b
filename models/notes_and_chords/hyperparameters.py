"""Hyperparameters of notes and chords."""

import dataclasses

from etude.models.hyperparameters import Hyperparameters, value

INDEX, SCALAR = TOKEN_INPUTS = ("index", "scalar")


@dataclasses.dataclass(frozen=True)
class NotesAndChordsHyperparameters(Hyperparameters):
    """Those of a network, and how it sees a token."""

    token_input: str = value(
        INDEX,
        "how a token is seen: by its index (one-hot, or embedded), or as published as a scalar, its index / tokens",
    )

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
          UsageError: naming the hyperparameter, its value and what it may be.
        """
        super().__post_init__()
        self.require("token_input", self.token_input in TOKEN_INPUTS, " or ".join(TOKEN_INPUTS))

"""What is wrong with a tune, and where."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something in a tune that is not as it should be.

    Attributes:
      message: what was met and what was expected.
      line: the line of the file, from 1.
      column: the column in that line, from 1; 0 for the whole line.
    """

    message: str
    line: int = 0
    column: int = 0

    def describe(self, name: str) -> str:
        """The problem with its place, as compilers write it: `name:line:column: message`."""
        return ":".join([name, *(str(number) for number in (self.line, self.column) if number), f" {self.message}"])


class AbcError(Exception):
    """A tune that cannot be read.

    Attributes:
      message: what was met and what was expected.
      line: the line of the file, from 1; 0 until it is known.
      column: the column, from 0, in the text that is being read; None until it is known.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = 0
        self.column = column


class TooLargeError(AbcError):
    """A tune beyond the bounds of any real one, which a damaged or hostile file has."""

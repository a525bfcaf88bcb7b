"""The text of one tune, read and played."""

from collections.abc import Iterable
from typing import NamedTuple

from etude.models.abc.notation.score import Score
from etude.models.abc.notation.text import split_lines
from etude.models.abc.notation.tune import TuneReader
from etude.models.abc.performance.performance import Performance, perform
from etude.models.abc.problems import AbcError, Problem, TooLargeError

MAX_CHARACTERS = 500_000
"""Longest tune: that of a score for a whole orchestra."""


class ReadTune(NamedTuple):
    """A tune as written and as played, and what was not understood, but changes no note."""

    score: Score
    performance: Performance
    warnings: list[Problem]


def read_lines(lines: Iterable[tuple[int, str]], header: Iterable[tuple[int, str]] = ()) -> ReadTune:
    """Reads and plays a tune.

    Args:
      lines: of the tune, with their numbers in their file.
      header: the lines before the first tune of a file, which hold for all its tunes.

    Raises:
      AbcError: if it cannot be read, with line and column where that is known.
    """
    lines = list(lines)
    if sum(len(line) for _, line in lines) > MAX_CHARACTERS:
        raise TooLargeError(f"expected a tune of at most {MAX_CHARACTERS:,} characters")
    reader = TuneReader()
    reader.read_file_header(header)
    score = reader.read(lines)
    return ReadTune(score, perform(score), reader.warnings)


def read_text(text: str) -> ReadTune:
    """Reads and plays the text of one tune.

    Raises:
      AbcError: if it cannot be read or has no notes.
    """
    tune = read_lines((number, line) for number, line in enumerate(split_lines(text), start=1) if line.strip())
    if not tune.performance.notes:
        raise AbcError("the tune has no notes")
    return tune

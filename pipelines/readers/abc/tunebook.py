"""A file of tunes: bytes to tunes, so that one bad tune costs only itself.

ABC 2.1: a tune starts with `X:` and ends with an empty line; what stands before the first tune holds for all of them;
what stands between tunes is text.
"""

import dataclasses
import re
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, TypeAlias

from etude.models.abc.notation.score import Score
from etude.models.abc.notation.text import decode, decode_string, split_lines
from etude.models.abc.performance.bars import with_rests
from etude.models.abc.performance.performance import Performance
from etude.models.abc.problems import AbcError, Problem, TooLargeError
from etude.models.abc.reading import read_lines
from etude.models.melodies.pickups import NO_RESTS, BarRests
from etude.pipelines.reasons import unexpected

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

MAX_HEADER_LINES = 100

Lines: TypeAlias = list[tuple[int, str]]
_REFERENCE = re.compile(r"\s*X:\s*(\d{0,9})")
_TITLE = re.compile(r"\s*T:(.*)")
_KEY = re.compile(r"\s*K:")
_FIELD_OR_DIRECTIVE = re.compile(r"\s*[A-Za-z+]:|%%")
_TEXT_BLOCK = re.compile(r"%%\s*begin(\w{1,20})\b", re.I)


@dataclasses.dataclass(frozen=True)
class Tune:
    """A tune that was read.

    Attributes:
      reference_number: the number after `X:`, 0 if there is none.
      title: the first `T:`.
      line: the line of the file that it starts on, from 1.
      score: the tune as written.
      performance: the tune as played, repeats and parts played out.
      warnings: what was not understood, but changes no note.
      text: its lines, headers too, without what the file says of all its tunes.
    """

    reference_number: int
    title: str
    line: int
    score: Score
    performance: Performance
    warnings: list[Problem]
    text: str = ""

    def note_sequence(self, rests: BarRests = NO_RESTS) -> "NoteSequence":
        """The tune as a NoteSequence, with the rests that keep its bars, if they are given."""
        from etude.pipelines.readers.abc.note_sequence import make_note_sequence

        sequence = make_note_sequence(self.score, with_rests(self.performance, rests))
        sequence.reference_number = self.reference_number
        return sequence


@dataclasses.dataclass(frozen=True)
class RejectedTune:
    """A tune that cannot be read.

    Attributes:
      reference_number: the number after `X:`, 0 if there is none.
      title: the first `T:`.
      line: the line of the file that it starts on, from 1.
      reason: `abc-syntax`, `too-large`, `no-notes`, or what `unexpected` gives for a fault of this reader.
      detail: file, line, column and what was expected.
    """

    reference_number: int
    title: str
    line: int
    reason: str
    detail: str


def iterate_tunebook(
    data: bytes, name: str = "tunebook", passed_over: Container[int] = ()
) -> Iterator[Tune | RejectedTune]:
    """Reads a file tune by tune, so that a large one needs no more memory than its largest tune.

    Args:
      data: the file, in any encoding that ABC has.
      name: what the file is called in messages.
      passed_over: the places of tunes that are rejected unread, from 0.

    Yields:
      The tunes in order; those that cannot be read with the reason. Nothing if there is no tune.
    """
    header, blocks = split_tunebook(split_lines(decode(data)))
    for place, block in enumerate(blocks):
        yield _read_tune(header, block, name, place in passed_over)


def read_tunebook(data: bytes, name: str = "tunebook") -> list[Tune | RejectedTune]:
    """Reads every tune of a file at once, see `iterate_tunebook`."""
    return list(iterate_tunebook(data, name))


def split_tunebook(lines: list[str]) -> tuple[Lines, list[Lines]]:
    """Cuts a file into its header and its tunes, lines with their numbers.

    An empty line ends a tune, but not its header. A tune whose `X:` is missing is known by its `K:`.
    """
    header: Lines = []
    tunes: list[Lines] = []
    paragraph: Lines = []
    in_tune = has_key = False

    def finish() -> None:
        if in_tune or any(_KEY.match(line) for _, line in paragraph):
            tunes.append(paragraph)
        elif not tunes:
            header.extend(line for line in paragraph if _FIELD_OR_DIRECTIVE.match(line[1]))

    for number, line in _music_lines(lines):
        if line.startswith("X:") or _REFERENCE.match(line):
            finish()
            paragraph, in_tune, has_key = [], True, False
        elif not line or line.isspace():
            if not in_tune or has_key:
                finish()
                paragraph, in_tune = [], False
            continue
        has_key = has_key or bool(_KEY.match(line))
        paragraph.append((number, line))
    finish()
    return header[:MAX_HEADER_LINES], tunes


def _music_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """All lines with their numbers, except what stands from `%%begintext` to `%%endtext` and in blocks like it."""
    block = ""
    for number, line in enumerate(lines, start=1):
        if block:
            if line.startswith("X:"):
                block = ""
            else:
                if re.match(rf"%%\s*end{block}\b", line, re.I):
                    block = ""
                continue
        elif line.startswith("%%") and (begin := _TEXT_BLOCK.match(line)):
            block = begin[1]
            continue
        yield number, line


def _read_tune(header: Lines, lines: Lines, name: str, is_passed_over: bool) -> Tune | RejectedTune:
    start = lines[0][0]
    reference = next((match for _, line in lines if (match := _REFERENCE.match(line))), None)
    number = int(reference[1]) if reference and reference[1] else 0
    title = next((decode_string(match[1]) for _, line in lines if (match := _TITLE.match(line))), "")
    if is_passed_over:
        return RejectedTune(number, title, start, "passed-over", "")
    try:
        score, performance, warnings = read_lines(lines, header)
    except AbcError as error:
        reason = "too-large" if isinstance(error, TooLargeError) else "abc-syntax"
        column = 0 if error.column is None else error.column + 1
        problem = Problem(error.message, error.line or start, column)
        return RejectedTune(number, title, start, reason, problem.describe(name))
    except Exception as error:  # a fault of the reader must not cost the other tunes of the file
        problem = Problem(f"internal error in tune {number}: {type(error).__name__}: {error}", start)
        return RejectedTune(number, title, start, unexpected(error), problem.describe(name))
    if not performance.notes:
        return RejectedTune(number, title, start, "no-notes", Problem("the tune has no notes", start).describe(name))
    text = "".join(f"{line}\n" for _, line in lines)
    return Tune(number, title, start, score, performance, warnings, text)

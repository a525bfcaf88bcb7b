"""Files of folk-rnn's tokens: tunes between empty lines, each `M:` and `K:` on lines of their own, then tokens and spaces."""

import re
from collections.abc import Container, Iterator

from etude.models.abc.notation.text import split_lines
from etude.models.abc.problems import AbcError, Problem, TooLargeError
from etude.models.abc.reading import read_lines
from etude.models.abc.tokens import text_of
from etude.pipelines.readers.abc.tunebook import RejectedTune, Tune

_FIELD = re.compile(r"\[?([A-Za-z]):\s*([^\]]*)\]?\s*")
_LONE_LENGTH = re.compile(r"(?:^|\s)(?:\d+|\d*/\d+)(?:\s|$)")
_OTHER_FIELDS = re.compile(r"^(?:X|L):", re.MULTILINE)


def is_token_file(text: str) -> bool:
    """Whether a text is a file of tokens: it has lengths that stand by themselves, as ABC has not, and no `X:` or `L:`."""
    if "K:" not in text or _OTHER_FIELDS.search(text):
        return False
    music = next((line for line in split_lines(text) if line.strip() and not _FIELD.fullmatch(line)), "")
    return bool(_LONE_LENGTH.search(music))


def iterate_token_file(text: str, name: str, passed_over: Container[int] = ()) -> Iterator[Tune | RejectedTune]:
    """Reads a file of tokens tune by tune.

    Args:
      text: the file.
      name: what it is called in messages.
      passed_over: the places of tunes that are rejected unread, from 0.

    Yields:
      The tunes in order, numbered from 1; those that cannot be read with the reason.
    """
    number = start = 0
    tune: list[str] = []
    for place, line in enumerate([*split_lines(text), ""], start=1):
        if line.strip():
            start = start if tune else place
            tune.append(line)
        elif tune:
            number += 1
            if number - 1 in passed_over:
                yield RejectedTune(number, "", start, "passed-over", "")
            else:
                yield _read_tune(tune, number, start, name)
            tune = []


def _read_tune(lines: list[str], number: int, start: int, name: str) -> Tune | RejectedTune:
    title, tokens = "", []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field and field[1] == "T":
            title = field[2].strip()
        else:
            tokens += [f"{field[1]}:{field[2].strip()}"] if field else line.split()
    text = text_of(tokens).replace("X:1\n", f"X:{number}\n", 1)
    try:
        if not {"M:", "K:"} <= {token[:2] for token in tokens[:2]}:
            raise AbcError("expected M: and K: before the tokens of a tune")
        score, performance, warnings = read_lines(enumerate(text.splitlines(), start=1))
        if not performance.notes:
            return RejectedTune(
                number, title, start, "no-notes", Problem("the tune has no notes", start).describe(name)
            )
    except AbcError as error:
        reason = "too-large" if isinstance(error, TooLargeError) else "abc-syntax"
        return RejectedTune(number, title, start, reason, Problem(error.message, start).describe(name))
    return Tune(number, title, start, score, performance, warnings, text)

"""ABC tunebooks, through Etude's own reader, and two forms that models are trained on.

Files of tunes between the marks `<start>` and `<end>` are tunebooks once the marks are gone; files of folk-rnn's tokens are
told by their lengths that stand alone.
"""

import re
from collections.abc import Container, Iterator

from etude.models.abc.notation.text import decode
from etude.models.abc.performance.bars import rests_of
from etude.models.melodies.pickups import NO_RESTS, REST
from etude.pipelines.readers.abc import RejectedTune, Tune, iterate_tunebook
from etude.pipelines.readers.abc.bars import bar_starts
from etude.pipelines.readers.abc.token_file import is_token_file, iterate_token_file
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.reasons import unexpected

_MARKED = re.compile(r"<start>[^<]{0,200}\b[A-Z]:")
_MARK_ON_A_LINE = re.compile(r"^[ \t]*(?:<start>|<end>)[ \t]*$", re.MULTILINE)
_MARK = re.compile(r"[ \t]*(?:<start>|<end>)[ \t]*")


def read(
    data: bytes, name: str = "tunebook", passed_over: Container[int] = (), pickups: str = REST
) -> Iterator[Reading]:
    """Reads a tunebook tune by tune.

    Args:
      data: the file, in any encoding that ABC has.
      name: what the file is called in messages.
      passed_over: the places of tunes that are rejected unread, from 0.
      pickups: "rest" keeps bars by rests, "as-written" plays what is written.

    Yields:
      One reading a tune; a rejection if there is no tune at all.
    """
    found = False
    for tune in _tunes(data, name, passed_over):
        found = True
        reading = Reading(reference_number=tune.reference_number, title=tune.title, line=tune.line)
        if isinstance(tune, RejectedTune):
            reading.rejected = Rejected(tune.reason, tune.detail)
        else:
            try:
                rests = rests_of(tune.performance) if pickups == REST else NO_RESTS
                reading.sequence = tune.note_sequence(rests)
                reading.bars = rests.outcome if pickups == REST else ""
                reading.text = tune.text
                reading.bar_starts = bar_starts(tune.text)
            except Exception as error:  # costs this tune only
                reading.rejected = Rejected(unexpected(error), f"{name}:{tune.line}: {type(error).__name__}: {error}")
        yield reading
    if not found:
        yield Reading(rejected=Rejected("no-notes", f"{name}: no tune (no X: and no K: field)"))


def _tunes(data: bytes, name: str, passed_over: Container[int]) -> Iterator[Tune | RejectedTune]:
    if b"<start>" in data and _MARKED.search(text := decode(data)):
        # A mark on a line of its own leaves an empty one, so that the lines keep their numbers.
        return iterate_tunebook(_MARK.sub("\n\n", _MARK_ON_A_LINE.sub("", text)).encode(), name, passed_over)
    if b"X:" not in data and is_token_file(text := decode(data)):
        return iterate_token_file(text, name, passed_over)
    return iterate_tunebook(data, name, passed_over)

"""ABC tunebooks, through Etude's own reader."""

from collections.abc import Iterator

from etude.pipelines.readers.abc import RejectedTune, iterate_tunebook
from etude.pipelines.readers.abc.bars import bar_starts
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.reasons import unexpected


def read(data: bytes, name: str = "tunebook") -> Iterator[Reading]:
    """Reads a tunebook tune by tune.

    Args:
      data: the file, in any encoding that ABC has.
      name: what the file is called in messages.

    Yields:
      One reading a tune; a rejection if there is no tune at all.
    """
    found = False
    for tune in iterate_tunebook(data, name):
        found = True
        reading = Reading(reference_number=tune.reference_number, title=tune.title, line=tune.line)
        if isinstance(tune, RejectedTune):
            reading.rejected = Rejected(tune.reason, tune.detail)
        else:
            try:
                reading.sequence = tune.note_sequence()
                reading.text = tune.text
                reading.bar_starts = bar_starts(tune.text)
            except Exception as error:  # costs this tune only
                reading.rejected = Rejected(unexpected(error), f"{name}:{tune.line}: {type(error).__name__}: {error}")
        yield reading
    if not found:
        yield Reading(rejected=Rejected("no-notes", f"{name}: no tune (no X: and no K: field)"))

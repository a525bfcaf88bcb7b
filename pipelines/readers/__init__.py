"""Readers: the bytes of a music file to NoteSequences, one module a format.

A reader has `read(data) -> list[Reading]`. It never raises for a bad file: that is a reading with a rejection.
"""

import importlib
from collections.abc import Callable
from typing import cast

from pipelines.readers.reading import Reading, Rejected
from pipelines.sources import Source


def read_music(source: Source, data: bytes) -> list[Reading]:
    """Reads a music file and puts the name of its source into every NoteSequence.

    `filename` and `collection_name` say where it was found, `reference_number` is the tune's in ABC, and `id` joins
    them: it is unique in a list of sources and the same in every run.

    Args:
      source: where the bytes come from.
      data: the bytes.

    Returns:
      What was found, in the file's order.
    """
    # A reader is imported by the worker that needs it: note-seq takes two seconds.
    module = importlib.import_module(f"pipelines.readers.{source.format}")
    try:
        readings = cast("Callable[[bytes], list[Reading]]", module.read)(data)
    except Exception as error:  # a reader that fails on one file must not end the job
        readings = [Reading(rejected=Rejected("reader-failed", f"{type(error).__name__}: {error}"))]
    taken: dict[str, int] = {}
    for reading in readings:
        sequence = reading.sequence
        if sequence is None:
            continue
        if not sequence.notes:
            reading.sequence = None
            reading.rejected = Rejected("no-notes")
            continue
        sequence.filename = source.name
        sequence.collection_name = source.collection
        name = f"{source.full_name}#{reading.reference_number}" if source.format == "abc" else source.full_name
        count = taken[name] = taken.get(name, 0) + 1
        sequence.id = name if count == 1 else f"{name}~{count}"
    return readings

"""Readers: the bytes of a music file to NoteSequences, one module a format.

A reader has `read(data, name)`, which gives readings one by one. A bad file is a reading with a rejection, no error.
"""

import importlib
from collections.abc import Container, Iterator

from etude.models.melodies.pickups import REST
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.reasons import unexpected
from etude.pipelines.sources.source import Source


def read_music(source: Source, data: bytes, passed_over: Container[int] = (), pickups: str = REST) -> Iterator[Reading]:
    """Reads a music file and puts the name of its source into every NoteSequence.

    `filename` and `collection_name` say where it was found, `reference_number` is the tune's in ABC, and `id` joins
    them: it is unique in a list of sources and the same in every run.

    Args:
      source: where the bytes come from.
      data: the bytes.
      passed_over: of a tunebook, the places of tunes that are rejected unread, from 0.
      pickups: "rest" keeps the bars of ABC and MusicXML by rests, "as-written" plays what is written.

    Yields:
      What was found, in the file's order.
    """
    taken: dict[str, int] = {}
    for reading in _readings(source, data, passed_over, pickups):
        sequence = reading.sequence
        if sequence is not None and not sequence.notes:
            reading.sequence = None
            reading.rejected = Rejected("no-notes")
        elif sequence is not None:
            sequence.filename = source.name
            sequence.collection_name = source.collection
            name = f"{source.full_name}#{reading.reference_number}" if source.format == "abc" else source.full_name
            count = taken[name] = taken.get(name, 0) + 1
            sequence.id = name if count == 1 else f"{name}~{count}"
        yield reading


def _readings(source: Source, data: bytes, passed_over: Container[int], pickups: str) -> Iterator[Reading]:
    # A reader is imported by the worker that needs it.
    module = importlib.import_module(f"etude.pipelines.readers.{source.format}.reader")
    # MIDI has its bars as they are.
    options: dict[str, object] = {} if source.format == "midi" else {"pickups": pickups}
    if source.format == "abc":
        options["passed_over"] = passed_over
    try:
        yield from module.read(data, source.full_name, **options)
    except Exception as error:  # a reader that fails on one file must not end the job
        yield Reading(rejected=Rejected(unexpected(error), f"{type(error).__name__}: {error}"))

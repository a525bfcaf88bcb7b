"""MIDI files, through pretty_midi and note-seq.

note-seq raises pretty_midi's limit on ticks to ten thousand million, so that a damaged file of a few bytes can take
tens of gigabytes: the limits are checked here, before pretty_midi sees the file.
"""

import io
import warnings

import mido
import pretty_midi

from pipelines.note_sequences import import_note_seq
from pipelines.readers.reading import Reading, Rejected

MAX_BYTES = 1 << 22
MAX_MESSAGES = 1_000_000
MAX_TICKS = 10_000_000
"""pretty_midi's own limit, before note-seq raises it."""


def read(data: bytes) -> list[Reading]:
    """Reads a MIDI file.

    Args:
      data: the file.

    Returns:
      One reading.
    """
    if len(data) > MAX_BYTES:
        return _reject("too-large", f"{len(data):,} bytes, at most {MAX_BYTES:,}")
    try:
        parsed = mido.MidiFile(file=io.BytesIO(data))
    except Exception as error:  # mido raises whatever it happens to meet
        return _reject("unreadable", f"{type(error).__name__}: {error}")
    num_messages = sum(len(track) for track in parsed.tracks)
    if num_messages > MAX_MESSAGES:
        return _reject("too-large", f"{num_messages:,} messages, at most {MAX_MESSAGES:,}")
    ticks = max((sum(message.time for message in track) for track in parsed.tracks), default=0)
    if ticks > MAX_TICKS:
        return _reject("too-long-in-ticks", f"{ticks:,} ticks, at most {MAX_TICKS:,}")
    if parsed.ticks_per_beat <= 0:
        return _reject("unsupported-timing", f"a time division of {parsed.ticks_per_beat}")
    if not num_messages:
        return _reject("no-notes", "")

    midi_io = import_note_seq("midi_io")

    # pretty_midi cannot take the largest tick of a track without messages.
    parsed.tracks = [track for track in parsed.tracks if track]
    try:
        with warnings.catch_warnings():
            # pretty_midi warns of tempo and metre outside the first track, which it then leaves out.
            warnings.simplefilter("ignore", RuntimeWarning)
            midi = pretty_midi.PrettyMIDI(mido_object=parsed)
        return [Reading(sequence=midi_io.midi_to_note_sequence(midi))]
    except Exception as error:  # so does pretty_midi
        return _reject("unreadable", f"{type(error).__name__}: {error}")


def _reject(reason: str, detail: str) -> list[Reading]:
    return [Reading(rejected=Rejected(reason, detail))]

"""Standard MIDI files: bytes to notes and changes, in ticks.

Reads files the way that mido and pretty_midi do together, which is how note-seq and so Magenta hear them: what belongs
to which instrument, which note-off ends which note, and what is ignored. Where those two give up on a file for the sake
of an event that has no part in the result (a key that does not exist, bytes of a system exclusive message above 127),
the event is passed over; and a meta event of unknown kind keeps its delta time, which mido drops.
"""

import struct

from etude.pipelines.readers.midi.events import MidiError, MidiFile
from etude.pipelines.readers.midi.track import read_track


def parse_midi(data: bytes) -> MidiFile:
    """Reads a MIDI file of format 0, 1 or 2; the tracks of format 2 sound together, as in note-seq.

    Args:
      data: the file. The time that this takes is proportional to its length.

    Raises:
      MidiError: if it is damaged or no MIDI file.
    """
    name, header, position = _chunk(data, 0)
    if name != b"MThd":
        raise MidiError("it does not start with MThd, as MIDI files do")
    if len(header) < 6:
        raise MidiError("its header is cut short")
    _, num_tracks, division = struct.unpack_from(">hhh", header)
    file = MidiFile(division)
    has_conductor = False
    for _ in range(num_tracks):
        name, content, position = _chunk(data, position)
        if name != b"MTrk":
            raise MidiError(f"{name!r} stands where a track is expected (MTrk)")
        if content:
            read_track(content, file, is_conductor=not has_conductor)
            has_conductor = True
    return file


def _chunk(data: bytes, position: int) -> tuple[bytes, bytes, int]:
    """The name and the content of a chunk, and where the next one starts."""
    start = position + 8
    if start > len(data):
        raise MidiError("it is cut short")
    name, size = struct.unpack_from(">4sL", data, position)
    if start + size > len(data):
        raise MidiError("it is cut short")
    return name, data[start : start + size], start + size

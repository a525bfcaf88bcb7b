"""Music as standard MIDI files, written by mido."""

import io
from collections.abc import Iterable

import mido

from etude.models.errors import UsageError
from etude.models.melodies.scales import Key
from etude.pipelines.rendering.music import Music, Note

TICKS_PER_QUARTER = 480
"""A step falls on a whole tick for 1 to 6, 8, 10, 12, 15, 16, 20 and 24 steps a quarter note."""

_DRUM_CHANNEL = 9
_CHANNELS = [channel for channel in range(16) if channel != _DRUM_CHANNEL]
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
"""By number of sharps, from seven flats."""


def to_midi(music: Music) -> bytes:
    """A MIDI file: a track for each instrument, metre, key and tempo in the first.

    A note that begins while its pitch still sounds on its instrument ends that one.

    Raises:
      UsageError: if there are more instruments than channels.
    """
    parts: dict[tuple[bool, int], list[Note]] = {}
    for note in sorted(music.notes):
        parts.setdefault((note.is_drum, 0 if note.is_drum else note.program), []).append(note)
    channels = iter(_CHANNELS)
    tracks = [mido.MidiTrack([*_head(music)])]
    try:
        for number, ((is_drum, program), notes) in enumerate(parts.items()):
            channel = _DRUM_CHANNEL if is_drum else next(channels)
            track = tracks[0] if number == 0 else mido.MidiTrack()
            track.append(mido.Message("program_change", channel=channel, program=program))
            track.extend(_messages(notes, channel, music.steps_per_quarter))
            tracks += [track] if number else []
    except StopIteration:
        raise UsageError(
            f"a MIDI file has room for {len(_CHANNELS)} instruments beside drums, not for {len(parts)}"
        ) from None
    file = mido.MidiFile(type=min(len(tracks) - 1, 1), ticks_per_beat=TICKS_PER_QUARTER, tracks=tracks)
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def key_signature(key: Key) -> str:
    """The name of a key's signature in MIDI, which knows major and minor alone: D dorian has that of C."""
    return (_MINOR if key.mode == "minor" else _MAJOR)[key.sharps + 7]


def _head(music: Music) -> Iterable[mido.MetaMessage]:
    if music.metre is not None:
        numerator, denominator = music.metre
        yield mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)
    if music.key is not None:
        yield mido.MetaMessage("key_signature", key=key_signature(music.key))
    yield mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(music.qpm))


def _messages(notes: list[Note], channel: int, steps_per_quarter: int) -> Iterable[mido.Message]:
    """The messages of an instrument; where notes begin and end at once, those that end come first."""
    timed: list[tuple[int, int, int, int]] = []
    begins: dict[int, int] = {}
    for note in reversed(notes):
        end = min(note.onset + note.duration, begins.get(note.pitch, note.onset + note.duration))
        if end <= note.onset:
            continue
        begins[note.pitch] = note.onset
        start, stop = (round(step * TICKS_PER_QUARTER / steps_per_quarter) for step in (note.onset, end))
        timed += [(start, 1, note.pitch, note.velocity), (stop, 0, note.pitch, 0)]
    last = 0
    for tick, is_on, pitch, velocity in sorted(timed):
        kind = "note_on" if is_on else "note_off"
        yield mido.Message(kind, channel=channel, note=pitch, velocity=velocity, time=tick - last)
        last = tick

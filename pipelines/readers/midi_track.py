"""A track of a MIDI file, event by event."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from pipelines.readers.midi_events import DRUM_CHANNEL, META, TRACK_NAME, Instrument, MidiError, MidiFile

MAX_NUMBERS = 3_000_000
"""Of all control changes and pitch bends of a track, counted once for each instrument that shares them."""
_NOTE_ON = 0x90
_POLY_PRESSURE = 0xA0
_CONTROL_CHANGE = 0xB0
_PROGRAM_CHANGE = 0xC0
_CHANNEL_PRESSURE = 0xD0
_PITCH_BEND = 0xE0
_SYSTEM = 0xF0
_SYSTEM_EXCLUSIVE = (0xF0, 0xF7)
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
_MAX_VARIABLE = 1 << 40
_ABOVE_127 = "a value is above 127"


def read_track(data: bytes, file: MidiFile, is_conductor: bool) -> None:
    """Reads a track, event by event.

    Args:
      data: the content of its chunk.
      file: takes what is found.
      is_conductor: whether its changes of tempo, metre and key count.

    Raises:
      MidiError: if it is damaged.
    """
    try:
        _Track(file, is_conductor).read(data)
    except StopIteration as error:
        raise MidiError("an event runs over the end of its track") from error


@dataclasses.dataclass
class _Player:
    """An instrument that is still being read.

    Attributes:
      program: 0 to 127.
      channel: 0 to 15.
      name: the track's name.
      begins: tick << 7 | velocity of each note.
      ends: tick << 7 | pitch of each note.
      control_changes: the table, row after row.
      pitch_bends: the table, row after row.
    """

    program: int = 0
    channel: int = 0
    name: str = ""
    begins: list[int] = dataclasses.field(default_factory=list)
    ends: list[int] = dataclasses.field(default_factory=list)
    control_changes: list[int] = dataclasses.field(default_factory=list)
    pitch_bends: list[int] = dataclasses.field(default_factory=list)

    def instrument(self) -> Instrument:
        """The finished instrument."""
        begins, ends = np.array(self.begins, np.int64), np.array(self.ends, np.int64)
        notes = np.empty((len(ends), 4), np.int64)
        notes[:, 0] = begins >> 7
        notes[:, 1] = ends >> 7
        notes[:, 2] = ends & 127
        notes[:, 3] = begins & 127
        return Instrument(
            self.program,
            self.channel == DRUM_CHANNEL,
            self.name,
            notes,
            np.array(self.control_changes, np.int64).reshape(-1, 3),
            np.array(self.pitch_bends, np.int64).reshape(-1, 2),
        )


class _Track:
    """Reads one track into a file."""

    def __init__(self, file: MidiFile, is_conductor: bool) -> None:
        self._file = file
        self._is_conductor = is_conductor
        self._name = ""
        self._programs = [0] * 16
        self._players: dict[tuple[int, int], _Player] = {}
        self._before: dict[int, _Player] = {}
        """By channel: control changes and pitch bends that came before any note of their program."""

    def read(self, data: bytes) -> None:
        """Reads all events; raises StopIteration if the last one is cut short.

        Some notes in a million sound while another of their pitch and channel does; `sounding` holds the first of them
        and `overlapping` the others.
        """
        tick = status = 0
        is_note = False
        sounding: dict[int, int] = {}
        overlapping: dict[int, list[int]] = {}
        playing: dict[int, _Player] = {}
        rest = iter(data)
        read = rest.__next__
        for delta in rest:
            tick += delta if delta < 128 else _variable(rest, delta)
            first = read()
            if first > 127:
                if first == META:
                    self._meta(rest, tick)
                    continue
                status = first
                is_note = status < _POLY_PRESSURE
                if not is_note:
                    self._other(rest, status, tick, None)
                    playing.clear()  # it may have been a program change
                    continue
                first = read()
                if first > 127:
                    raise MidiError(_ABOVE_127)
            elif not is_note:
                self._other(rest, status, tick, first)
                playing.clear()
                continue
            second = read()
            if second > 127:
                raise MidiError(_ABOVE_127)
            key = (status & 15) << 7 | first
            if second and status >= _NOTE_ON:
                if key in sounding:
                    overlapping.setdefault(key, []).append(tick << 7 | second)
                else:
                    sounding[key] = tick << 7 | second
            elif key in sounding:
                begin = sounding.pop(key)
                if overlapping and key in overlapping:
                    self._end_several(sounding, overlapping, key, begin, tick)
                elif begin >> 7 != tick:
                    channel = key >> 7
                    player = playing.get(channel) or playing.setdefault(channel, self._player(channel))
                    player.begins.append(begin)
                    player.ends.append(tick << 7 | first)
        self._file.last_tick = max(self._file.last_tick, tick)
        self._add_instruments()

    def _end_several(
        self, sounding: dict[int, int], overlapping: dict[int, list[int]], key: int, begin: int, tick: int
    ) -> None:
        """A note-off ends all notes of its pitch that began before it; the others sound on if it ended any."""
        begins = [begin, *overlapping.pop(key)]
        ended = [begin for begin in begins if begin >> 7 != tick]
        begun = [begin for begin in begins if begin >> 7 == tick]
        if not ended:
            return
        player = self._player(key >> 7)
        player.begins.extend(ended)
        player.ends.extend([tick << 7 | key & 127] * len(ended))
        if begun:
            sounding[key] = begun[0]
        if begun[1:]:
            overlapping[key] = begun[1:]

    def _other(self, rest: Iterator[int], status: int, tick: int, first: int | None) -> None:
        """Reads an event other than notes and meta events; `first` stood in the place of the status, if it is missing."""
        if status >= _SYSTEM:
            _skip_system(rest, status, first)
            return
        if not status:
            raise MidiError("an event has no status byte, and none came before it")
        channel = status & 15
        kind = status - channel
        first = next(rest) if first is None else first
        second = 0 if kind in (_PROGRAM_CHANGE, _CHANNEL_PRESSURE) else next(rest)
        if first > 127 or second > 127:
            raise MidiError(_ABOVE_127)
        if kind == _PROGRAM_CHANGE:
            self._programs[channel] = first
        elif kind == _CONTROL_CHANGE:
            self._controlled(channel).control_changes += (tick, first, second)
        elif kind == _PITCH_BEND:
            self._controlled(channel).pitch_bends += (tick, (first | second << 7) - 8192)

    def _meta(self, rest: Iterator[int], tick: int) -> None:
        kind = next(rest)
        content = _take(rest, _variable(rest))
        if kind == TRACK_NAME:
            self._name = content.decode("latin-1")
        elif self._is_conductor:
            self._file.add_change(kind, content, tick)

    def _player(self, channel: int) -> _Player:
        """Who plays on a channel, made at the first note."""
        key = (self._programs[channel], channel)
        if key not in self._players:
            before = self._before.get(channel, _Player())
            self._players[key] = _Player(
                *key,
                self._name,
                # The same lists, not copies: what comes later for another program without notes also goes here.
                control_changes=before.control_changes,
                pitch_bends=before.pitch_bends,
            )
        return self._players[key]

    def _controlled(self, channel: int) -> _Player:
        """Where a channel's control changes go."""
        player = self._players.get((self._programs[channel], channel))
        return player or self._before.setdefault(channel, _Player())

    def _add_instruments(self) -> None:
        players = self._players.values()
        total = sum(len(player.control_changes) + len(player.pitch_bends) for player in players)
        if total > MAX_NUMBERS:
            raise MidiError("a few control changes are shared by absurdly many instruments")
        self._file.instruments.extend(player.instrument() for player in players)


def _skip_system(rest: Iterator[int], status: int, first: int | None) -> None:
    """Passes over a system message; `first` is the byte that stood in the place of its status, if one did."""
    if status in _SYSTEM_EXCLUSIVE:
        # Running status is not for these; mido drops the byte.
        _take(rest, _variable(rest))
        return
    length = _SYSTEM_DATA_BYTES.get(status)
    if length is None or (first is not None and not length):
        raise MidiError(f"{status:#04x} starts no event")
    if max(_take(rest, length - (first is not None)), default=0) > 127:
        raise MidiError(_ABOVE_127)


def _take(rest: Iterator[int], length: int) -> bytes:
    """The next bytes; raises StopIteration if there are fewer."""
    content = bytes(itertools.islice(rest, length))
    if len(content) < length:
        raise StopIteration
    return content


def _variable(rest: Iterator[int], first: int = 128) -> int:
    """A number of variable length; its first byte may have been read."""
    value = first & 0x7F
    while first > 127:
        first = next(rest)
        value = value << 7 | first & 0x7F
        if value > _MAX_VARIABLE:
            raise MidiError("a time or length is absurd")
    return value

"""A track of a MIDI file, event by event."""

import itertools
import operator
from collections.abc import Iterator

import numpy as np

from etude.pipelines.readers.midi import block as message_block
from etude.pipelines.readers.midi.block import Block
from etude.pipelines.readers.midi.events import META, TRACK_NAME, Ints, MidiError, MidiFile
from etude.pipelines.readers.midi.instruments import InstrumentBuilder, TrackInstruments

_NOTE_OFF = 0x80
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


class _Track:
    """Reads one track into a file."""

    def __init__(self, file: MidiFile, is_conductor: bool) -> None:
        self._file = file
        self._is_conductor = is_conductor
        self._name = ""
        self._instruments = TrackInstruments()
        self._sounding: dict[int, int] = {}
        """By channel << 7 | pitch: tick << 7 | velocity of the first note that sounds."""
        self._overlapping: dict[int, list[int]] = {}
        """The other notes that sound: some in a million do while another of their pitch and channel does."""
        self._next_try = 0
        """Where another block may be looked for: what was looked at in vain is first read event by event."""

    def read(self, data: bytes) -> None:
        """Reads all events; raises StopIteration if the last one is cut short."""
        position = tick = status = 0
        while position < len(data):
            if block := self._read_block(data, position, status, tick):
                position += block.num_bytes
                status, tick = block.status, int(block.ticks[-1])
            else:
                position, status, tick = self._read_events(data, position, status, tick)
        self._file.last_tick = max(self._file.last_tick, tick)
        self._file.instruments.extend(self._instruments.instruments())

    def _read_events(self, data: bytes, position: int, status: int, tick: int) -> tuple[int, int, int]:
        """Reads event by event to the end, or to where a block may start; returns the position, status and tick."""
        is_note = _NOTE_OFF <= status < _POLY_PRESSURE
        sounding, overlapping = self._sounding, self._overlapping
        playing: dict[int, InstrumentBuilder] = {}
        rest = iter(data)
        rest.__setstate__(position)  # type: ignore[attr-defined]
        read = rest.__next__
        for delta in rest:
            tick += delta if delta < 128 else _variable(rest, delta)
            first = read()
            if first > 127 or not is_note:
                if not _NOTE_OFF <= first < _POLY_PRESSURE:
                    if first == META:
                        self._meta(rest, tick)
                    else:
                        status, first_value = (first, None) if first > 127 else (status, first)
                        is_note = False
                        self._other(rest, status, tick, first_value)
                        playing.clear()  # it may have been a program change
                    num_left = operator.length_hint(rest)
                    if num_left >= message_block.MIN_BYTES and self._may_be_block(data, len(data) - num_left):
                        return len(data) - num_left, status, tick
                    continue
                status, is_note, first = first, True, read()
                if first > 127:
                    raise MidiError(_ABOVE_127)
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
                    builder = playing.get(channel) or playing.setdefault(
                        channel, self._instruments.playing(channel, self._name)
                    )
                    builder.begins.append(begin)
                    builder.ends.append(tick << 7 | first)
        return len(data), status, tick

    def _may_be_block(self, data: bytes, position: int) -> bool:
        """Whether looking for a block may pay."""
        end = position + message_block.MIN_BYTES
        return (
            end <= len(data)
            and self._next_try <= position
            and message_block.find_break(data[position:end]) < 0
            and not self._overlapping
            and len(self._sounding) <= message_block.MAX_SOUNDING
        )

    def _read_block(self, data: bytes, position: int, status: int, tick: int) -> Block | None:
        """Reads a block of channel messages at once, if there is one here and its notes are simple."""
        if not self._may_be_block(data, position):
            return None
        seen = data[position : position + message_block.MAX_BYTES]
        if (end := message_block.find_break(seen)) >= 0:
            seen = seen[:end]
        block = message_block.decode(seen, status, tick)
        if block and not self._play(block):
            block = None
        if not block or block.num_bytes < len(seen) // 4:
            self._next_try = position + len(seen)
        return block

    def _play(self, block: Block) -> bool:
        """Adds what a block holds; False, and nothing added, if its notes meet in a way that needs care."""
        statuses, ticks, velocities = block.statuses, block.ticks, block.seconds
        keys = block.firsts.astype(np.int64)
        note_at = change_at = np.empty(0, np.int64)
        is_one_channel = isinstance(statuses, int) and statuses < _POLY_PRESSURE
        if not is_one_channel:
            statuses = block.all_statuses()
            is_note = statuses < _POLY_PRESSURE
            note_at, change_at = is_note.nonzero()[0], (~is_note).nonzero()[0]
            statuses, ticks, keys, velocities = statuses[note_at], ticks[note_at], keys[note_at], velocities[note_at]
        is_on = velocities > 0
        if not isinstance(statuses, int):
            is_on &= statuses >= _NOTE_ON
        elif statuses < _NOTE_ON:
            is_on[:] = False
        keys |= (statuses & 15) << 7
        num_sounding = len(self._sounding)
        if num_sounding:
            begun = np.array(list(self._sounding.values()), np.int64)
            keys = np.concatenate((list(self._sounding), keys))
            ticks = np.concatenate((begun >> 7, ticks))
            velocities = np.concatenate((begun & 127, velocities))
            is_on = np.concatenate((np.ones(num_sounding, np.bool_), is_on))
        pairs = message_block.pair(keys, is_on, ticks)
        if pairs is None:
            return False
        begins, ends, starts, stops, open_notes = pairs
        self._sounding.clear()
        for message in open_notes.tolist():
            key, tick, velocity = int(keys[message]), int(ticks[message]), int(velocities[message])
            if key in self._sounding:
                self._overlapping.setdefault(key, []).append(tick << 7 | velocity)
            else:
                self._sounding[key] = tick << 7 | velocity
        table = np.empty((4, len(begins)), np.int64)
        table[0], table[1], table[2], table[3] = starts, stops, keys[begins] & 127, velocities[begins]
        if is_one_channel:
            if len(begins):
                self._instruments.playing(block.status & 15, self._name).add_table(table)
            return True
        channels = keys[begins] >> 7
        by_channel = {channel: channels == channel for channel in dict.fromkeys(channels.tolist())}
        # What comes before an instrument's first note may be shared with others.
        first_end = np.full(16, len(block.ticks))
        for channel, is_here in by_channel.items():
            first_end[channel] = note_at[ends[is_here.argmax()] - num_sounding]
        is_early = change_at < first_end[block.all_statuses()[change_at] & 15]
        self._change(block, change_at[is_early])
        for channel, is_here in by_channel.items():
            self._instruments.playing(channel, self._name).add_table(table[:, is_here])
        self._change(block, change_at[~is_early])
        return True

    def _change(self, block: Block, messages: Ints) -> None:
        """Adds the control changes and pitch bends among some messages."""
        if not len(messages):
            return
        all_statuses = block.all_statuses()[messages]
        for status in set(all_statuses.tolist()):
            at = messages[all_statuses == status]
            ticks, firsts, seconds = block.ticks[at], block.firsts[at].astype(np.int64), block.seconds[at]
            if status & 0xF0 == _CONTROL_CHANGE:
                rows = np.stack((ticks, firsts, seconds), axis=1)
                self._instruments.controlled(status & 15).control_changes += rows.ravel().tolist()
            elif status & 0xF0 == _PITCH_BEND:
                rows = np.stack((ticks, (firsts | seconds.astype(np.int64) << 7) - 8192), axis=1)
                self._instruments.controlled(status & 15).pitch_bends += rows.ravel().tolist()

    def _end_several(
        self, sounding: dict[int, int], overlapping: dict[int, list[int]], key: int, begin: int, tick: int
    ) -> None:
        """A note-off ends all notes of its pitch that began before it; the others sound on if it ended any."""
        begins = [begin, *overlapping.pop(key)]
        ended = [begin for begin in begins if begin >> 7 != tick]
        begun = [begin for begin in begins if begin >> 7 == tick]
        if not ended:
            return
        builder = self._instruments.playing(key >> 7, self._name)
        builder.begins.extend(ended)
        builder.ends.extend([tick << 7 | key & 127] * len(ended))
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
            self._instruments.programs[channel] = first
        elif kind == _CONTROL_CHANGE:
            self._instruments.controlled(channel).control_changes += (tick, first, second)
        elif kind == _PITCH_BEND:
            self._instruments.controlled(channel).pitch_bends += (tick, (first | second << 7) - 8192)

    def _meta(self, rest: Iterator[int], tick: int) -> None:
        kind = next(rest)
        length = next(rest)
        content = _take(rest, length if length < 128 else _variable(rest, length))
        if kind == TRACK_NAME:
            self._name = content.decode("latin-1")
        elif self._is_conductor:
            self._file.add_change(kind, content, tick)


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

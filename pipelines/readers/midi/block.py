"""Blocks of a MIDI track that hold nothing but channel messages of two values, decoded at once.

Most of a file is such blocks. Without the status bytes and the upper bytes of delta times, every message is three
bytes below 128: delta time, first and second value. So no byte has to wait for the one before.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.pipelines.readers.midi.events import Ints

MIN_BYTES = 512
"""Shorter blocks are read faster one message at a time."""
MAX_BYTES = 1 << 15
"""Of one block; the number of a message takes half as many bits as an index below."""
MAX_SOUNDING = 32
"""Notes that sound into a block."""

_ABOVE_127 = bytes(range(128, 256))
_INDICES = np.arange(MAX_BYTES + MAX_SOUNDING, dtype=np.int64)
_INDEX_BITS = 15
_INDEX = (1 << _INDEX_BITS) - 1
_NOTE_ON = 0x90
_POLY_PRESSURE = 0xA0
_HAS_TWO_VALUES = np.array([0x80 <= status < 0xC0 or 0xE0 <= status < 0xF0 for status in range(256)])
_IS_BREAK = bytes(byte > 127 and not _HAS_TWO_VALUES[byte] for byte in range(256))
_MAX_DELTA_BYTES = 5


class Block(NamedTuple):
    """Messages of two values, in their order.

    Attributes:
      num_bytes: of the track that they take.
      status: the last status byte, which runs on.
      statuses: of each message, [num_messages], or the one that all have.
      ticks: when each message is, [num_messages].
      firsts: the first value of each message, [num_messages].
      seconds: the second value of each message, [num_messages].
    """

    num_bytes: int
    status: int
    statuses: Ints | int
    ticks: Ints
    firsts: npt.NDArray[np.uint8]
    seconds: npt.NDArray[np.uint8]

    def all_statuses(self) -> Ints:
        """The status byte of each message, [num_messages]."""
        return np.broadcast_to(self.statuses, self.ticks.shape)


def find_break(data: bytes) -> int:
    """Where a message of another kind may start, or -1; most bytes of that kind are status bytes."""
    return data.translate(_IS_BREAK).find(1)


def decode(data: bytes, status: int, tick: int) -> Block | None:
    """Decodes the block that some bytes start with.

    Args:
      data: at most MAX_BYTES, of which the first is that of a delta time.
      status: the running status.
      tick: the time of the last event.

    Returns:
      The block up to the first event of another kind, if any; None where that is the first event or a delta time is
      absurd.
    """
    num_bytes = 0
    first_value = 1
    while data[first_value - 1 : first_value] > b"\x7f":
        first_value += 1
    if data[first_value : first_value + 1] > b"\x7f":
        # Often the only status byte.
        status = data[first_value]
        data = data[:first_value] + data[first_value + 1 :]
        num_bytes = 1
    if not _HAS_TWO_VALUES[status]:
        return None
    values = data.translate(None, _ABOVE_127)
    num_messages = len(values) // 3
    codes = np.frombuffer(data, np.int8)
    high = (codes < 0).nonzero()[0]
    values_before = high - _INDICES[: len(high)]
    message = values_before // 3
    place = values_before - 3 * message
    """0: in a delta time; 1: status byte; 2: damage."""
    statuses: Ints | int = status
    owner, digits = message, codes[high]
    if np.count_nonzero(place):  # any() is several times slower
        is_other = place != 0
        changed, new = message[is_other], digits[is_other].astype(np.int64) & 255
        wrong = ~_HAS_TWO_VALUES[new] | (place[is_other] == 2) | (changed == 0)
        wrong[1:] |= changed[1:] == changed[:-1]
        if wrong.any():
            num_messages = min(num_messages, int(changed[wrong.argmax()]))
        if num_new := int(changed.searchsorted(num_messages)):
            changes = np.concatenate(([0], changed[:num_new], [num_messages]))
            statuses = np.concatenate(([status], new[:num_new])).repeat(changes[1:] - changes[:-1])
            status = int(new[num_new - 1])
        owner, digits = message[~is_other], digits[~is_other]
    if not num_messages:
        return None
    table = np.frombuffer(values, np.uint8, 3 * num_messages).reshape(num_messages, 3)
    deltas = table[:, 0].astype(np.int64)
    num_high = len(high)
    if num_high and message[-1] >= num_messages:
        num_high = int(message.searchsorted(num_messages))
        num_digits = int(owner.searchsorted(num_messages))
        owner, digits = owner[:num_digits], digits[:num_digits]
    if not _add_upper_digits(deltas, owner, digits):
        return None
    deltas[0] += tick
    ticks = deltas.cumsum()
    num_bytes += 3 * num_messages + num_high
    return Block(num_bytes, status, statuses, ticks, table[:, 1], table[:, 2])


class Pairs(NamedTuple):
    """Notes that have some length, in the order in which they end and begin.

    Attributes:
      begins: the index of each note-on, [num_notes].
      ends: the index of each note-off, [num_notes].
      starts: the tick of each note-on, [num_notes].
      stops: the tick of each note-off, [num_notes].
      open_notes: indices of the note-ons without an end.
    """

    begins: Ints
    ends: Ints
    starts: Ints
    stops: Ints
    open_notes: Ints


def pair(keys: Ints, is_on: npt.NDArray[np.bool_], ticks: Ints) -> Pairs | None:
    """Finds the note-off of each note-on: the next one of its key, which ends all notes that began before.

    Args:
      keys: channel << 7 | pitch of each note-on and note-off, [num_messages].
      is_on: whether it is a note-on, [num_messages].
      ticks: when it is, [num_messages].

    Returns:
      The notes; None where overlapping notes and notes without length meet.
    """
    messages = keys << _INDEX_BITS
    messages |= _INDICES[: len(keys)]
    messages <<= 1
    messages |= is_on
    messages.sort()
    ons, offs = messages[::2], messages[1::2]
    open_notes = messages[:0]
    overlaps = False
    # As a rule, on and off take turns for each key.
    unnumbered = messages & ~(_INDEX << 1)
    if len(ons) != len(offs) or np.count_nonzero(unnumbered[::2] - unnumbered[1::2] != 1):
        position = _INDICES[: len(keys)]
        found = np.where(messages & 1, len(keys), position)
        next_off = np.minimum.accumulate(found[::-1])[::-1]
        on_at = (messages & 1).nonzero()[0]
        ons, off_at = messages[on_at], next_off[on_at]
        offs = messages[np.minimum(off_at, len(keys) - 1)]
        is_ended = (off_at < len(keys)) & (ons >> _INDEX_BITS + 1 == offs >> _INDEX_BITS + 1)
        open_notes = np.sort(ons[~is_ended] >> 1 & _INDEX)
        ons, offs, off_at = ons[is_ended], offs[is_ended], off_at[is_ended]
        overlaps = bool((off_at[1:] == off_at[:-1]).any())
    pairs = offs >> 1
    pairs &= _INDEX
    pairs <<= _INDEX_BITS
    pairs |= ons >> 1 & _INDEX
    pairs.sort()
    begins, ends = pairs & _INDEX, pairs >> _INDEX_BITS
    starts, stops = ticks[begins], ticks[ends]
    has_length = starts != stops
    if np.count_nonzero(has_length) < len(has_length):
        if overlaps:
            return None
        begins, ends = begins[has_length], ends[has_length]
        starts, stops = starts[has_length], stops[has_length]
    return Pairs(begins, ends, starts, stops, open_notes)


def _add_upper_digits(deltas: Ints, owner: Ints, digits: npt.NDArray[np.int8]) -> bool:
    """Adds the upper digits of delta times, highest first, to the lowest ones; False if there are too many."""
    if not len(owner):
        return True
    values = digits.astype(np.int64)
    values &= 127
    if not np.count_nonzero(owner[1:] == owner[:-1]):
        values <<= 7
        deltas[owner] += values
        return True
    below = owner.searchsorted(owner, "right") - _INDICES[: len(owner)]
    if below.max() >= _MAX_DELTA_BYTES:
        return False
    np.add.at(deltas, owner, values << 7 * below)
    return True

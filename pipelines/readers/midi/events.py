"""What a MIDI file holds, in ticks."""

import dataclasses
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]

DRUM_CHANNEL = 9
META = 0xFF
TRACK_NAME = 0x03
SET_TEMPO = 0x51
TIME_SIGNATURE = 0x58
KEY_SIGNATURE = 0x59
_MAX_DENOMINATOR_EXPONENT = 30
"""Of what a NoteSequence can hold."""


class MidiError(ValueError):
    """A file that cannot be read."""


@dataclasses.dataclass
class Instrument:
    """What one program plays on one channel of one track.

    Attributes:
      program: 0 to 127.
      is_drum: whether it plays on channel 9 (counted from 0).
      name: the track's name as known when the first note ended.
      notes: start, end, pitch, velocity of each note, in the order in which they end, [num_notes, 4].
      control_changes: tick, number, value of each, [num_control_changes, 3].
      pitch_bends: tick, bend (-8192 to 8191) of each, [num_pitch_bends, 2].
    """

    program: int
    is_drum: bool
    name: str
    notes: Ints
    control_changes: Ints
    pitch_bends: Ints


@dataclasses.dataclass
class MidiFile:
    """What a MIDI file holds, in ticks from its start.

    Attributes:
      division: ticks per quarter note; if negative, -frames per second in the high byte and ticks per frame in the low.
      tempos: (tick, microseconds per quarter note), of the first track that is not empty.
      time_signatures: (tick, numerator, denominator), of the same.
      key_signatures: (tick, sharps, is minor), of the same.
      instruments: in the order in which they first end a note.
      last_tick: the last event of any kind.
    """

    division: int
    tempos: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    time_signatures: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)
    key_signatures: list[tuple[int, int, bool]] = dataclasses.field(default_factory=list)
    instruments: list[Instrument] = dataclasses.field(default_factory=list)
    last_tick: int = 0

    def add_change(self, kind: int, content: bytes, tick: int) -> None:
        """Adds what a meta event of the first track says, if it changes tempo, metre or key.

        Raises:
          MidiError: if the tempo or the metre is none.
        """
        if kind == SET_TEMPO:
            tempo = int.from_bytes(content[:3], "big")
            if len(content) < 3 or not tempo:
                raise MidiError("a tempo is not a number above 0")
            self.tempos.append((tick, tempo))
        elif kind == TIME_SIGNATURE:
            if len(content) < 2 or not content[0] or content[1] > _MAX_DENOMINATOR_EXPONENT:
                raise MidiError("a metre is none that a bar can have")
            self.time_signatures.append((tick, content[0], 1 << content[1]))
        elif kind == KEY_SIGNATURE and len(content) >= 2:
            sharps = content[0] - 256 if content[0] > 127 else content[0]
            if -7 <= sharps <= 7 and content[1] <= 1:
                self.key_signatures.append((tick, sharps, content[1] == 1))

"""Who plays what in a track while it is read."""

import dataclasses

import numpy as np

from etude.pipelines.readers.midi.events import DRUM_CHANNEL, Instrument, Ints, MidiError

MAX_NUMBERS = 3_000_000
"""Of all control changes and pitch bends of a track, counted once for each instrument that shares them."""


@dataclasses.dataclass
class InstrumentBuilder:
    """An instrument that is still being read.

    Attributes:
      program: 0 to 127.
      channel: 0 to 15.
      name: the track's name.
      begins: tick << 7 | velocity of each note since the last table.
      ends: tick << 7 | pitch of each note since the last table.
      tables: start, end, pitch, velocity of the notes before, [4, num_notes] each.
      control_changes: the table, row after row.
      pitch_bends: the table, row after row.
    """

    program: int = 0
    channel: int = 0
    name: str = ""
    begins: list[int] = dataclasses.field(default_factory=list)
    ends: list[int] = dataclasses.field(default_factory=list)
    tables: list[Ints] = dataclasses.field(default_factory=list)
    control_changes: list[int] = dataclasses.field(default_factory=list)
    pitch_bends: list[int] = dataclasses.field(default_factory=list)

    def instrument(self) -> Instrument:
        """The finished instrument."""
        self._close_table()
        tables = self.tables
        return Instrument(
            self.program,
            self.channel == DRUM_CHANNEL,
            self.name,
            (tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)).T,
            _rows(self.control_changes, 3),
            _rows(self.pitch_bends, 2),
        )

    def add_table(self, table: Ints) -> None:
        """Adds notes: start, end, pitch and velocity of each, [4, num_notes]."""
        self._close_table()
        self.tables.append(table)

    def _close_table(self) -> None:
        """Makes a table of the notes that were added one by one."""
        if self.ends:
            begins, ends = np.array(self.begins, np.int64), np.array(self.ends, np.int64)
            self.tables.append(np.stack((begins >> 7, ends >> 7, ends & 127, begins & 127)))
            self.begins, self.ends = [], []


class TrackInstruments:
    """The instruments of a track.

    Attributes:
      programs: the program of each channel now.
    """

    def __init__(self) -> None:
        self.programs = [0] * 16
        self._instruments: dict[tuple[int, int], InstrumentBuilder] = {}
        self._before: dict[int, InstrumentBuilder] = {}
        """By channel: control changes and pitch bends that came before any note of their program."""

    def playing(self, channel: int, name: str) -> InstrumentBuilder:
        """Who plays on a channel; made with the track's name at the first note."""
        key = (self.programs[channel], channel)
        if key not in self._instruments:
            before = self._before.get(channel, InstrumentBuilder())
            self._instruments[key] = InstrumentBuilder(
                *key,
                name,
                # The same lists, not copies: what comes later for another program without notes also goes here.
                control_changes=before.control_changes,
                pitch_bends=before.pitch_bends,
            )
        return self._instruments[key]

    def controlled(self, channel: int) -> InstrumentBuilder:
        """Where a channel's control changes go."""
        builder = self._instruments.get((self.programs[channel], channel))
        return builder or self._before.setdefault(channel, InstrumentBuilder())

    def instruments(self) -> list[Instrument]:
        """The finished instruments, in the order in which they first end a note.

        Raises:
          MidiError: if what they share adds up to too much.
        """
        builders = self._instruments.values()
        total = sum(len(builder.control_changes) + len(builder.pitch_bends) for builder in builders)
        if total > MAX_NUMBERS:
            raise MidiError("a few control changes are shared by absurdly many instruments")
        return [builder.instrument() for builder in builders]


def _rows(values: list[int], num_columns: int) -> Ints:
    if not values:
        return np.empty((0, num_columns), np.int64)
    return np.array(values, np.int64).reshape(-1, num_columns)

"""MIDI files to what note-seq's `midi_io` makes of them, twenty times as fast.

The NoteSequence is note-seq's to the last bit, with its order of instruments and of notes and its times. Two things
differ. A file that counts in seconds (SMPTE) gets true times, where note-seq's are negative. And a damaged file cannot
take the memory: note-seq keeps a table of all ticks.
"""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etude.pipelines.readers.midi.events import Instrument, Ints, MidiError, MidiFile
from etude.pipelines.readers.midi.file import parse_midi
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.readers.wire import Column, encode_repeated

MAX_BYTES = 1 << 22
MAX_EVENTS = 1_000_000
"""Notes, control changes and pitch bends. A file can make many of a few bytes, where instruments share them."""
MAX_CHANGES = 100_000
"""Of tempo, metre and key."""
MAX_NAMES = 1 << 20
"""Characters in the names of all instruments, which share those of their tracks."""
MAX_TICKS = 10_000_000_000
"""note-seq's own limit."""
MAX_SECONDS = 24 * 60 * 60

_EVENT_FIELDS = (
    ("notes", ("start_time", "end_time", "pitch", "velocity")),
    ("pitch_bends", ("time", "bend")),
    ("control_changes", ("time", "control_number", "control_value")),
)
"""What an Instrument and a NoteSequence have in common, with its columns."""
_DEFAULT_QUARTERS_PER_MINUTE = 120.0
_DROP_FRAMES_PER_SECOND = 29
"""Stands for 30000 / 1001 frames a second."""


def read(data: bytes, name: str = "") -> list[Reading]:
    """Reads a MIDI file.

    Args:
      data: the file.
      name: unused; a MIDI file is one piece.

    Returns:
      One reading.
    """
    if len(data) > MAX_BYTES:
        return _reject("too-large", f"{len(data):,} bytes, at most {MAX_BYTES:,}")
    try:
        file = parse_midi(data)
    except MidiError as error:
        return _reject("unreadable", str(error))
    if file.last_tick >= MAX_TICKS:
        return _reject("absurd-time", f"{file.last_tick:,} ticks, at most {MAX_TICKS:,}")
    num_events = sum(map(_num_events, file.instruments))
    if num_events > MAX_EVENTS:
        return _reject("too-large", f"{num_events:,} notes and changes, at most {MAX_EVENTS:,}")
    num_changes = len(file.tempos) + len(file.time_signatures) + len(file.key_signatures)
    if num_changes > MAX_CHANGES:
        return _reject("too-large", f"{num_changes:,} changes of tempo, metre and key, at most {MAX_CHANGES:,}")
    if sum(len(instrument.name) for instrument in file.instruments) > MAX_NAMES:
        return _reject("too-large", f"its instruments have names of more than {MAX_NAMES:,} characters together")
    if not file.division or not (file.division > 0 or file.division & 0xFF):
        return _reject("unreadable", "it has no ticks in a quarter note or second")
    sequence = make_note_sequence(file)
    if sequence.total_time > MAX_SECONDS:
        return _reject("absurd-time", f"{sequence.total_time / 3600:,.0f} hours, at most {MAX_SECONDS / 3600:,.0f}")
    return [Reading(sequence=sequence)]


def make_note_sequence(file: MidiFile) -> NoteSequence:
    """Makes the NoteSequence that note-seq makes of a file."""
    sequence = NoteSequence()
    sequence.source_info.parser = NoteSequence.SourceInfo.PRETTY_MIDI
    sequence.source_info.encoding_type = NoteSequence.SourceInfo.MIDI
    if file.division > 0:
        sequence.ticks_per_quarter = file.division
    clock = _Clock.of(file)
    for tick, numerator, denominator in file.time_signatures:
        sequence.time_signatures.add(time=clock.second(tick), numerator=numerator, denominator=denominator)
    for tick, sharps, is_minor in file.key_signatures:
        # A minor key has the signature of the major key a minor third above.
        key = (sharps * 7 + (9 if is_minor else 0)) % 12
        mode = NoteSequence.KeySignature.MINOR if is_minor else NoteSequence.KeySignature.MAJOR
        sequence.key_signatures.add(time=clock.second(tick), key=key, mode=mode)
    for tick, quarters_per_minute in clock.tempos:
        sequence.tempos.add(time=clock.second(tick), qpm=quarters_per_minute)
    for number, instrument in enumerate(file.instruments):
        if instrument.name:
            sequence.instrument_infos.add(instrument=number, name=instrument.name)
    for field, names in _EVENT_FIELDS:
        _merge(sequence, field, names, file.instruments, clock)
    return sequence


def _merge(
    sequence: NoteSequence, field: str, names: tuple[str, ...], instruments: Sequence[Instrument], clock: "_Clock"
) -> None:
    """Adds what all instruments have of one kind: times in ticks, a bend, or values below 128."""
    tables: list[Ints] = [getattr(instrument, field) for instrument in instruments]
    counts = [len(table) for table in tables]
    if not any(counts):
        return
    table = tables[0] if len(tables) == 1 else np.concatenate(tables)
    columns: dict[str, Column] = {}
    for name, values in zip(names, table.T, strict=True):
        if name.endswith("time"):
            columns[name] = clock.seconds(values)
        else:
            columns[name] = values if name == "bend" else values.astype(np.uint8)
    for name, value in (
        ("instrument", range(len(tables))),
        ("program", [instrument.program for instrument in instruments]),
        ("is_drum", [instrument.is_drum for instrument in instruments]),
    ):
        if any(value):
            columns[name] = np.repeat(np.array(value, np.int64), counts)
    sequence.MergeFromString(encode_repeated(NoteSequence, field, columns))
    if "end_time" in columns:
        # An instrument's notes are in the order in which they end.
        ends = columns["end_time"]
        sequence.total_time = float(ends[-1] if len(tables) == 1 else ends.max())


@dataclasses.dataclass
class _Clock:
    """Turns ticks into seconds with pretty_midi's arithmetic.

    Attributes:
      tempos: tick and quarter notes a minute of each tempo.
      starts: ticks at which the length of a tick changes, [num_changes].
      scales: seconds a tick from there on, [num_changes].
      offsets: the second of each start, [num_changes].
    """

    tempos: list[tuple[int, float]]
    starts: Ints
    scales: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.float64]

    @classmethod
    def of(cls, file: MidiFile) -> "_Clock":
        """The clock of a file."""
        if file.division < 0:
            frames, ticks = -(file.division >> 8), file.division & 0xFF
            ticks_per_second = ticks * (30000 / 1001 if frames == _DROP_FRAMES_PER_SECOND else frames)
            tempos = _without_repetition([(tick, 6e7 / tempo) for tick, tempo in file.tempos])
            return cls(tempos, np.zeros(1, np.int64), np.array([1 / ticks_per_second]), np.zeros(1))
        changes = [(tick, 60.0 / (6e7 / tempo * file.division)) for tick, tempo in file.tempos]
        changes = _without_repetition(changes, 60.0 / (_DEFAULT_QUARTERS_PER_MINUTE * file.division))
        offsets = [0.0]
        for (start, scale), (end, _) in itertools.pairwise(changes):
            offsets.append(offsets[-1] + scale * (end - start))
        starts, scales = zip(*changes, strict=True)
        tempos = [(start, 60.0 / (scale * file.division)) for start, scale in changes]
        return cls(tempos, np.array(starts), np.array(scales), np.array(offsets))

    def seconds(self, ticks: Ints) -> npt.NDArray[np.float64]:
        """The second of each tick, [num_ticks]."""
        if len(self.starts) == 1:
            return self.scales * ticks
        index = np.searchsorted(self.starts, ticks, "right") - 1
        return self.offsets[index] + self.scales[index] * (ticks - self.starts[index])

    def second(self, tick: int) -> float:
        """The second of a tick."""
        if not tick:
            return 0.0
        return float(self.seconds(np.array([tick]))[0])


def _without_repetition(
    changes: list[tuple[int, float]], default: float = _DEFAULT_QUARTERS_PER_MINUTE
) -> list[tuple[int, float]]:
    """The changes that change something, from a first one at tick 0 on."""
    kept = [(0, default)]
    for tick, value in changes:
        if tick == 0:
            kept = [(0, value)]
        elif value != kept[-1][1]:
            kept.append((tick, value))
    return kept


def _num_events(instrument: Instrument) -> int:
    return len(instrument.notes) + len(instrument.control_changes) + len(instrument.pitch_bends)


def _reject(reason: str, detail: str) -> list[Reading]:
    return [Reading(rejected=Rejected(reason, detail))]

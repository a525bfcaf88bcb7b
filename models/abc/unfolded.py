"""A tune as it is played, with its bars: what its canonical text says."""

import bisect
import dataclasses
import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from etude.models.abc.notation import key as written_key
from etude.models.abc.notation.score import Metre
from etude.models.abc.performance.bars import rests_of, with_rests
from etude.models.abc.performance.performance import Performance
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.melodies.quantisation import UnusableError
from etude.models.melodies.scales import Key

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

SEVERAL_VOICES = "several-voices"
OFF_GRID = "off-grid"
_MODES = {
    "maj": "major",
    "min": "minor",
    "mix": "mixolydian",
    "dor": "dorian",
    "phr": "phrygian",
    "lyd": "lydian",
    "loc": "locrian",
}
_SEQUENCE_MODES = ("major", "minor", "major", "mixolydian", "dorian", "phrygian", "lydian", "locrian")
"""As NoteSequence numbers them, from 0."""

_MAX_DENOMINATOR = 480
"""Of a quarter note: whatever does not lie on such a grid was played, not written."""
_TOLERANCE = 1e-7
"""In quarter notes."""
_QUARTERS_PER_MINUTE = 120.0


class Chord(NamedTuple):
    """A note, or several that begin and end together; times in whole notes from the start of the tune."""

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...]


class Signature(NamedTuple):
    """Metre and key; no metre is free metre."""

    metre: Metre | None
    key: Key


@dataclasses.dataclass(frozen=True)
class UnfoldedTune:
    """A tune of one voice, repeats played out. All times are in whole notes from its start.

    Attributes:
      chords: what sounds, one after the other; between them are rests.
      bars: where bar lines stand, after the start and before the end, ascending.
      signatures: metre and key from a time on; the first at 0.
    """

    chords: tuple[Chord, ...]
    bars: tuple[Fraction, ...]
    signatures: tuple[tuple[Fraction, Signature], ...]

    @property
    def end(self) -> Fraction:
        """When the last note ends."""
        return self.chords[-1].end

    def signature(self, time: Fraction) -> Signature:
        """What holds at a time."""
        return self.signatures[bisect.bisect_right(self.signatures, time, key=lambda change: change[0]) - 1][1]

    @property
    def has_whole_bars(self) -> bool:
        """Whether every bar is as long as its metre says; the first and the last may be shorter."""
        return not self.num_uneven_bars

    @property
    def num_uneven_bars(self) -> int:
        """Bars that are not as long as their metre says; the first and the last may be shorter."""
        edges = [Fraction(0), *self.bars, self.end]
        uneven = 0
        for place, (start, end) in enumerate(itertools.pairwise(edges)):
            bar = bar_length(self.signature(start).metre)
            may_be_shorter = place in (0, len(edges) - 2)
            uneven += bar is not None and (end - start > bar or (end - start < bar and not may_be_shorter))
        return uneven


def bar_length(metre: Metre | None) -> Fraction | None:
    """The length of a bar in whole notes; None in free metre."""
    return None if metre is None else Fraction(*metre)


def unfold(performance: Performance) -> UnfoldedTune:
    """The tune that a performance plays.

    Bars that a repeat cuts are joined: an incomplete bar before `:|` and the pickup after it are one bar. Where a bar line is
    missing, as at the ends of lines in some collections, several whole bars are parted.

    Raises:
      UnusableError: if several notes overlap.
    """
    units = performance.units
    notes = sorted((note.start, note.end, note.pitch) for note in performance.notes)
    chords = _chords((Fraction(start, units), Fraction(end, units), pitch) for start, end, pitch in notes)
    signatures: list[tuple[Fraction, Signature]] = []
    for time, state in performance.states:
        key, transposition = state.key or (written_key.NO_KEY, 0)
        signatures.append((Fraction(time, units), Signature(state.metre, plain_key(key, transposition))))
    return _tune(chords, [Fraction(time, units) for time in performance.bars], signatures)


def unfold_piece(sequence: "NoteSequence", text: str = "") -> UnfoldedTune:
    """The tune of a piece: with the bars of the text that it was written as, if there is one that plays the same notes.

    Raises:
      UnusableError: if several notes overlap, or notes lie on no grid that one could write.
    """
    if text:
        try:
            performance = read_text(text).performance
        except AbcError:
            pass
        else:
            if any(_plays(one, sequence) for one in (performance, with_rests(performance, rests_of(performance)))):
                return unfold(performance)
    return unfold_sequence(sequence)


def _plays(performance: Performance, sequence: "NoteSequence") -> bool:
    clock, quarter = _Clock(sequence), performance.units / 4
    written = sorted((note.start / quarter, note.end / quarter, note.pitch) for note in performance.notes)
    played = sorted(
        (clock.quarters(note.start_time), clock.quarters(note.end_time), note.pitch) for note in sequence.notes
    )
    return len(written) == len(played) and all(
        abs(one[0] - other[0]) < _TOLERANCE and abs(one[1] - other[1]) < _TOLERANCE and one[2] == other[2]
        for one, other in zip(written, played, strict=True)
    )


def unfold_sequence(sequence: "NoteSequence") -> UnfoldedTune:
    """The tune of a NoteSequence, whose bars are counted from every change of metre; a rest at its start makes a pickup.

    Raises:
      UnusableError: if several notes overlap, or notes lie on no grid that one could write.
    """
    clock = _Clock(sequence)
    notes = sorted((clock.time(note.start_time), clock.time(note.end_time), note.pitch) for note in sequence.notes)
    if not notes:
        raise UnusableError("no-notes", "")
    chords = _chords(notes)
    changes: dict[Fraction, tuple[Metre | None, Key | None]] = {Fraction(0): ((4, 4), Key(0))}
    for signature in sequence.time_signatures:
        metre = signature.numerator, signature.denominator
        if min(metre) < 1:
            raise UnusableError("bad-time-signature", f"{metre[0]}/{metre[1]}")
        changes[clock.time(signature.time)] = metre, None
    for change in sequence.key_signatures:
        time = clock.time(change.time)
        changes[time] = changes.get(time, (None, None))[0], Key(change.key, _SEQUENCE_MODES[change.mode])
    signatures: list[tuple[Fraction, Signature]] = []
    current = Signature((4, 4), Key(0))
    for time, (metre_change, key) in sorted(changes.items(), key=lambda change: change[0]):
        current = Signature(metre_change or current.metre, key or current.key)
        signatures.append((time, current))
    bars = []
    for (start, signature), (stop, _) in itertools.pairwise([*signatures, (chords[-1].end, current)]):
        length = bar_length(signature.metre) or stop - start
        bars += [start + number * length for number in range(max(0, -((start - stop) // length)))]
    return _without_lead(chords, bars, signatures)


def _without_lead(
    chords: tuple[Chord, ...], bars: list[Fraction], signatures: list[tuple[Fraction, Signature]]
) -> UnfoldedTune:
    """The tune without a rest at the start of its first bar: what follows that is a pickup."""
    rest = chords[0].start
    if rest >= (bar_length(signatures[0][1].metre) or 0):
        return _tune(chords, bars, signatures)
    return _tune(
        tuple(Chord(chord.start - rest, chord.end - rest, chord.pitches) for chord in chords),
        [line - rest for line in bars],
        [(max(time - rest, Fraction(0)), signature) for time, signature in signatures],
    )


def plain_key(key: written_key.Key, transposition: int = 0) -> Key:
    """The key as music is usually written in it: without accidentals of its own, with at most six sharps or five flats.

    Args:
      key: as written; with accidentals of its own, the key with as many sharps or flats. Without tonic, a major key.
      transposition: semitones that the music sounds above what is written.
    """
    if key.tonic is not None and key.mode in _MODES:
        return Key((key.tonic + transposition) % 12, _MODES[key.mode])
    sharps = sum(key.alterations)
    for mode in _MODES.values():
        if key.tonic is not None and (Key(key.tonic, mode).sharps - sharps) % 12 == 0:
            return Key((key.tonic + transposition) % 12, mode)
    return Key((sharps * 7 + transposition) % 12)


def _chords(notes: Iterable[tuple[Fraction, Fraction, int]]) -> tuple[Chord, ...]:
    """Notes, sorted, that begin and end together as one."""
    chords: list[Chord] = []
    for start, end, pitch in notes:
        last = chords[-1] if chords else None
        if last and (last.start, last.end) == (start, end) and pitch not in last.pitches:
            chords[-1] = last._replace(pitches=(*last.pitches, pitch))
        elif last and start < last.end:
            raise UnusableError(SEVERAL_VOICES, f"at quarter note {float(4 * start):g}")
        else:
            chords.append(Chord(start, end, (pitch,)))
    return tuple(chords)


def _tune(
    chords: tuple[Chord, ...], lines: list[Fraction], signatures: list[tuple[Fraction, Signature]]
) -> UnfoldedTune:
    end = chords[-1].end
    changes = [signatures[0]]
    for time, signature in signatures[1:]:
        if time < end and signature != changes[-1][1]:
            changes.append((time, signature))
    inner = [line for line in lines if 0 < line < end]
    # A first bar that the second one completes may be a pickup all the same.
    choices = (_parted(_joined(inner, end, changes, number), end, changes) for number in (1, 0))
    return min((UnfoldedTune(chords, bars, tuple(changes)) for bars in choices), key=lambda tune: tune.num_uneven_bars)


def _joined(
    lines: list[Fraction], end: Fraction, signatures: list[tuple[Fraction, Signature]], num_kept: int
) -> tuple[Fraction, ...]:
    """Bar lines without those within a bar: what they part is a whole bar together. The first ones are kept."""
    times, new_metres = [time for time, _ in signatures], _new_metres(signatures)
    edges = {*lines, end}
    kept = lines[:num_kept]
    start = kept[-1] if kept else Fraction(0)
    for line in lines[num_kept:]:
        bar = bar_length(signatures[bisect.bisect_right(times, start) - 1][1].metre)
        is_within = bar is not None and line < start + bar and (start + bar in edges or start + bar > end)
        if not is_within or any(start < time < start + (bar or 0) for time in new_metres):
            kept.append(line)
            start = line
    return tuple(kept)


def _new_metres(signatures: list[tuple[Fraction, Signature]]) -> list[Fraction]:
    pairs = itertools.pairwise(signatures)
    return [time for (_, before), (time, after) in pairs if before.metre != after.metre]


def _parted(
    lines: tuple[Fraction, ...], end: Fraction, signatures: list[tuple[Fraction, Signature]]
) -> tuple[Fraction, ...]:
    """Bar lines, and those that are missing: where what stands between two is several whole bars."""
    times, new_metres = [time for time, _ in signatures], _new_metres(signatures)
    found: list[Fraction] = []
    for start, stop in itertools.pairwise([Fraction(0), *lines, end]):
        bar = bar_length(signatures[bisect.bisect_right(times, start) - 1][1].metre)
        is_one_metre = not any(start < time < stop for time in new_metres)
        if bar is not None and is_one_metre and (stop - start) % bar == 0:
            found += [start + number * bar for number in range(1, (stop - start) // bar)]
        found.append(stop)
    return tuple(found[:-1])


class _Clock:
    """Turns seconds into whole notes."""

    def __init__(self, sequence: "NoteSequence") -> None:
        tempos = sorted((tempo.time, tempo.qpm) for tempo in sequence.tempos)
        if not tempos or tempos[0][0] > 0:
            tempos.insert(0, (0.0, _QUARTERS_PER_MINUTE))
        self._seconds = [seconds for seconds, _ in tempos]
        self._rates = [rate / 60 for _, rate in tempos]
        self._quarters = [0.0]
        for (before, after), rate in zip(itertools.pairwise(self._seconds), self._rates, strict=False):
            self._quarters.append(self._quarters[-1] + (after - before) * rate)

    def quarters(self, seconds: float) -> float:
        """A time in quarter notes.

        Raises:
          UnusableError: if it is before the start.
        """
        place = bisect.bisect_right(self._seconds, seconds) - 1
        if place < 0:
            raise UnusableError("negative-time", f"{seconds:g} s")
        return self._quarters[place] + (seconds - self._seconds[place]) * self._rates[place]

    def time(self, seconds: float) -> Fraction:
        """A time in whole notes, exact.

        Raises:
          UnusableError: if it lies on no grid.
        """
        quarters = self.quarters(seconds)
        exact = Fraction(quarters).limit_denominator(_MAX_DENOMINATOR)
        if abs(exact - quarters) > _TOLERANCE:
            raise UnusableError(OFF_GRID, f"at {seconds:g} s")
        return exact / 4

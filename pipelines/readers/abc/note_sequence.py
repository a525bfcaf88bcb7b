"""A performance as a NoteSequence."""

import bisect
import functools
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from etude.models.abc.notation.score import Score
from etude.models.abc.performance.performance import Performance
from etude.models.abc.performance.timeline import State
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.readers.wire import Column, encode_repeated

TICKS_PER_QUARTER = 220
DEFAULT_QUARTERS_PER_MINUTE = Fraction(120)
_EXACT_IN_FLOAT = 1 << 53
"""Whole numbers below are floats, too, and their quotient is then the nearest float."""
_MAX_OFFSET_BITS = 1024
"""Beyond that, only the fraction of a second that far behind the point is lost: many tempos have no common measure."""
_MODES = {"maj": 0, "min": 1, "": 2, "mix": 3, "dor": 4, "phr": 5, "lyd": 6, "loc": 7}
"""Modes as NoteSequence numbers them."""


def make_note_sequence(score: Score, performance: Performance) -> NoteSequence:
    """Makes a NoteSequence, in the form that note-seq's ABC reader gives.

    Times in seconds are the floats nearest to the exact ones. A tempo stands at the start, 120 quarter notes a minute if
    the tune gives none.
    """
    sequence = NoteSequence(ticks_per_quarter=TICKS_PER_QUARTER)
    sequence.source_info.source_type = NoteSequence.SourceInfo.SCORE_BASED
    sequence.source_info.encoding_type = NoteSequence.SourceInfo.ABC
    _add_metadata(sequence, score)
    clock = _Clock(performance)
    _add_states(sequence, performance.states, clock)
    notes = performance.notes
    if notes:
        columns: dict[str, Column] = {
            "start_time": clock.all_seconds(notes.starts),
            "end_time": clock.all_seconds(notes.ends),
            "pitch": np.array(notes.pitches, np.int64),
            "velocity": np.array(notes.velocities, np.int64),
        }
        if len(performance.instruments) > 1:
            columns["instrument"] = np.array(notes.instruments, np.int64)
        sequence.MergeFromString(encode_repeated(NoteSequence, "notes", columns))
    sequence.total_time = clock.seconds(max(notes.ends, default=0))
    for time, text in performance.chord_symbols:
        sequence.text_annotations.add(
            time=clock.seconds(time), text=text, annotation_type=NoteSequence.TextAnnotation.CHORD_SYMBOL
        )
    for time, number in performance.sections:
        sequence.section_annotations.add(time=clock.seconds(time), section_id=number)
    if len(performance.instruments) > 1:
        for number, name in enumerate(performance.instruments):
            sequence.instrument_infos.add(instrument=number, name=name)
    return sequence


class _Clock:
    """Turns the times of a performance into seconds: exact until the last rounding.

    From each change of tempo on, a time t is (t * slope + zero) / common seconds, all of them whole numbers.
    """

    def __init__(self, performance: Performance) -> None:
        self._starts: list[int] = []
        self._lines: list[tuple[int, int, int]] = []
        before = rate = Fraction(0)
        current: Fraction | None = None
        for start, state in performance.states:
            tempo = state.quarters_per_minute or DEFAULT_QUARTERS_PER_MINUTE
            if tempo == current:
                continue
            if self._starts:
                before = _bounded(before + (start - self._starts[-1]) * rate)
            current, rate = tempo, _seconds_per_unit(tempo, performance.units)
            offset = before - start * rate if start else before
            common = rate.denominator * offset.denominator
            self._starts.append(start)
            slope = rate.numerator * offset.denominator
            self._lines.append((slope, offset.numerator * rate.denominator, common))

    def seconds(self, time: int) -> float:
        """The second of a time."""
        slope, zero, common = self._lines[bisect.bisect_right(self._starts, time) - 1]
        return (time * slope + zero) / common

    def all_seconds(self, times: list[int]) -> npt.NDArray[np.float64]:
        """The second of each time, [num_times]."""
        slope, zero, common = self._lines[0]
        if len(self._lines) == 1 and max(max(times) * slope, abs(zero), common) < _EXACT_IN_FLOAT // 2:
            return (np.array(times, np.int64) * slope + zero) / common
        return np.array([self.seconds(time) for time in times], np.float64)


def _bounded(seconds: Fraction) -> Fraction:
    if seconds.denominator.bit_length() <= _MAX_OFFSET_BITS:
        return seconds
    return Fraction(round(seconds * (1 << _MAX_OFFSET_BITS // 2)), 1 << _MAX_OFFSET_BITS // 2)


@functools.lru_cache(maxsize=256)
def _seconds_per_unit(quarters_per_minute: Fraction, units: int) -> Fraction:
    return 240 / quarters_per_minute / units


def _add_metadata(sequence: NoteSequence, score: Score) -> None:
    """NoteSequences have no place for the origin: it stands with the rhythm, as a genre."""
    metadata = sequence.sequence_metadata
    metadata.title = score.titles[0] if score.titles else ""
    metadata.composers.extend(filter(None, score.composers))
    metadata.genre.extend(filter(None, [*score.rhythms, *score.origins]))


def _add_states(sequence: NoteSequence, states: list[tuple[int, State]], clock: _Clock) -> None:
    previous = State()
    for start, state in states:
        time = clock.seconds(start)
        if state.metre and state.metre != previous.metre:
            sequence.time_signatures.add(time=time, numerator=state.metre[0], denominator=state.metre[1])
        if state.key and state.key != previous.key:
            key, transposition = state.key
            if key.tonic is not None:
                sequence.key_signatures.add(time=time, key=(key.tonic + transposition) % 12, mode=_MODES[key.mode])
        if not sequence.tempos or state.quarters_per_minute != previous.quarters_per_minute:
            sequence.tempos.add(time=time, qpm=float(state.quarters_per_minute or DEFAULT_QUARTERS_PER_MINUTE))
        previous = state

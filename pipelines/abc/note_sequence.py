"""A performance as a NoteSequence."""

import bisect
from collections.abc import Callable
from fractions import Fraction

from pipelines.abc.performance import Performance, State
from pipelines.abc.score import Score
from pipelines.note_sequences import NoteSequence

TICKS_PER_QUARTER = 220
DEFAULT_QUARTERS_PER_MINUTE = Fraction(120)
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
    seconds = _Clock(performance)
    _add_states(sequence, performance.states, seconds)
    add_note = sequence.notes.add
    for note in performance.notes:
        add_note(
            pitch=note.pitch,
            velocity=note.velocity,
            start_time=seconds(note.start),
            end_time=seconds(note.end),
            instrument=note.instrument,
        )
    sequence.total_time = max((note.end_time for note in sequence.notes), default=0.0)
    for time, text in performance.chord_symbols:
        sequence.text_annotations.add(
            time=seconds(time), text=text, annotation_type=NoteSequence.TextAnnotation.CHORD_SYMBOL
        )
    for time, number in performance.sections:
        sequence.section_annotations.add(time=seconds(time), section_id=number)
    if len(performance.instruments) > 1:
        for number, name in enumerate(performance.instruments):
            sequence.instrument_infos.add(instrument=number, name=name)
    return sequence


class _Clock:
    """Turns units of a performance into seconds, exactly until the last rounding."""

    def __init__(self, performance: Performance) -> None:
        self._starts: list[int] = []
        self._segments: list[tuple[int, int, int]] = []
        seconds = Fraction(0)
        rate = Fraction(0)
        for start, state in performance.states or [(0, State())]:
            if self._starts:
                seconds += (start - self._starts[-1]) * rate
            rate = 240 / (state.quarters_per_minute or DEFAULT_QUARTERS_PER_MINUTE) / performance.units
            offset = seconds - start * rate
            common = rate.denominator * offset.denominator
            self._starts.append(start)
            self._segments.append((int(rate * common), int(offset * common), common))

    def __call__(self, units: int) -> float:
        slope, offset, common = self._segments[bisect.bisect_right(self._starts, units) - 1]
        return (units * slope + offset) / common


def _add_metadata(sequence: NoteSequence, score: Score) -> None:
    """NoteSequences have no place for the origin: it stands with the rhythm, as a genre."""
    metadata = sequence.sequence_metadata
    metadata.title = score.titles[0] if score.titles else ""
    metadata.composers.extend(filter(None, score.composers))
    metadata.genre.extend(filter(None, [*score.rhythms, *score.origins]))


def _add_states(sequence: NoteSequence, states: list[tuple[int, State]], seconds: Callable[[int], float]) -> None:
    previous = State()
    for start, state in states:
        time = seconds(start)
        if state.metre and state.metre != previous.metre:
            sequence.time_signatures.add(time=time, numerator=state.metre[0], denominator=state.metre[1])
        if state.key and state.key != previous.key:
            key, transposition = state.key
            if key.tonic is not None:
                sequence.key_signatures.add(time=time, key=(key.tonic + transposition) % 12, mode=_MODES[key.mode])
        if not sequence.tempos or state.quarters_per_minute != previous.quarters_per_minute:
            sequence.tempos.add(time=time, qpm=float(state.quarters_per_minute or DEFAULT_QUARTERS_PER_MINUTE))
        previous = state

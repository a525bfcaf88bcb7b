"""A performance as a NoteSequence."""

import bisect
from fractions import Fraction

from pipelines.abc.performance import Performance
from pipelines.abc.score import Score
from pipelines.abc.timeline import State
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
    seconds = _seconds(performance)
    _add_states(sequence, performance.states, seconds)
    add_note = sequence.notes.add
    for start, instrument, pitch, end, velocity in performance.notes:
        add_note(
            pitch=pitch, velocity=velocity, start_time=seconds[start], end_time=seconds[end], instrument=instrument
        )
    sequence.total_time = seconds[max((note.end for note in performance.notes), default=0)]
    for time, text in performance.chord_symbols:
        sequence.text_annotations.add(
            time=seconds[time], text=text, annotation_type=NoteSequence.TextAnnotation.CHORD_SYMBOL
        )
    for time, number in performance.sections:
        sequence.section_annotations.add(time=seconds[time], section_id=number)
    if len(performance.instruments) > 1:
        for number, name in enumerate(performance.instruments):
            sequence.instrument_infos.add(instrument=number, name=name)
    return sequence


def _seconds(performance: Performance) -> dict[int, float]:
    """For every time that occurs, what it is in seconds: exact until the last rounding."""
    times = {0}
    for note in performance.notes:
        times.add(note.start)
        times.add(note.end)
    for marks in (performance.states, performance.chord_symbols, performance.sections):
        times.update(mark[0] for mark in marks)
    ordered = sorted(times)
    starts = [start for start, _ in performance.states]
    tempos = [state.quarters_per_minute for _, state in performance.states]
    seconds: dict[int, float] = {}
    before = Fraction(0)
    first = 0
    for number, (start, tempo) in enumerate(zip(starts, tempos, strict=True)):
        rate = 240 / (tempo or DEFAULT_QUARTERS_PER_MINUTE) / performance.units
        offset = before - start * rate
        common = rate.denominator * offset.denominator
        slope, zero = int(rate * common), int(offset * common)
        is_last = number + 1 == len(starts)
        last = len(ordered) if is_last else bisect.bisect_left(ordered, starts[number + 1])
        seconds.update((time, (time * slope + zero) / common) for time in ordered[first:last])
        first = last
        if not is_last:
            before += (starts[number + 1] - start) * rate
    return seconds


def _add_metadata(sequence: NoteSequence, score: Score) -> None:
    """NoteSequences have no place for the origin: it stands with the rhythm, as a genre."""
    metadata = sequence.sequence_metadata
    metadata.title = score.titles[0] if score.titles else ""
    metadata.composers.extend(filter(None, score.composers))
    metadata.genre.extend(filter(None, [*score.rhythms, *score.origins]))


def _add_states(sequence: NoteSequence, states: list[tuple[int, State]], seconds: dict[int, float]) -> None:
    previous = State()
    for start, state in states:
        time = seconds[start]
        if state.metre and state.metre != previous.metre:
            sequence.time_signatures.add(time=time, numerator=state.metre[0], denominator=state.metre[1])
        if state.key and state.key != previous.key:
            key, transposition = state.key
            if key.tonic is not None:
                sequence.key_signatures.add(time=time, key=(key.tonic + transposition) % 12, mode=_MODES[key.mode])
        if not sequence.tempos or state.quarters_per_minute != previous.quarters_per_minute:
            sequence.tempos.add(time=time, qpm=float(state.quarters_per_minute or DEFAULT_QUARTERS_PER_MINUTE))
        previous = state

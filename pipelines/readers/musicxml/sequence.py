"""A score as it is played, as a NoteSequence."""

import bisect
import collections
from collections.abc import Iterator, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element

from etude.models.melodies.pickups import NO_RESTS, REST, BarRests, PlayedBar, bar_rests
from etude.pipelines.readers.musicxml.order import EndlessError, Signs, playing_order
from etude.pipelines.readers.musicxml.score import MAX_DENOMINATOR, Measure, Note, Part
from etude.pipelines.readers.note_sequences import NoteSequence

TICKS_PER_QUARTER = 220
MAX_EVENTS = 300_000
"""Notes, chord symbols and changes of tempo, as played."""
MAX_MEASURES = 1_000_000
"""As played, of all parts that have notes."""
MAX_SECONDS = 24 * 60 * 60
_DEFAULT_TEMPO = Fraction(120)
_MODES = {
    "minor": 1, "aeolian": 1, "mixolydian": 3, "dorian": 4, "phrygian": 5, "lydian": 6, "locrian": 7,
}  # fmt: skip
"""Modes as NoteSequence numbers them; all others are major, as in note-seq."""


def make_note_sequence(root: Element, parts: Sequence[Part], pickups: str = REST) -> tuple[NoteSequence, BarRests]:
    """Plays out a score.

    Every voice of a part is an instrument of its own, so that the melodies of a choir on two staves stay apart. A tempo
    stands at the start, 120 quarter notes a minute if the score gives none.

    Args:
      root: the score, for its title and composer.
      parts: what `read_score` found.
      pickups: "rest" keeps bars by rests, "as-written" plays what is written.

    Returns:
      The piece, and the rests.

    Raises:
      EndlessError: if its repeats make it longer than any score.
    """
    sequence = NoteSequence(ticks_per_quarter=TICKS_PER_QUARTER)
    sequence.source_info.source_type = NoteSequence.SourceInfo.SCORE_BASED
    sequence.source_info.encoding_type = NoteSequence.SourceInfo.MUSIC_XML
    _add_metadata(sequence, root)
    signs = _joined_signs(parts)
    order = playing_order(signs)
    _check_size(parts, order)
    lengths = _measure_lengths(parts)
    written = []
    position = Fraction(0)
    for index in order:
        written.append(position)
        position += lengths[index]
        if position.denominator > MAX_DENOMINATOR:
            raise EndlessError("its measures have no common grid, as a damaged score has not")
    rests = bar_rests(_played_bars(parts, signs, order, written, lengths)) if pickups == REST else NO_RESTS
    ends = [Fraction(rests.moved(start, is_end=True)) for start in written]
    starts = [Fraction(rests.moved(start)) for start in written]
    seconds = _add_changes(sequence, parts, order, ends, starts)
    if seconds(position) > MAX_SECONDS:
        raise EndlessError(f"it lasts {seconds(position) / 3600:,.0f} hours, at most {MAX_SECONDS / 3600:,.0f}")
    _add_notes(sequence, parts, order, starts, seconds)
    _add_chords(sequence, parts, order, starts, seconds)
    sequence.total_time = max((note.end_time for note in sequence.notes), default=0.0)
    return sequence, rests


def _check_size(parts: Sequence[Part], order: Sequence[int]) -> None:
    """Counts what a score comes to, before it is played out."""
    num_playing = sum(1 for part in parts if any(measure.notes for measure in part.measures))
    if num_playing * len(order) > MAX_MEASURES:
        raise EndlessError(f"more than {MAX_MEASURES:,} measures in {num_playing:,} parts, once its repeats are played")
    times_played = collections.Counter(order)
    num_events = sum(
        times_played[index] * (len(measure.notes) + len(measure.chords) + len(measure.tempos))
        for part in parts
        for index, measure in enumerate(part.measures)
    )
    if num_events > MAX_EVENTS:
        raise EndlessError(f"more than {MAX_EVENTS:,} notes, chords and tempos, once its repeats are played")


def _columns(parts: Sequence[Part]) -> list[list[Measure]]:
    """The measures of all parts by number."""
    columns: list[list[Measure]] = []
    for part in parts:
        for index, measure in enumerate(part.measures):
            if index == len(columns):
                columns.append([])
            columns[index].append(measure)
    return columns


def _measure_lengths(parts: Sequence[Part]) -> list[Fraction]:
    """The length of each measure in quarter notes: as long as the longest part.

    Where only some parts are longer than their metre, it is the others' metre: no note of a part that was written one
    too long keeps all other parts waiting. music21 does not let them wait either.
    """
    columns: list[list[tuple[Fraction, Fraction]]] = []
    for part in parts:
        metre: tuple[int, int] | None = None
        for index, measure in enumerate(part.measures):
            if index == len(columns):
                columns.append([])
            metre = measure.metre or metre
            if measure.length:
                columns[index].append((measure.length, 4 * Fraction(*metre) if metre else measure.length))
    lengths = []
    for column in columns:
        fitting = [metre for length, metre in column if length <= metre]
        is_overfull = 0 < len(fitting) < len(column)
        lengths.append(max(fitting if is_overfull else [length for length, _ in column], default=Fraction(0)))
    return lengths


def _played_bars(
    parts: Sequence[Part],
    signs: Sequence[Signs],
    order: Sequence[int],
    starts: Sequence[Fraction],
    lengths: Sequence[Fraction],
) -> Iterator[PlayedBar]:
    """The measures as they are played; one without length is none."""
    metres = _metres(parts)
    before: int | None = None
    for index, start in zip(order, starts, strict=True):
        metre = metres[index]
        is_section = before is None or index != before + 1 or signs[index].starts_repeat or signs[before].times > 0
        if lengths[index]:
            whole = 4 * Fraction(*metre) if metre else None
            yield PlayedBar(start, lengths[index], whole, is_section, before is not None and metre != metres[before])
            before = index


def _metres(parts: Sequence[Part]) -> list[tuple[int, int] | None]:
    """The metre of each measure; None before any is given."""
    metre: tuple[int, int] | None = None
    metres = []
    for measures in _columns(parts):
        metre = next((measure.metre for measure in measures if measure.metre), metre)
        metres.append(metre)
    return metres


def _joined_signs(parts: Sequence[Part]) -> list[Signs]:
    """The signs of all parts together; most scores give them in one part only."""
    joined: list[Signs] = []
    for part in parts:
        for index, measure in enumerate(part.measures):
            if index == len(joined):
                joined.append(Signs())
            signs, into = measure.signs, joined[index]
            into.times = max(into.times, signs.times)
            into.endings |= signs.endings
            for name in ("starts_repeat", "starts_ending", "segno", "coda", "to_coda", "fine", "da_capo", "dal_segno"):
                setattr(into, name, getattr(into, name) or getattr(signs, name))
    return joined


class _Clock:
    """Turns quarter notes from the start into seconds."""

    def __init__(self, tempos: Sequence[tuple[Fraction, Fraction]]) -> None:
        starts = [start for start, _ in tempos]
        scales = [60 / tempo for _, tempo in tempos]
        self._rounded_starts = [float(start) for start in starts]
        self._offsets = [0.0]
        for index in range(1, len(tempos)):
            length = starts[index] - starts[index - 1]
            self._offsets.append(self._offsets[-1] + float(length * scales[index - 1]))
        self._starts = [start.as_integer_ratio() for start in starts]
        self._scales = [scale.as_integer_ratio() for scale in scales]

    def __call__(self, quarters: Fraction) -> float:
        # Fractions are slow. Where floats cannot tell two times apart, neither can their seconds; and a quotient of
        # integers, reduced or not, is rounded as the fraction would be.
        numerator, denominator = quarters.as_integer_ratio()
        index = bisect.bisect_right(self._rounded_starts, numerator / denominator) - 1
        start, start_denominator = self._starts[index]
        scale, scale_denominator = self._scales[index]
        beyond = numerator * start_denominator - start * denominator
        return self._offsets[index] + beyond * scale / (denominator * start_denominator * scale_denominator)


def _add_changes(
    sequence: NoteSequence,
    parts: Sequence[Part],
    order: Sequence[int],
    ends: Sequence[Fraction],
    starts: Sequence[Fraction],
) -> _Clock:
    """Adds tempos, metres and keys where they change, also by going back to where another one holds.

    They change where the measure before ends; a rest before a measure is in its metre.
    """
    tempo = _DEFAULT_TEMPO
    key: tuple[int, str] | None = None
    states = []
    for metre, measures in zip(_metres(parts), _columns(parts), strict=True):
        key = next((measure.key for measure in measures if measure.key), key)
        found: dict[Fraction, Fraction] = {}
        for measure in measures:
            for position, value in measure.tempos:
                found.setdefault(position, value)
        changes = sorted(found.items())
        states.append((metre, key, [(Fraction(0), tempo), *changes]))
        tempo = changes[-1][1] if changes else tempo
    tempos: list[tuple[Fraction, Fraction]] = []
    for index, end, start in zip(order, ends, starts, strict=True):
        for position, value in states[index][2]:
            time = start + position if position else end
            if tempos and tempos[-1][0] == time:
                tempos.pop()
            if not tempos or tempos[-1][1] != value:
                tempos.append((time, value))
    tempos = tempos or [(Fraction(0), _DEFAULT_TEMPO)]
    seconds = _Clock(tempos)
    for start, value in tempos:
        sequence.tempos.add(time=seconds(start), qpm=float(value))
    metre, key = None, None
    for index, start in zip(order, ends, strict=True):
        new_metre, new_key, _ = states[index]
        if new_metre and new_metre != metre:
            metre = new_metre
            sequence.time_signatures.add(time=seconds(start), numerator=metre[0], denominator=metre[1])
        if new_key and new_key != key:
            key = new_key
            sequence.key_signatures.add(time=seconds(start), key=key[0], mode=_MODES.get(key[1], 0))
    return seconds


def _add_notes(
    sequence: NoteSequence, parts: Sequence[Part], order: Sequence[int], starts: Sequence[Fraction], seconds: _Clock
) -> None:
    instruments: dict[tuple[int, str], int] = {}
    for number, part in enumerate(parts):
        sequence.part_infos.add(part=number, name=part.name)
        first = len(instruments)
        for start, end, note in _tied(part, order, starts):
            voice = (number, note.voice)
            if voice not in instruments:
                instruments[voice] = len(instruments)
                name = part.name if instruments[voice] == first else f"{part.name}, voice {note.voice}"
                sequence.instrument_infos.add(instrument=instruments[voice], name=name)
            sequence.notes.add(
                pitch=note.pitch,
                velocity=note.velocity,
                start_time=seconds(start),
                end_time=seconds(end),
                instrument=instruments[voice],
                program=part.program,
                is_drum=part.is_drum,
                part=number,
                voice=int(note.voice) if note.voice.isdecimal() and len(note.voice) < 9 else 0,
            )


def _tied(part: Part, order: Sequence[int], starts: Sequence[Fraction]) -> list[tuple[Fraction, Fraction, Note]]:
    """Start, end and first written note of every note as it sounds; tied notes are one."""
    played: list[tuple[Fraction, Fraction, Note]] = []
    if not any(measure.notes for measure in part.measures):
        return played
    waiting: dict[int, int] = {}
    """By pitch: the number of the note that is tied to the next one."""
    for index, measure_start in zip(order, starts, strict=True):
        if index >= len(part.measures):
            continue
        # Voices follow each other in the file, while a tie can go from one to another.
        for note in sorted(part.measures[index].notes, key=lambda note: note.start):
            start = measure_start + note.start
            # Some scores mark the first of two tied notes only.
            number = waiting.pop(note.pitch, None)
            if number is not None and played[number][1] == start:
                played[number] = (played[number][0], start + note.duration, played[number][2])
            else:
                number = len(played)
                played.append((start, start + note.duration, note))
            if note.is_tied:
                waiting[note.pitch] = number
    return played


def _add_chords(
    sequence: NoteSequence, parts: Sequence[Part], order: Sequence[int], starts: Sequence[Fraction], seconds: _Clock
) -> None:
    """Adds the chord symbols of all parts, each once."""
    found: dict[tuple[Fraction, str], None] = {}
    chords = [[chord for measure in measures for chord in measure.chords] for measures in _columns(parts)]
    for index, start in zip(order, starts, strict=True):
        found.update(((start + position, text), None) for position, text in chords[index])
    for position, text in sorted(found, key=lambda chord: chord[0]):
        sequence.text_annotations.add(
            time=seconds(position), text=text, annotation_type=NoteSequence.TextAnnotation.CHORD_SYMBOL
        )


def _add_metadata(sequence: NoteSequence, root: Element) -> None:
    title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    sequence.sequence_metadata.title = " ".join(title.split())
    for creator in root.findall("identification/creator"):
        if creator.get("type") == "composer" and creator.text and creator.text.strip():
            sequence.sequence_metadata.composers.append(" ".join(creator.text.split()))

"""Music in MEI, the music encoding that the engraver reads: one staff, two for music of wide range, one for drums."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from etude.models.melodies.scales import Key
from etude.models.melodies.spelling import Spelling
from etude.pipelines.rendering.music import Music, Note
from etude.pipelines.rendering.notation import Symbol, bars, beams, tuplet_ratio, tuplets

PRIMER = "primer"
"""The class of notes that were given."""

_NAMESPACE = "http://www.music-encoding.org/ns/mei"
_MIDDLE_C = 60
_LOW_MEDIAN = 58
_GESTURAL = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}

_DRUM_PLACES = {
    35: 1, 36: 1, 37: 5, 38: 5, 40: 5, 41: 2, 43: 2, 45: 3, 47: 4, 48: 6, 50: 6,
    42: 9, 44: -1, 46: 9, 49: 10, 51: 8, 53: 8, 55: 10, 57: 10, 59: 8,
}  # fmt: skip
"""Half spaces above the lowest line at which a drum of General MIDI is usually written."""

_CYMBALS = (42, 44, 46, 49, 51, 53, 55, 57, 59)
_OTHER_DRUM = 7


class _Clef(NamedTuple):
    shape: str
    line: int
    octave_lower: bool = False


class _Staff(NamedTuple):
    """The notes of a staff, and its clef."""

    notes: tuple[Note, ...]
    clef: _Clef
    is_drums: bool = False


def to_mei(music: Music) -> str:
    """The whole document.

    Raises:
      UsageError: if no metre fits the bar.
    """
    music = music.notated
    key, staves = music.shown_key, _staves(music)
    mei = ElementTree.Element("mei", xmlns=_NAMESPACE, meiversion="5.0")
    score = _inside(mei, "music", "body", "mdiv", "score")
    numerator, denominator = music.shown_metre
    signature = f"{abs(key.sharps)}{'s' if key.sharps > 0 else 'f'}" if key.sharps else "0"
    definition = ElementTree.SubElement(
        score, "scoreDef", {"meter.count": str(numerator), "meter.unit": str(denominator), "keysig": signature}
    )
    joined = {"symbol": "brace", "bar.thru": "true"} if len(staves) > 1 else {}
    group = ElementTree.SubElement(definition, "staffGrp", joined)
    for number, staff in enumerate(staves, start=1):
        _define(group, number, staff)
    section = ElementTree.SubElement(score, "section")
    written = [bars(music, staff.notes) for staff in staves]
    num_bars = len(written[0])
    for number in range(num_bars):
        is_pickup = number == 0 and music.pickup_steps > 0
        measure = ElementTree.SubElement(section, "measure", n=str(number + (0 if music.pickup_steps else 1)))
        measure.attrib |= {"right": "end"} if number == num_bars - 1 else {}
        measure.attrib |= {"metcon": "false"} if is_pickup else {}
        for place, staff in enumerate(staves, start=1):
            layer = ElementTree.SubElement(_inside(measure, "staff", n=str(place)), "layer", n="1")
            _Bar(music, key, staff.is_drums).write(layer, written[place - 1][number])
        for symbol in written[0][number]:
            if symbol.chord:
                beat = 1 + symbol.onset * denominator / (4 * music.steps_per_quarter)
                ElementTree.SubElement(measure, "harm", staff="1", tstamp=f"{beat:g}").text = symbol.chord
    return ElementTree.tostring(mei, encoding="unicode")


class _Bar:
    """Writes one bar of one staff."""

    def __init__(self, music: Music, key: Key, is_drums: bool) -> None:
        self._music = music
        self._key = key
        self._is_drums = is_drums
        self._written: dict[tuple[str, int], int] = {}

    def write(self, layer: ElementTree.Element, bar: Sequence[Symbol]) -> None:
        """Adds the bar's symbols, in tuplets and beams."""
        if all(not symbol.pitches for symbol in bar):
            ElementTree.SubElement(layer, "mRest")
            return
        odd, even = tuplet_ratio(self._music.steps_per_quarter)
        for group in tuplets(bar):
            parent = layer
            if group[0].tuplet is not None:
                parent = ElementTree.SubElement(layer, "tuplet", num=str(odd), numbase=str(even))
            for run in beams(group, self._music.beat):
                within = ElementTree.SubElement(parent, "beam") if len(run) > 1 else parent
                for symbol in run:
                    self._symbol(within, symbol)

    def _symbol(self, parent: ElementTree.Element, symbol: Symbol) -> None:
        length = dict(_length(symbol.value))
        if not symbol.pitches:
            ElementTree.SubElement(parent, "rest", length)
            return
        if len(symbol.pitches) > 1:
            parent = ElementTree.SubElement(parent, "chord", length)
            length = {}
        for pitch in symbol.pitches:
            note = ElementTree.SubElement(parent, "note", length | dict(self._pitch(pitch, symbol)))
            if symbol.is_primer:
                note.set("type", PRIMER)

    def _pitch(self, pitch: int, symbol: Symbol) -> Iterator[tuple[str, str]]:
        """The attributes of a note: where it stands, its accidental, and its tie."""
        is_continued = pitch in symbol.continued
        if self._is_drums:
            yield "loc", str(_DRUM_PLACES.get(pitch, _OTHER_DRUM))
            if pitch in _CYMBALS:
                yield "head.shape", "x"
        else:
            spelling = Spelling.of(pitch, self._key)
            place = spelling.letter, spelling.octave
            in_signature = spelling.accidental if spelling.is_in_signature else None
            holds = self._written.get(place, in_signature)
            yield "pname", spelling.letter.lower()
            yield "oct", str(spelling.octave)
            # What a tie continues needs no accidental, even over a bar line; it holds for its own note alone there.
            if spelling.accidental != holds and not is_continued:
                self._written[place] = spelling.accidental
                yield "accid", _GESTURAL[spelling.accidental]
            elif spelling.accidental:
                yield "accid.ges", _GESTURAL[spelling.accidental]
        tie = ("t" if is_continued else "", "i" if pitch in symbol.tied else "")
        if any(tie):
            yield "tie", "m" if all(tie) else "".join(tie)


def _staves(music: Music) -> list[_Staff]:
    """One staff, two where low and high notes sound at once; drums on one of their own."""
    drums = tuple(note for note in music.notes if note.is_drum)
    notes = tuple(note for note in music.notes if not note.is_drum)
    staves = []
    if notes or not drums:
        ordered = sorted(note.pitch for note in notes) or [_MIDDLE_C]
        is_low = ordered[len(ordered) // 2] < _LOW_MEDIAN
        if ordered[0] < _MIDDLE_C - 7 and ordered[-1] >= _MIDDLE_C and _is_polyphonic(notes):
            upper = tuple(note for note in notes if note.pitch >= _MIDDLE_C)
            lower = tuple(note for note in notes if note.pitch < _MIDDLE_C)
            staves += [_Staff(upper, _Clef("G", 2)), _Staff(lower, _Clef("F", 4))]
        else:
            staves.append(_Staff(notes, _Clef("G", 2, octave_lower=is_low)))
    if drums:
        staves.append(_Staff(drums, _Clef("perc", 3), is_drums=True))
    return staves


def _is_polyphonic(notes: Sequence[Note]) -> bool:
    ordered = sorted(notes)
    return any(later.onset < note.onset + note.duration for note, later in itertools.pairwise(ordered))


def _define(group: ElementTree.Element, number: int, staff: _Staff) -> None:
    shape, line, octave_lower = staff.clef
    values = {"n": str(number), "lines": "5", "clef.shape": shape}
    values |= {"keysig": "0"} if staff.is_drums else {"clef.line": str(line)}
    values |= {"clef.dis": "8", "clef.dis.place": "below"} if octave_lower else {}
    ElementTree.SubElement(group, "staffDef", values)


def _length(value: float) -> Iterator[tuple[str, str]]:
    """A note's value, given in sixteenths, in words of MEI."""
    is_dotted = not math.log2(value).is_integer()
    yield "dur", f"{16 / (value / 1.5 if is_dotted else value):g}"
    if is_dotted:
        yield "dots", "1"


def _inside(parent: ElementTree.Element, *tags: str, **values: str) -> ElementTree.Element:
    """New elements inside each other; the attributes are the last one's."""
    for tag in tags:
        parent = ElementTree.SubElement(parent, tag)
    parent.attrib |= values
    return parent

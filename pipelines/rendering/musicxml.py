"""Music in MusicXML (version 4.0), one part, in which notes that sound together are chords."""

import functools
import math
from xml.etree import ElementTree

import numpy as np

from etude.models.chords.chord import NONE, basses, intervals, qualities, roots, triad_qualities
from etude.models.chords.figure import read_figure
from etude.models.errors import UsageError
from etude.models.melodies.pitches import ACCIDENTALS, pitch_class_name
from etude.models.melodies.spelling import Spelling
from etude.pipelines.readers.musicxml.harmony import KINDS
from etude.pipelines.rendering.music import Music
from etude.pipelines.rendering.notation import Symbol, bars, tuplet_ratio, tuplets

_DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)
_PART = "P1"
_TRIADS = ("major", "minor", "augmented", "diminished")
_TYPES = ("64th", "32nd", "16th", "eighth", "quarter", "half", "whole", "breve", "long")
"""Note values from a quarter of a sixteenth on, each twice the one before."""


def to_musicxml(music: Music, *, title: str) -> str:
    """The whole document.

    Args:
      music: what to write. Its key and metre are written, or those that fit it; the instrument is its first note's.
      title: of the work.

    Raises:
      UsageError: if there are drums, no metre fits the bar, or a note is shorter than a sixty-fourth.
    """
    if any(note.is_drum for note in music.notes):
        raise UsageError("drums are not written as MusicXML; write them as MIDI")
    music = music.notated
    root = ElementTree.Element("score-partwise", version="4.0")
    _text(ElementTree.SubElement(root, "work"), "work-title", title)
    _list_part(root, min(music.notes).program if music.notes else 0)
    part = ElementTree.SubElement(root, "part", id=_PART)
    written = bars(music)
    for number, bar in enumerate(written, start=0 if music.pickup_steps else 1):
        measure = ElementTree.SubElement(part, "measure", number=str(number))
        measure.attrib |= {} if number else {"implicit": "yes"}
        if bar is written[0]:
            _attributes(measure, music)
            ElementTree.SubElement(measure, "sound", tempo=f"{music.qpm:g}")
        for group in tuplets(bar):
            for symbol in group:
                if symbol.chord:
                    _harmony(measure, symbol.chord)
                ends = ["start"] * (symbol is group[0]) + ["stop"] * (symbol is group[-1])
                _symbol(measure, symbol, music, ends if symbol.tuplet is not None else [])
    style = ElementTree.SubElement(ElementTree.SubElement(part[-1], "barline", location="right"), "bar-style")
    style.text = "light-heavy"
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_DOCTYPE}\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _list_part(root: ElementTree.Element, program: int) -> None:
    part = ElementTree.SubElement(ElementTree.SubElement(root, "part-list"), "score-part", id=_PART)
    _text(part, "part-name", "Melody")
    _text(ElementTree.SubElement(part, "score-instrument", id=f"{_PART}-I1"), "instrument-name", "Melody")
    instrument = ElementTree.SubElement(part, "midi-instrument", id=f"{_PART}-I1")
    _text(instrument, "midi-channel", "1")
    _text(instrument, "midi-program", str(program + 1))


def _attributes(measure: ElementTree.Element, music: Music) -> None:
    attributes = ElementTree.SubElement(measure, "attributes")
    _text(attributes, "divisions", str(music.steps_per_quarter))
    key = ElementTree.SubElement(attributes, "key")
    _text(key, "fifths", str(music.shown_key.sharps))
    _text(key, "mode", music.shown_key.mode)
    time = ElementTree.SubElement(attributes, "time")
    for tag, value in zip(("beats", "beat-type"), music.shown_metre, strict=True):
        _text(time, tag, str(value))
    clef = ElementTree.SubElement(attributes, "clef")
    _text(clef, "sign", "G")
    _text(clef, "line", "2")


def _symbol(measure: ElementTree.Element, symbol: Symbol, music: Music, tuplet_ends: list[str]) -> None:
    """Adds a note, the notes of a chord, or a rest. The order of what is in a note is fixed by the standard."""
    kind, is_dotted = _type(symbol.value)
    for place, pitch in enumerate(symbol.pitches or (None,)):
        note = ElementTree.SubElement(measure, "note")
        if place:
            ElementTree.SubElement(note, "chord")
        ties = []
        if pitch is None:
            ElementTree.SubElement(note, "rest")
        else:
            _pitch(note, Spelling.of(pitch, music.shown_key))
            ties = ["stop"] * (pitch in symbol.continued) + ["start"] * (pitch in symbol.tied)
        _text(note, "duration", str(symbol.duration))
        for end in ties:
            ElementTree.SubElement(note, "tie", type=end)
        _text(note, "voice", "1")
        _text(note, "type", kind)
        if is_dotted:
            ElementTree.SubElement(note, "dot")
        if symbol.tuplet is not None:
            modification = ElementTree.SubElement(note, "time-modification")
            for tag, number in zip(
                ("actual-notes", "normal-notes"), tuplet_ratio(music.steps_per_quarter), strict=True
            ):
                _text(modification, tag, str(number))
        marks = [("tied", end) for end in ties] + [("tuplet", end) for end in tuplet_ends if not place]
        if marks:
            notations = ElementTree.SubElement(note, "notations")
            for tag, end in marks:
                ElementTree.SubElement(notations, tag, type=end)


def _harmony(measure: ElementTree.Element, figure: str) -> None:
    """Adds a chord symbol; of a kind that MusicXML has no word for, that of its triad."""
    chord = np.array(read_figure(figure).chord)
    harmony = ElementTree.SubElement(measure, "harmony")
    root, bass = pitch_class_name(int(roots(chord))), pitch_class_name(int(basses(chord)))
    _named_pitch(harmony, "root", root)
    known = _kinds().get((int(intervals(chord)), int(qualities(chord))))
    triad = _TRIADS[int(triad_qualities(chord))]
    ElementTree.SubElement(harmony, "kind").text = "none" if chord == NONE else known or triad
    if bass != root:
        _named_pitch(harmony, "bass", bass)


def _named_pitch(harmony: ElementTree.Element, tag: str, name: str) -> None:
    pitch = ElementTree.SubElement(harmony, tag)
    _text(pitch, f"{tag}-step", name[0])
    if name[1:]:
        _text(pitch, f"{tag}-alter", str(ACCIDENTALS[name[1:]]))


@functools.cache
def _kinds() -> dict[tuple[int, int], str]:
    """MusicXML's names of kinds, by pitches and quality."""
    found: dict[tuple[int, int], str] = {}
    for name, abbreviation in KINDS.items():
        chord = np.array(read_figure(f"C{abbreviation}").chord)
        found.setdefault((int(intervals(chord)), int(qualities(chord))), name)
    return found


def _pitch(note: ElementTree.Element, spelling: Spelling) -> None:
    pitch = ElementTree.SubElement(note, "pitch")
    _text(pitch, "step", spelling.letter)
    if spelling.accidental:
        _text(pitch, "alter", str(spelling.accidental))
    _text(pitch, "octave", str(spelling.octave))


def _type(value: float) -> tuple[str, bool]:
    """The name of a note value, given in sixteenths, and whether it is dotted."""
    is_dotted = not math.log2(value).is_integer()
    place = round(math.log2(value / 1.5 if is_dotted else value)) + 2
    if not 0 <= place < len(_TYPES):
        raise UsageError(f"a note of {value:g} sixteenths is too short or too long for MusicXML")
    return _TYPES[place], is_dotted


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text

"""A MusicXML score as written: parts and measures, times in quarter notes from the start of the measure."""

import dataclasses
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from etude.models.melodies.pitches import LETTERS
from etude.pipelines.readers.musicxml.harmony import figure
from etude.pipelines.readers.musicxml.order import Signs

DEFAULT_VELOCITY = 64
MAX_DIVISIONS = 1_000_000
"""Of a quarter note. The common multiple of all scores' lengths has some ten thousand."""
MAX_METRE = 1024
MAX_DENOMINATOR = 1 << 60
"""Of positions in quarter notes."""
MAX_MEASURES = 1_000_000
"""Of all parts."""
MAX_NAME = 200
"""Longest name of a part or a voice, and longest chord symbol, in characters."""
_MAX_DOTS = 4
_FORTE = 90
"""MusicXML gives loudness in percent of this velocity."""
_DRUM_CHANNEL = 10
_BEAT_UNITS = {
    "long": Fraction(16), "breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2), "quarter": Fraction(1),
    "eighth": Fraction(1, 2), "16th": Fraction(1, 4), "32nd": Fraction(1, 8), "64th": Fraction(1, 16),
}  # fmt: skip
"""Note lengths in quarter notes."""


class ScoreError(ValueError):
    """A score that cannot be read."""


@dataclasses.dataclass(frozen=True)
class Note:
    """A note as written; two tied ones are two.

    Attributes:
      start: from the start of the measure, in quarter notes.
      duration: in quarter notes, above 0.
      pitch: MIDI pitch as it sounds.
      voice: the number or name of its voice in the part.
      velocity: 1 to 127.
      is_tied: whether a tie to the next note of its pitch begins.
    """

    start: Fraction
    duration: Fraction
    pitch: int
    voice: str
    velocity: int
    is_tied: bool


@dataclasses.dataclass
class Measure:
    """One measure of one part.

    Attributes:
      length: in quarter notes.
      notes: in the order of the file.
      chords: start and symbol.
      tempos: start and quarter notes a minute.
      metre: numerator and denominator, if they are given here.
      key: pitch class of the tonic, and mode, if they are given here.
      signs: where to go on.
    """

    length: Fraction = Fraction(0)
    notes: list[Note] = dataclasses.field(default_factory=list)
    chords: list[tuple[Fraction, str]] = dataclasses.field(default_factory=list)
    tempos: list[tuple[Fraction, Fraction]] = dataclasses.field(default_factory=list)
    metre: tuple[int, int] | None = None
    key: tuple[int, str] | None = None
    signs: Signs = dataclasses.field(default_factory=Signs)


@dataclasses.dataclass
class Part:
    """One part.

    Attributes:
      name: its name, empty if it has none.
      program: MIDI program, 0 to 127.
      is_drum: whether it plays on MIDI's drum channel.
      measures: all measures.
    """

    name: str
    program: int
    is_drum: bool
    measures: list[Measure]


def read_score(root: Element) -> list[Part]:
    """Reads the parts of a score.

    Grace notes and cue notes are left out, for they take no time or are not played; unpitched notes take their time in
    silence.

    Args:
      root: a `<score-partwise>` or `<score-timewise>` element.

    Raises:
      ScoreError: if a number is none, or a duration is missing.
    """
    descriptions = {entry.get("id", ""): entry for entry in root.iter("score-part")}
    parts = []
    for identifier, elements in _measures_by_part(root):
        reader = _PartReader()
        try:
            measures = [reader.read(element) for element in elements]
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            number = elements[reader.num_measures - 1].get("number", reader.num_measures)
            raise ScoreError(f"part {identifier}, measure {number}: {error}") from error
        parts.append(_part(descriptions.get(identifier), measures))
    return parts


def _measures_by_part(root: Element) -> Iterator[tuple[str, list[Element]]]:
    if root.tag == "score-partwise":
        for part in root.findall("part"):
            yield part.get("id", ""), part.findall("measure")
        return
    columns: dict[str, list[Element]] = {}
    num_measures = 0
    for number, measure in enumerate(root.findall("measure")):
        for part in measure.findall("part"):
            # A part may rest for some measures.
            column = columns.setdefault(part.get("id", ""), [])
            num_measures += number + 1 - len(column)
            if num_measures > MAX_MEASURES:
                raise ScoreError(f"its parts have more than {MAX_MEASURES:,} measures")
            column.extend(Element("measure") for _ in range(number - len(column)))
            column.append(part)
    yield from columns.items()


def _part(description: Element | None, measures: list[Measure]) -> Part:
    if description is None:
        return Part("", 0, False, measures)
    name = " ".join((description.findtext("part-name") or "").split())[:MAX_NAME]
    channel = _whole(description.findtext("midi-instrument/midi-channel"), 1)
    program = _whole(description.findtext("midi-instrument/midi-program"), 1)
    return Part(name, min(max(program - 1, 0), 127), channel == _DRUM_CHANNEL, measures)


class _PartReader:
    """Reads the measures of a part, one after the other."""

    def __init__(self) -> None:
        self.num_measures = 0
        self._divisions = Fraction(1)
        self._transpose = 0
        self._velocity = DEFAULT_VELOCITY
        self._endings: frozenset[int] = frozenset()

    def read(self, element: Element) -> Measure:
        """Reads the next measure."""
        self.num_measures += 1
        measure = Measure()
        measure.signs.endings = self._endings
        position = last_start = Fraction(0)
        for child in element:
            if child.tag == "note":
                duration = self._duration(child)
                start = last_start if child.find("chord") is not None else position
                self._note(child, start, duration, measure)
                if child.find("chord") is None:
                    last_start = position
                    position = _on_grid(position + duration)
                measure.length = max(measure.length, start + duration)
            elif child.tag == "backup":
                position = _on_grid(max(position - self._duration(child), Fraction(0)))
            elif child.tag == "forward":
                position = _on_grid(position + self._duration(child))
            elif child.tag == "attributes":
                self._attributes(child, measure)
            elif child.tag == "harmony":
                self._harmony(child, position, measure)
            elif child.tag == "direction":
                self._direction(child, position, measure)
            elif child.tag == "sound":
                self._sound(child, position, measure)
            elif child.tag == "barline":
                self._barline(child, measure)
            measure.length = max(measure.length, position)
        return measure

    def _duration(self, element: Element) -> Fraction:
        text = element.findtext("duration")
        if text is None:
            if element.find("grace") is not None:
                return Fraction(0)
            raise ValueError(f"a <{element.tag}> has no <duration>")
        duration = _number(text) / self._divisions
        if duration < 0:
            raise ValueError(f"a <duration> of {text} is below 0")
        return duration

    def _note(self, element: Element, start: Fraction, duration: Fraction, measure: Measure) -> None:
        pitch = element.find("pitch")
        if pitch is None or not duration or element.find("grace") is not None or element.find("cue") is not None:
            return
        step = (pitch.findtext("step") or "").strip().upper()
        if step not in LETTERS:
            raise ValueError(f"a <step> is {step!r}, where a letter from A to G is expected")
        alter = _number(pitch.findtext("alter") or "0")
        octave = int(pitch.findtext("octave") or "4")
        number = 12 * (octave + 1) + LETTERS[step] + math.floor(alter + Fraction(1, 2)) + self._transpose
        if not 0 <= number <= 127:
            raise ValueError(f"the pitch {step}{octave} is outside MIDI's range")
        dynamics = element.get("dynamics")
        measure.notes.append(
            Note(
                start,
                duration,
                number,
                (element.findtext("voice") or "1").strip()[:MAX_NAME],
                self._velocity if dynamics is None else _velocity(dynamics),
                any(tie.get("type") == "start" for tie in element.findall("tie")),
            )
        )

    def _attributes(self, element: Element, measure: Measure) -> None:
        divisions = element.findtext("divisions")
        if divisions is not None:
            self._divisions = _number(divisions)
            if not 0 < self._divisions <= MAX_DIVISIONS:
                raise ValueError(f"<divisions> is {divisions}, where 1 to {MAX_DIVISIONS:,} is expected")
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = _whole(transpose.findtext("octave-change"), 0)
            self._transpose = math.floor(_number(transpose.findtext("chromatic") or "0")) + 12 * octaves
        key = element.find("key")
        if key is not None and key.findtext("fifths") is not None:
            mode = (key.findtext("mode") or "major").strip().lower()
            tonic = _MODE_TONICS.get(mode, 0) + 7 * _whole(key.findtext("fifths"), 0) + self._transpose
            measure.key = (tonic % 12, mode)
        time = element.find("time")
        if time is not None and measure.metre is None:
            measure.metre = _metre(time)

    def _harmony(self, element: Element, position: Fraction, measure: Measure) -> None:
        text = figure(element, self._transpose)
        if 0 < len(text) <= MAX_NAME:
            offset = _number(element.findtext("offset") or "0") / self._divisions
            measure.chords.append((max(position + offset, Fraction(0)), text))

    def _direction(self, element: Element, position: Fraction, measure: Measure) -> None:
        sound = element.find("sound")
        if sound is not None:
            self._sound(sound, position, measure)
        if sound is None or sound.get("tempo") is None:
            for metronome in element.iter("metronome"):
                tempo = _metronome(metronome)
                if tempo:
                    measure.tempos.append((position, tempo))
        measure.signs.segno |= element.find("direction-type/segno") is not None

    def _sound(self, element: Element, position: Fraction, measure: Measure) -> None:
        tempo = _number(element.get("tempo") or "0")
        if tempo > 0:
            measure.tempos.append((position, tempo))
        dynamics = element.get("dynamics")
        if dynamics is not None:
            self._velocity = _velocity(dynamics)
        signs = measure.signs
        signs.segno |= element.get("segno") is not None
        signs.coda |= element.get("coda") is not None
        signs.to_coda |= element.get("tocoda") is not None
        signs.fine |= element.get("fine") is not None
        signs.da_capo |= element.get("dacapo") == "yes"
        signs.dal_segno |= element.get("dalsegno") is not None
        signs.starts_repeat |= element.get("forward-repeat") == "yes"

    def _barline(self, element: Element, measure: Measure) -> None:
        signs = measure.signs
        repeat = element.find("repeat")
        if repeat is not None:
            if repeat.get("direction") == "forward":
                signs.starts_repeat = True
            else:
                signs.times = max(_whole(repeat.get("times"), 2), 1)
        ending = element.find("ending")
        if ending is not None:
            numbers = _endings(ending.get("number") or "")
            if ending.get("type") == "start":
                self._endings = numbers
                signs.endings = numbers
                signs.starts_ending = True
            else:
                signs.endings = signs.endings or numbers
                self._endings = frozenset()


_MODE_TONICS = {
    "major": 0, "ionian": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "minor": 9, "aeolian": 9,
    "locrian": 11,
}  # fmt: skip
"""Semitones from the tonic of the major key with the same signature."""


def _metre(element: Element) -> tuple[int, int] | None:
    """The metre of a `<time>` element, 5/8 for 2/8 + 3/8; None if there is none."""
    beats = [sum(int(term) for term in (entry.text or "").split("+")) for entry in element.findall("beats")]
    types = [int(entry.text or "") for entry in element.findall("beat-type")]
    if not beats or len(beats) != len(types):
        return None
    denominator: int = max(types)
    if (
        denominator > MAX_METRE
        or max(beats) > MAX_METRE
        or min(types) < 1
        or min(beats) < 1
        or any(denominator % kind for kind in types)
    ):
        raise ValueError("a <time> is none that a measure can have")
    return sum(count * denominator // kind for count, kind in zip(beats, types, strict=True)), denominator


def _metronome(element: Element) -> Fraction | None:
    """Quarter notes a minute; None if it gives no number, such as a change from one note to another."""
    unit = _BEAT_UNITS.get((element.findtext("beat-unit") or "").strip())
    number = re.search(r"\d{1,6}(\.\d{1,6})?", element.findtext("per-minute") or "", re.ASCII)
    num_dots = len(element.findall("beat-unit-dot"))
    if unit is None or not number or len(element.findall("beat-unit")) > 1 or num_dots > _MAX_DOTS:
        return None
    tempo = Fraction(number[0]) * unit * (2 - Fraction(1, 2**num_dots))
    return tempo if tempo > 0 else None


def _endings(text: str) -> frozenset[int]:
    """The passes of an ending, such as "1, 2"; the first if it gives no number."""
    numbers = [int(part) for part in text.replace(",", " ").split() if part.isdecimal() and len(part) < 3]
    return frozenset(number for number in numbers if number) or frozenset([1])


def _on_grid(position: Fraction) -> Fraction:
    if position.denominator > MAX_DENOMINATOR:
        raise ValueError("its notes have no common grid, as a damaged score has not")
    return position


def _velocity(percent: str) -> int:
    return min(max(math.floor(_number(percent) * _FORTE / 100), 1), 127)


def _whole(text: str | None, default: int) -> int:
    return default if text is None or not text.strip() else int(text)


def _number(text: str) -> Fraction:
    text = text.strip()
    if len(text) > 40 or "e" in text.lower():
        raise ValueError(f"{text[:40]!r} is no number that a score has")
    return Fraction(text)

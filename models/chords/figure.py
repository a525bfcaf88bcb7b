"""Chords as they are written: `Cm7`, `Bbmaj7/D`, `F#7(b9)`, in the spellings of note-seq, Magenta, MusicXML and ABC.

A figure is a root, a kind, changes to it, and a bass. What a kind holds is what note-seq's `chord_symbols_lib` says; a
kind that it does not know, such as `Galt`, stands for the triad of its root.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from etude.models.chords.chord import (
    AUGMENTED,
    DIMINISHED,
    MAJOR,
    MINOR,
    NONE,
    OTHER,
    Numbers,
    basses,
    chord_number,
    intervals,
    qualities,
    roots,
    triad_qualities,
)
from etude.models.melodies.pitches import LETTERS, pitch_class_name

NO_CHORD = "N.C."
"""The figure where there is no chord."""

_NO_CHORDS = frozenset(("", "nc", "nochord", "none", "tacet", "x"))

_DEGREES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11}
"""Semitones of the degrees of a major scale above its first."""

_MINORS = ("m", "min", "-", "mi", "Min", "Mi")
_MAJORS = ("maj", "M", "ma", "Maj", "Ma", "^", "Δ")
_DIMINISHED = ("dim", "o")
_AUGMENTED = ("aug", "+")


def _kinds() -> dict[str, Mapping[int, int]]:
    """The degrees of each kind and their alterations, by every name of it; of names for one kind the first is the usual."""
    names: list[tuple[Iterable[str], str]] = [
        (("", *_MAJORS[:5]), "1 3 5"),
        (_MINORS, "1 b3 5"),
        (_AUGMENTED, "1 3 #5"),
        (_DIMINISHED, "1 b3 b5"),
        (("7", "dom7"), "1 3 5 b7"),
        (("6",), "1 3 5 6"),
        (("9",), "1 3 5 b7 9"),
        (("6/9", "69"), "1 3 5 6 9"),
        (("11",), "1 3 5 b7 9 11"),
        (("13",), "1 3 5 b7 9 11 13"),
        (("sus2",), "1 2 5"),
        (("sus", "sus4"), "1 4 5"),
        (("7sus", "sus7", "7sus4"), "1 4 5 b7"),
        (("9sus", "9sus4", "sus9"), "1 4 5 b7 9"),
        (("13sus", "13sus4"), "1 4 5 b7 9 13"),
        (("5",), "1 5"),
        (("ped",), "1"),
        ((*(f"{minor}7b5" for minor in _MINORS), "/o", "/o7", "ø", "ø7", "h", "h7"), "1 b3 b5 b7"),
        (("add9", "2"), "1 3 5 9"),
        ([f"{minor}add9" for minor in _MINORS], "1 b3 5 9"),
    ]
    for extended, degrees in (("7", "7"), ("9", "7 9"), ("11", "7 9 11"), ("13", "7 9 11 13")):
        names.append(([f"{major}{extended}" for major in _MAJORS], f"1 3 5 {degrees}"))
        names.append(([f"{minor}{extended}" for minor in _MINORS], f"1 b3 5 b{degrees}"))
        names.append(([f"{plus}{extended}" for plus in _AUGMENTED], f"1 3 #5 b{degrees}"))
    names.append((("^", "Δ"), "1 3 5 7"))
    names.append(([f"{minor}6" for minor in _MINORS], "1 b3 5 6"))
    names.append(([f"{minor}{added}" for minor in _MINORS for added in ("6/9", "69")], "1 b3 5 6 9"))
    names.append(([f"{dim}7" for dim in _DIMINISHED], "1 b3 b5 bb7"))
    with_major = [f"{minor}{major}7" for minor in _MINORS for major in _MAJORS]
    with_major += [f"{minor}({major}7)" for minor in _MINORS for major in _MAJORS]
    names.append((["m(maj7)", *with_major], "1 b3 5 7"))
    return {name: dict(map(_degree, degrees.split())) for spelled, degrees in names for name in spelled}


def _degree(text: str) -> tuple[int, int]:
    """A degree and its alteration in semitones."""
    digits = text.lstrip("#b")
    return int(digits), text.count("#") - text.count("b")


_KINDS = _kinds()
_CHANGES = {"add": 0, "add#": 1, "addb": -1, "no": 0, "omit": 0, "#": 1, "b": -1}
"""Names of changes to a degree, and by how much it is altered."""

_SPELLINGS = str.maketrans({"♯": "#", "♭": "b", "△": "Δ", "º": "o", "°": "o", "˚": "o", "Ø": "ø", "–": "-", "−": "-"})
_ROOT = r"[A-G](?:#*|b*)(?![#b])"
_CHANGE = re.compile(rf"\(?({'|'.join(map(re.escape, _CHANGES))})([0-9]{{1,2}})\)?")
_FIGURE = re.compile(
    rf"({_ROOT})({'|'.join(map(re.escape, _KINDS))})"
    rf"((?:\(?(?:{'|'.join(map(re.escape, _CHANGES))})[0-9]{{1,2}}\)?)*)(?:/([A-Ga-g](?:#*|b*)))?"
)
_ALTERNATIVE = re.compile(r"\s*\([A-G].*\)$")
"""Another chord in brackets, which ABC may put behind the first."""
_START = re.compile(rf"({_ROOT})(.*?)(?:/([A-Ga-g](?:#*|b*)))?")


class Reading(NamedTuple):
    """What a figure stands for.

    Attributes:
      chord: its number.
      is_known: whether the figure was understood; else the number is that of the triad of its root, or no chord.
    """

    chord: int
    is_known: bool


@functools.lru_cache(maxsize=1 << 14)
def read_figure(figure: str) -> Reading:
    """The chord that is written. Never fails."""
    text = _ALTERNATIVE.sub("", figure.strip().translate(_SPELLINGS)).replace(" ", "")
    if text.replace(".", "").lower() in _NO_CHORDS:
        return Reading(NONE, True)
    match = _FIGURE.fullmatch(text)
    degrees = None if match is None else _changed(_KINDS[match[2]], match[3])
    if match is not None and degrees is not None:
        root = _pitch_class(match[1])
        bass = _pitch_class(match[4].capitalize()) if match[4] else root
        pitches = [_DEGREES[(degree - 1) % 7 + 1] + alteration for degree, alteration in degrees.items()]
        return Reading(chord_number(root, bass, pitches, _quality(degrees)), True)
    match = _START.fullmatch(text)
    if match is None:
        return Reading(NONE, False)
    root = _pitch_class(match[1])
    is_minor = match[2].startswith(("m", "-")) and not match[2].startswith(_MAJORS)
    bass = _pitch_class(match[3].capitalize()) if match[3] else root
    triad = ((0, 3, 7), MINOR) if is_minor else ((0, 4, 7), MAJOR)
    return Reading(chord_number(root, bass, *triad), False)


def chord_numbers(figures: Iterable[str]) -> Numbers:
    """The number of each figure, read once each."""
    return np.array([read_figure(figure).chord for figure in figures], np.int64)


def figure_of(chord: int) -> str:
    """How a chord is written: the usual name, which `read_figure` reads as the same chord."""
    if chord == NONE:
        return NO_CHORD
    number = np.array(chord)
    root, bass = int(roots(number)), int(basses(number))
    kind = _names().get((int(intervals(number)), int(qualities(number))))
    if kind is None:
        kind = ("", "m", "aug", "dim")[int(triad_qualities(number))]
    return pitch_class_name(root) + kind + (f"/{pitch_class_name(bass)}" if bass != root else "")


@functools.cache
def _names() -> dict[tuple[int, int], str]:
    """The shortest name of every kind with up to two changes, by pitches and quality."""
    changes = [f"({change}{degree})" for change in ("b", "#") for degree in (5, 9, 11, 13)]
    changes += [f"({change}{degree})" for change in ("add", "addb", "add#", "no") for degree in range(2, 8)]
    changes += ["(add9)", "(add11)", "(add13)", "(no1)"]
    found: dict[tuple[int, int], str] = {}
    for number in range(3):
        for kind, added in itertools.product(_KINDS, itertools.combinations(changes, number)):
            reading = read_figure.__wrapped__(f"C{kind}{''.join(added)}")
            chord = np.array(reading.chord)
            if reading.is_known:
                found.setdefault((int(intervals(chord)), int(qualities(chord))), kind + "".join(added))
    return found


def _changed(kind: Mapping[int, int], changes: str) -> dict[int, int] | None:
    """The degrees of a kind after changes to them; None if a change cannot be made."""
    degrees = dict(kind)
    for change, text in _CHANGE.findall(changes):
        degree, alteration = int(text), _CHANGES[change]
        if not degree:
            return None
        if change in ("no", "omit"):
            if degrees.pop(degree, None) is None:
                return None
        elif change.startswith("add"):
            if degree in degrees:
                return None
            # The added seventh is that of a dominant chord.
            degrees[degree] = alteration - (degree == 7)
        else:
            degrees[degree] = degrees.get(degree, 0) + alteration
    return degrees


def _quality(degrees: Mapping[int, int]) -> int:
    triads = {(0, 0, 0): MAJOR, (0, -1, 0): MINOR, (0, 0, 1): AUGMENTED, (0, -1, -1): DIMINISHED}
    return triads.get((degrees[1], degrees[3], degrees[5]), OTHER) if {1, 3, 5} <= degrees.keys() else OTHER


def _pitch_class(name: str) -> int:
    return (LETTERS[name[0]] + name.count("#") - name.count("b", 1)) % 12

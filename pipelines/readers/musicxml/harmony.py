"""Chord symbols of MusicXML as a lead sheet writes them, such as `Bbm7(add11)/F`."""

from xml.etree.ElementTree import Element

NO_CHORD = "N.C."
KINDS = {
    "major": "",
    "minor": "m",
    "augmented": "aug",
    "diminished": "dim",
    "dominant": "7",
    "dominant-seventh": "7",
    "major-seventh": "maj7",
    "minor-seventh": "m7",
    "diminished-seventh": "dim7",
    "augmented-seventh": "aug7",
    "half-diminished": "m7b5",
    "major-minor": "m(maj7)",
    "minor-major": "m(maj7)",
    "major-sixth": "6",
    "minor-sixth": "m6",
    "dominant-ninth": "9",
    "major-ninth": "maj9",
    "minor-ninth": "m9",
    "augmented-ninth": "aug9",
    "dominant-11th": "11",
    "major-11th": "maj11",
    "minor-11th": "m11",
    "dominant-13th": "13",
    "major-13th": "maj13",
    "minor-13th": "m13",
    "suspended-second": "sus2",
    "suspended-fourth": "sus",
    "pedal": "ped",
    "power": "5",
}
"""note-seq's abbreviations."""
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def figure(harmony: Element, transpose: int) -> str:
    """The chord symbol of a `<harmony>` element.

    Args:
      harmony: the element.
      transpose: semitones from its written pitch to the sounding one.

    Returns:
      The symbol; empty if it has no root (a function or a Roman numeral).
    """
    kind = harmony.find("kind")
    name = "" if kind is None else (kind.text or "").strip()
    if name == "none":
        return NO_CHORD
    root = _pitch_name(harmony.find("root"), "root", transpose)
    if not root:
        return ""
    # Kinds out of the standard's list: what is printed says what is meant.
    text = KINDS[name] if name in KINDS else "" if kind is None else kind.get("text", name)
    degrees = "".join(f"({degree})" for degree in map(_degree, harmony.findall("degree")) if degree)
    bass = _pitch_name(harmony.find("bass"), "bass", transpose)
    return f"{root}{text}{degrees}" + (f"/{bass}" if bass else "")


def _pitch_name(element: Element | None, prefix: str, transpose: int) -> str:
    if element is None:
        return ""
    step = (element.findtext(f"{prefix}-step") or "").strip().upper()
    if step not in _STEPS:
        return ""
    alter = round(float(element.findtext(f"{prefix}-alter") or 0))
    if transpose % 12:
        return _NAMES[(_STEPS[step] + alter + transpose) % 12]
    return step + _accidental(alter)


def _degree(element: Element) -> str:
    """A change to a chord, such as `add9`, `b5` or `no3`."""
    value = (element.findtext("degree-value") or "").strip()
    accidental = _accidental(round(float(element.findtext("degree-alter") or 0)))
    kind = (element.findtext("degree-type") or "").strip()
    if kind == "subtract":
        return f"no{value}"
    return f"{accidental}{value}" if accidental else f"add{value}" if kind == "add" else ""


def _accidental(alter: int) -> str:
    return "#" * min(alter, 2) if alter > 0 else "b" * min(-alter, 2)

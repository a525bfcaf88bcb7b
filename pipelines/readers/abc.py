"""ABC tunebooks, tune by tune, through note-seq's parser.

The tunebook is cut into tunes here, so that one bad tune costs only itself. ABC 2.1: a tune starts with `X:` and ends
with an empty line; what stands before the first tune holds for all of them.
"""

import dataclasses
import re

from pipelines.note_sequences import import_note_seq
from pipelines.readers.reading import Reading, Rejected

_FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
_REASONS = {
    "ChordError": "abc-chords",
    "InvalidCharacterError": "abc-invalid-character",
    "MultiVoiceError": "abc-voices",
    "PartError": "abc-parts",
    "RepeatParseError": "abc-repeats",
    "TupletError": "abc-tuplets",
    "VariantEndingError": "abc-variant-endings",
}


@dataclasses.dataclass(frozen=True)
class Tune:
    """One tune of a tunebook.

    Attributes:
      lines: its lines, the file's header first, without `X:`.
      reference_number: the number after `X:`; 0 if there is none.
      title: the first `T:`.
      line: the line of the file that it starts on, from 1.
    """

    lines: list[str]
    reference_number: int
    title: str
    line: int


def read(data: bytes) -> list[Reading]:
    """Reads every tune of a tunebook.

    Args:
      data: the file, in UTF-8 or, failing that, Latin-1.

    Returns:
      One reading a tune; a rejection if there is no tune at all.
    """
    tunes = split_tunebook(_decode(data))
    if not tunes:
        return [Reading(rejected=Rejected("no-notes", "no tune (no X: and no K: field)"))]
    return [_read_tune(tune) for tune in tunes]


def split_tunebook(text: str) -> list[Tune]:
    """Cuts a tunebook into tunes.

    Blocks are separated by empty lines and by `X:`. A block with `X:` is a tune, and so is one with `K:` (its `X:` was
    forgotten); a block before the first tune is the file's header; other blocks are text between tunes.
    """
    header: list[str] = []
    tunes: list[Tune] = []
    for line, block in _blocks(text):
        fields = [match.groups() for match in map(_FIELD.match, block) if match]
        names = [name for name, _ in fields]
        if "X" not in names and "K" not in names:
            if not tunes:
                header.extend(entry for entry in block if _FIELD.match(entry) or entry.startswith("%"))
            continue
        number = re.match(r"\d{1,9}", next((value for name, value in fields if name == "X"), ""))
        title = next((value for name, value in fields if name == "T"), "").strip()
        body = [entry for entry in block if not entry.startswith("X:")]
        # What the tune says itself replaces what the file's header says.
        inherited = [entry for entry in header if entry[0] == "%" or entry[0] not in names]
        tunes.append(Tune(inherited + body, int(number[0]) if number else 0, title, line))
    return tunes


def _blocks(text: str) -> list[tuple[int, list[str]]]:
    """Runs of lines, each with the number of its first line."""
    blocks: list[tuple[int, list[str]]] = []
    in_block = False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        line = line.strip()
        if not line:
            in_block = False
            continue
        if not in_block or line.startswith("X:"):
            blocks.append((number, []))
            in_block = True
        blocks[-1][1].append(line)
    return blocks


def _read_tune(tune: Tune) -> Reading:
    abc_parser = import_note_seq("abc_parser")

    reading = Reading(reference_number=tune.reference_number, title=tune.title, line=tune.line)
    try:
        sequence = abc_parser.ABCTune(tune.lines).note_sequence
        sequence.reference_number = tune.reference_number
        reading.sequence = sequence
    except Exception as error:  # the parser also raises KeyError, IndexError and others on tunes that it cannot read
        reason = _REASONS.get(type(error).__name__, "abc-syntax")
        detail = str(error) if isinstance(error, abc_parser.ABCParseError) else f"{type(error).__name__}: {error}"
        reading.rejected = Rejected(reason, detail)
    return reading


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")

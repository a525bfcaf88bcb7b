"""Feeds the readers damaged, random and hostile files, and says what they do with them.

Usage: python -P scripts/bench/fuzz_readers.py [--num 10000] [--kinds midi,abc,musicxml,mxl,zip,tar] [--seed 0]

Half of the files are pieces of music out of the music21 package with some of their bytes changed, or mere noise; half are
small and ask for much (see `hostile_music`). A reader may reject a file, with one of the known reasons; it may not raise,
take more than 2 s or 1 GB, or lose the undamaged tune that follows in a tunebook. What is read must be sound: melodies
are extracted from it too. A finding names its number: --only NUMBER writes that file and reads it alone.
"""

import dataclasses
import importlib.util
import math
import pathlib
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

sys.path.append(str(pathlib.Path(__file__).parents[2]))

from etude.models.errors import EtudeError
from etude.models.melodies.extraction import MAGENTA_OPTIONS, extract
from etude.pipelines.readers import read_music
from etude.pipelines.readers.musicxml.reader import _unpack
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.readers.source_music import fetch
from etude.pipelines.reasons import REMEDIES
from etude.pipelines.sources.source import Source
from etude.pipelines.sources.sources import expand_sources
from scripts.bench import hostile_music
from scripts.bench.fuzzing import Kind, fuzz

SUFFIXES = {"midi": ".mid", "abc": ".abc", "musicxml": ".musicxml", "mxl": ".mxl", "zip": ".zip", "tar": ".tar"}
ARCHIVES = ("zip", "tar")
HOSTILE = {
    "midi": hostile_music.make_midi,
    "abc": hostile_music.make_abc,
    "musicxml": hostile_music.make_musicxml,
    "mxl": hostile_music.make_mxl,
}
MOST_BYTES = 40_000
"""Of an original."""
GOOD_TUNE = b"\n\n\nX:424242\nT:Undamaged\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
WORDS: dict[str, list[bytes]] = {
    "midi": [
        *(b"MTrk", b"MThd", b"\xff\x51\x03", b"\xff\x2f\x00", b"\xff\xff\xff\x7f", b"\x90\x3c\x40", b"\xf0"),
        *(b"\x00" * 9, b"\x00\xb0\x07\x40", b"\x00\xc0\x05", b"\x00\xe0\x01\x02", b"\x01\x80\x3c\x40", b"\x80"),
    ],
    "abc": [
        *(b"|:", b":|", b"|1", b"|2", b"[1", b"::", b"(3", b"(9", b"(3:2:9", b"{", b"}", b"[", b"]", b"&", b"!", b"+"),
        *(b'"', b"V:2", b"P:ABA", b"[V:1]", b"[K:none]", b"<<<", b">>>", b"C999", b"-", b"~", b"$", b"%%begintext\n"),
        *(b"\nX:1\n", b"\n\n", b"\nK:Hp\n", b"\nM:0/0\n", b"\nL:1/0\n", b"\nQ:1/4=0\n", b"\nP:((A9)9)9\n", b"\\\n"),
        *(b"\xff\xfe", b"\x00", b"C9999999999/3", b"Z999999", b"|" * 300, b"(" * 300, b"[" * 300),
    ],
    "musicxml": [
        *(b"<backup><duration>99999</duration></backup>", b"<attributes><divisions>999983</divisions></attributes>"),
        *(b'<barline><repeat direction="backward" times="99999"/></barline>', b'<sound tempo="0.0001" dacapo="yes"/>'),
        *(
            b"<attributes><divisions>0</divisions></attributes>",
            b'<barline><ending number="1, 3" type="start"/></barline>',
        ),
        *(b'<barline><repeat direction="forward"/></barline>', b'<barline><repeat direction="backward"/></barline>'),
        *(b'<sound dalsegno="a"/>', b'<sound segno="a" tocoda="b"/>', b'<sound coda="b" fine="yes"/>', b"<note/>"),
        *(b"<note><grace/></note>", b"<note><chord/><duration>1</duration></note>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>"),
        *(
            b"<harmony><root><root-step>H</root-step></root><kind>odd</kind></harmony>",
            b"</note>",
            b"<measure>",
            b"&b;",
        ),
    ],
}
NUMBERS = [b"0", b"-1", b"1", b"3", b"7", b"999983", b"1e99", b"0.5", b"1/3", b"9" * 50, b"", b"x", b"\xd9\xa3"]


def main() -> int:
    """Runs the fuzzer; returns 1 if there are findings."""
    return fuzz(__file__, __doc__, {format: _kind(format) for format in SUFFIXES})


def _kind(format: str) -> Kind[bytes]:
    return Kind(
        originals=lambda folder: load_originals(format),
        make=lambda chooser, originals: make_file(format, originals, chooser),
        write=lambda folder, data: _write(folder, format, data),
        check=lambda folder, data: check(format, data, folder),
    )


def _write(folder: pathlib.Path, format: str, data: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"file{SUFFIXES[format]}").write_bytes(data)


def load_originals(format: str) -> list[bytes]:
    """Sound files of a format."""
    package = importlib.util.find_spec("music21")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the music21 package is needed for its music: pip install music21")
    if format in ARCHIVES:
        # Small ones: an archive holds hundreds, and they have the time of one file together.
        return [GOOD_TUNE, *(data for kind in ("midi", "mxl") for data in load_originals(kind) if len(data) < 2000)]
    root = pathlib.Path(package.submodule_search_locations[0])
    patterns = {
        "midi": ["midi/testPrimitive/*.mid"],
        "abc": ["corpus/airdsAirs/*.abc", "corpus/oneills1850/*.abc", "corpus/miscFolk/*.abc"],
        "musicxml": ["corpus/bach/bwv1*.mxl", "corpus/leadSheet/*.mxl", "corpus/joplin/*.mxl"],
        "mxl": ["corpus/bach/bwv1*.mxl", "corpus/leadSheet/*.mxl", "corpus/joplin/*.mxl"],
    }
    chooser = random.Random(0)
    paths = sorted(path for pattern in patterns[format] for path in root.glob(pattern))
    files = [path.read_bytes() for path in chooser.sample(paths, min(len(paths), 60))]
    if format == "musicxml":
        files = [_unpack(data) for data in files]
    if format == "abc":
        # Some tunes of a book each.
        books = [data.split(b"\n\n") for data in files]
        files = [b"\n\n".join(book[:4]) for book in books]
    return [data[:MOST_BYTES] if format == "abc" else data for data in files if len(data) < MOST_BYTES * 5]


def make_file(format: str, originals: Sequence[bytes], chooser: random.Random) -> bytes:
    """An original with damage, noise, or a file that asks for much."""
    if format in ARCHIVES:
        make = hostile_music.make_zip if format == "zip" else hostile_music.make_tar
        return make(chooser, originals)
    if chooser.random() < 0.5:
        return HOSTILE[format](chooser)
    if chooser.random() < 0.05:
        noise = bytes(chooser.randrange(256) for _ in range(chooser.randrange(2000)))
        return chooser.choice([b"", chooser.choice(originals)[: chooser.randrange(100)]]) + noise
    data = bytearray(chooser.choice(originals))
    if format in WORDS and chooser.random() < 0.6:
        return _damage_inside(format, data, chooser)
    _damage(format, data, originals, chooser)
    return bytes(data)


def _damage(format: str, data: bytearray, originals: Sequence[bytes], chooser: random.Random) -> None:
    """Changes, removes, repeats and inserts bytes anywhere."""
    for _ in range(chooser.choice([1, 1, 2, 3, 5, 10, 50])):
        place = chooser.randrange(len(data) + 1)
        length = chooser.choice([1, 1, 2, 4, 16, 100])
        match chooser.randrange(8):
            case 0 | 1:
                data[place : place + 1] = bytes([chooser.randrange(256)])
            case 2 | 3:
                data[place:place] = chooser.choice(WORDS.get(format, [b"PK"])) * chooser.choice([1, 1, 1, 3, 30])
            case 4:
                del data[place : place + length]
            case 5:
                data[place:place] = data[place : place + length] * chooser.choice([1, 2, 20])
            case 6:
                other = chooser.choice(originals)
                start = chooser.randrange(len(other))
                data[place:place] = other[start : start + length]
            case _:
                if chooser.random() < 0.2:
                    del data[place:]


def _damage_inside(format: str, data: bytearray, chooser: random.Random) -> bytes:
    """Damage that leaves the frame of a file whole, so that the reader goes on: chunk sizes fit, tags match."""
    if format == "midi":
        parts = bytes(data).split(b"MTrk")
        for number in range(1, len(parts)):
            content = bytearray(parts[number][4:])
            for _ in range(chooser.choice([0, 1, 2, 5])):
                place = chooser.randrange(len(content) + 1)
                if chooser.random() < 0.5:
                    content[place:place] = chooser.choice(WORDS[format]) * chooser.choice([1, 1, 20])
                else:
                    content[place : place + 1] = bytes([chooser.randrange(128)])
            parts[number] = len(content).to_bytes(4, "big") + bytes(content)
        return b"MTrk".join(parts)
    places = r"(?=<note|</measure>)" if format == "musicxml" else r"(?<=[ |\n])"
    numbers = rb"(?<=[>\"])-?\d+(?=[<\"])" if format == "musicxml" else rb"\d+"
    for _ in range(chooser.choice([1, 2, 5])):
        is_number = chooser.random() < 0.5
        found = [match.span() for match in re.finditer(numbers if is_number else places.encode(), data)]
        if found:
            start, end = chooser.choice(found)
            data[start:end] = chooser.choice(NUMBERS if is_number else WORDS[format])
    return bytes(data)


def check(format: str, data: bytes, folder: pathlib.Path) -> list[tuple[str, str]]:
    """Reads a file; archives from their folder.

    Returns:
      What became of each piece of it, and what is wrong with that; empty if nothing is.
    """
    if format == "abc":
        data += GOOD_TUNE
    found: list[tuple[str, str]] = []
    has_good_tune = False
    for reading in _readings(format, data, folder):
        if reading.sequence is not None:
            found.append(("read", _unsound(reading.sequence)))
            has_good_tune |= reading.reference_number == 424242
        elif reading.rejected is not None:
            reason = reading.rejected.reason
            known = reason in REMEDIES and reason != "reader-failed"
            found.append((reason, "" if known else f"{reason}: {reading.rejected.detail}"))
    if not found and format not in ARCHIVES:
        found.append(("nothing", "no reading at all"))
    # Two zero bytes or a byte order mark make another encoding of the whole file.
    if format == "abc" and not has_good_tune and b"\0" not in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        found.append(("lost", "the undamaged tune is lost"))
    return found


def _readings(format: str, data: bytes, folder: pathlib.Path) -> Iterator[Reading]:
    if format not in ARCHIVES:
        yield from read_music(Source("fuzz", f"file{SUFFIXES[format]}", "/nowhere"), data)
        return
    with tempfile.TemporaryDirectory() as work:
        try:
            for source in expand_sources([str(folder / f"file{SUFFIXES[format]}")]):
                fetched = fetch(source, pathlib.Path(work))
                yield from read_music(source, fetched) if isinstance(fetched, bytes) else [fetched]
        except EtudeError as error:
            yield Reading(rejected=Rejected("unreadable", str(error)))


def _unsound(sequence: NoteSequence) -> str:
    for note in sequence.notes:
        if not (0 <= note.start_time < note.end_time < math.inf and 0 <= note.pitch < 128 and 0 < note.velocity < 128):
            return f"an unsound note: {note}".replace("\n", " ")
    sequence.SerializeToString(deterministic=True)
    result: Any = extract(sequence, dataclasses.replace(MAGENTA_OPTIONS, polyphony="highest"))
    return "" if all(entry.reason in REMEDIES for entry in result.rejections) else "an unknown reason"


if __name__ == "__main__":
    sys.exit(main())

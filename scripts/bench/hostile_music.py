"""Small files of music that ask for much: repeats times parts times signs, long numbers, deep nesting, full archives."""

import gzip
import io
import random
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Sequence

MOST_BYTES = 60_000
"""Of what is put together, before it is compressed."""
_COUNTS = (1, 2, 10, 60, 100, 1000, 5000, 40_000)
_DIGITS = ("1", "2", "9" * 9, "1" * 5000, "7" * 40_000, "0.5", "0." + "3" * 30)

_ABC_SIGNS = (
    *("C", "C/16", "z/16", "z", "[CEG]", "[CE]-", '"C"', '"Am7b5(mino)"', "[Q:100]", "[Q:1/4=97.531]", "[M:3/4]"),
    *("[K:G]", "|", "|:", ":|", "::", "||", "[1-100", "[1", "|2", "[2-99", ":" * 58 + "|", "|" + ":" * 58, "&", "(3"),
    *("\nV:1\n", "\nV:2\n", "\nP:A\n", "\nP:B\n", "[V:3]", "[P:C]", "\nT:&#1;\n", "\n", "\r", "\r\n", " ", "y", "!"),
    *(
        "\\\n",
        "%",
        '"',
        "[",
        "(",
        "{",
        "1",
        "111/",
        "/",
        "'",
        ",",
        "^",
        "~",
        "\nw:la\n",
        "\n\nX:1\nK:C\n",
        "+C11",
        "{g}",
    ),
    *(">", "-", "\n%%begintext\n"),
)
_ABC_FIELDS = (
    "M:{}/4",
    "M:{}+{}/8",
    "L:1/{}",
    "Q:1/{}={}",
    "Q:1/{}",
    "Q:C{}",
    "P:(A{})9",
    "P:A9",
    "K:C octave={}",
    "X:{}",
)
_ABC_NESTS = ("P:((((A9)9)9)9", "P:A999", "P:ABC", "P:((AB)30C)9", "V:1 name={}", "T:&#{};", "I:abc-charset {}")

_XML_SIGNS = (
    "<note><pitch><step>C</step><octave>4</octave></pitch><duration>{}</duration></note>",
    "<note><pitch><step>E</step><octave>4</octave></pitch><duration>1</duration><voice>{}</voice></note>",
    "<note><chord/><pitch><step>G</step><octave>4</octave></pitch><duration>1</duration><tie type='start'/></note>",
    "<backup><duration>{}</duration></backup>",
    "<forward><duration>{}</duration></forward>",
    "<attributes><divisions>{}</divisions></attributes>",
    "<attributes><time><beats>{}</beats><beat-type>4</beat-type></time></attributes>",
    "<attributes><transpose><octave-change>{}</octave-change></transpose></attributes>",
    "<sound tempo='{}'/>",
    "<harmony><root><root-step>C</root-step></root><kind text='{}'>odd</kind></harmony>",
    "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>",
    "<direction><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/><per-minute>{}</per-minute></metronome></direction>",
    "</measure><measure>",
    "<barline><repeat direction='forward'/></barline></measure><measure>",
    "<barline><repeat direction='backward' times='{}'/></barline></measure><measure>",
    "<barline><ending type='start' number='{}'/></barline></measure><measure>",
    "<barline><ending type='start' number='1, 2, 3, 99'/></barline>",
    "<barline><ending type='stop' number='1'/><repeat direction='backward'/></barline></measure><measure>",
    *(
        "<sound dacapo='yes'/>",
        "<sound segno='a'/>",
        "<sound tocoda='a'/>",
        "<sound coda='a'/>",
        "<sound dalsegno='a'/>",
    ),
    *("</measure></part><part id='a'><measure>", "</measure></part><part id='{}'><measure>", "<b c='{}'/>"),
)
_XML_BROKEN = ("<a>", "</a>", "&e;", "<note/>")
_XML_HEADS = (
    *(
        "",
        "",
        "",
        "<!DOCTYPE score-partwise [<!ENTITY e '{}'>]>",
        "<!DOCTYPE score-partwise [<!ATTLIST note a CDATA '{}'>]>",
    ),
    '<?xml version="1.0" encoding="{}"?>',
)

_MIDI_EVENTS = (
    *(b"\x00\x90\x3c\x40\x01\x3c\x00", b"\x00\x90\x3c\x40", b"\x00\x80\x3c\x40", b"\x01\x90\x40\x40\x10\x40\x00"),
    *(b"\x00\xb0\x07\x40", b"\x00\xe0\x01\x02", b"\x00\xc0\x01", b"\x00\xc0\x02\x00\x90\x30\x40\x01\x30\x00"),
    *(b"\x00\xff\x51\x03\x07\xa1\x20", b"\x01\xff\x51\x03\x07\xa1\x21", b"\x00\xff\x58\x04\x04\x02\x18\x08"),
    *(
        b"\x01\xff\x59\x02\x01\x00",
        b"\x00\xff\x03\x82\x00" + b"n" * 256,
        b"\xff\xff\xff\x7f\x90\x3c\x40",
        b"\x00\xf0\x00",
    ),
    *(b"\x00\x99\x24\x40\x01\x24\x00", b"\x00\xf7\x81\x80\x80\x00", b"\x00\xff\x03\x00"),
)

_EVERY_PROGRAM = b"".join(
    struct.pack(">8B", 0, 0xC0 | channel, program, 0, 0x90 | channel, 60, 64, 1) + b"\x3c\x00"
    for program in range(128)
    for channel in range(16)
)
"""A note of every program on every channel."""


def make_abc(chooser: random.Random) -> bytes:
    """A tunebook of one tune or more."""
    fields = [chooser.choice(_ABC_FIELDS + _ABC_NESTS) for _ in range(chooser.randrange(4))]
    head = "".join(_filled(field, chooser) + "\n" for field in fields)
    return f"X:1\n{head}K:C\n{_multiplied(_ABC_SIGNS, chooser)}\n".encode()


def make_musicxml(chooser: random.Random) -> bytes:
    """A score, mostly well-formed."""
    head = _filled(chooser.choice(_XML_HEADS), chooser)
    body = _multiplied(_XML_SIGNS + (_XML_BROKEN if chooser.random() < 0.2 else ()), chooser)
    return f"{head}<score-partwise><part id='b'><measure>{body}</measure></part></score-partwise>".encode()


def make_mxl(chooser: random.Random) -> bytes:
    """A compressed score, with its entities or its container in some disorder."""
    score = make_musicxml(chooser)
    if chooser.random() < 0.2:
        tags = "<note/>" * chooser.choice(_COUNTS)
        score = f"<!DOCTYPE a [<!ENTITY e '{tags}'>]><a>{'&e;' * chooser.choice(_COUNTS)}</a>".encode()
    name = chooser.choice(["s.xml", "größe.xml"])
    container = f"<container><rootfile full-path='{name}'/></container>"
    members = [("META-INF/container.xml", container.encode())] if chooser.random() < 0.7 else []
    data = _zip([*members, (name, score)])
    return _damaged(data, chooser) if chooser.random() < 0.3 else data


def make_midi(chooser: random.Random) -> bytes:
    """A file of many tracks or many events."""
    num_tracks = chooser.choice([1, 1, 2, 16, 200, 2000])
    tracks = []
    for _ in range(num_tracks if chooser.random() < 0.5 else 1):
        content = b""
        for _ in range(chooser.randrange(1, 5)):
            events = b"".join(chooser.choices(_MIDI_EVENTS, k=chooser.randrange(1, 4)))
            content += events * min(chooser.choice(_COUNTS), MOST_BYTES // len(events) // num_tracks + 1)
        if chooser.random() < 0.3:
            name = b"n" * chooser.choice([1000, 60_000])
            content = b"\x00\xff\x03" + _variable(len(name)) + name + _EVERY_PROGRAM
        tracks.append(b"MTrk" + struct.pack(">L", len(content)) + content)
    tracks = (tracks * num_tracks)[:num_tracks]
    division = chooser.choice([1, 96, 480, 32767, 0, 0xE250])
    return b"MThd" + struct.pack(">LHHH", 6, 1, num_tracks, division) + b"".join(tracks)


def make_zip(chooser: random.Random, pieces: Sequence[bytes]) -> bytes:
    """A zip of pieces, of which some are large, of one name, or archives themselves."""
    members = _members(chooser, pieces)
    data = _zip(members, chooser.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    if chooser.random() < 0.2:
        data = data.replace(b"PK\1\2\x14\x03", b"PK\1\2\x14\x00").replace("ö".encode(), b"\xff\xfe")
    return _damaged(data, chooser)


def make_tar(chooser: random.Random, pieces: Sequence[bytes]) -> bytes:
    """A tar of pieces and links, plain or compressed."""
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", format=chooser.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    ) as archive:
        for name, data in _members(chooser, pieces):
            info = tarfile.TarInfo(name)
            kinds = [tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE]
            info.type = chooser.choices(kinds, [9, 1, 1, 1])[0]
            info.linkname = chooser.choice(["0.abc", "1.abc", "../0.abc", name, "/"])
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    data = _damaged(stream.getvalue(), chooser)
    return _damaged(gzip.compress(data), chooser) if chooser.random() < 0.3 else data


def _members(chooser: random.Random, pieces: Sequence[bytes]) -> list[tuple[str, bytes]]:
    members = []
    num_members = chooser.choice([1, 5, 20, 300])
    large = chooser.randrange(num_members) if chooser.random() < 0.2 else None
    for number in range(num_members):
        name = f"{chooser.choice(['', '', 'deep/' * 20, '../', 'ö'])}{number % chooser.choice([3, 1000])}"
        suffix = chooser.choice([".abc", ".abc", ".mid", ".xml", ".mxl", ".zip", ".tar.gz", ".txt", ""])
        data = chooser.choice(pieces)
        if number == large:
            data = bytes(1) * chooser.choice([10**6, 3 * 10**7])
        members.append((name + suffix, data))
    return members


def _zip(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there already
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def _damaged(data: bytes, chooser: random.Random) -> bytes:
    """Some bytes of it changed; in half of all cases none."""
    changed = bytearray(data)
    if changed and chooser.random() < 0.5:
        for _ in range(chooser.choice([1, 3, 20])):
            changed[chooser.randrange(len(changed))] = chooser.randrange(256)
        if chooser.random() < 0.2:
            del changed[chooser.randrange(len(changed)) :]
    return bytes(changed)


def _multiplied(signs: tuple[str, ...], chooser: random.Random) -> str:
    """Groups of signs, each of them repeated."""
    groups: list[str] = []
    left = MOST_BYTES
    for _ in range(chooser.randrange(1, 8)):
        group = "".join(_filled(sign, chooser) for sign in chooser.choices(signs, k=chooser.randrange(1, 4)))
        times = max(min(chooser.choice(_COUNTS), left // max(len(group), 1)), 1)
        if chooser.random() < 0.3 and "{}" not in group:
            # Each with a number of its own.
            group, times = "".join(group.replace("1", str(number), 1) for number in range(1, min(times, 2000))), 1
        groups.append(group * times)
        left -= len(groups[-1])
        if left <= 0:
            break
    return "".join(groups)


def _filled(text: str, chooser: random.Random) -> str:
    while "{}" in text:
        number = chooser.choice(_DIGITS) if chooser.random() < 0.3 else str(chooser.choice(_COUNTS))
        text = text.replace("{}", number, 1)
    return text


def _variable(number: int) -> bytes:
    digits = [number & 127]
    while number := number >> 7:
        digits.append(number & 127 | 128)
    return bytes(reversed(digits))

"""MusicXML files, plain and compressed, as they are played.

note-seq's reader strikes tied notes again, puts grace notes at the start of the piece, plays no repeat, gives up on
percussion, on unknown chords and on chords of transposing instruments, and starts every part but the first at the last
tempo of the part before it. This reader does none of that, and gives chord symbols and times as note-seq does otherwise.
"""

import contextlib
import io
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from etude.models.melodies.pickups import REST
from etude.pipelines.readers.musicxml.order import EndlessError
from etude.pipelines.readers.musicxml.score import read_score
from etude.pipelines.readers.musicxml.sequence import make_note_sequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.sources.member import Member
from etude.pipelines.sources.zip_archives import list_zip, read_zip_member

MAX_BYTES = 1 << 25
"""Of the XML: a large orchestral score has some ten megabytes."""
MAX_ITEMS = 1_500_000
"""Elements and attributes, each of which takes some hundreds of bytes of memory."""
_CONTAINER = "META-INF/container.xml"


def read(data: bytes, name: str = "", pickups: str = REST) -> list[Reading]:
    """Reads a MusicXML file.

    Args:
      data: the file: XML, or the zip archive that an .mxl file is.
      name: unused; a score is one piece.
      pickups: "rest" keeps bars by rests, "as-written" plays what is written.

    Returns:
      One reading.
    """
    try:
        root = _parse(_unpack(data))
        if root.tag not in ("score-partwise", "score-timewise"):
            return _reject("unreadable", f"its root is <{root.tag}> where <score-partwise> is expected")
        sequence, rests = make_note_sequence(root, read_score(root), pickups)
        return [Reading(sequence=sequence, bars=rests.outcome if pickups == REST else "")]
    except EndlessError as error:
        return _reject("too-large", str(error))
    except (ValueError, LookupError, ElementTree.ParseError) as error:  # LookupError: an unknown encoding
        return _reject("unreadable", str(error))


def _unpack(data: bytes) -> bytes:
    """The XML of a score, plain or compressed."""
    if data[:2] != b"PK":
        return data
    file = io.BytesIO(data)
    try:
        return _expand(file, _score(file, list_zip(file)))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the compressed score cannot be expanded: {error}") from error


def _parse(data: bytes) -> ElementTree.Element:
    num_items = data.count(b"<") - data.count(b"</") + data.count(b"=")
    if len(data) > MAX_BYTES or num_items > MAX_ITEMS:
        raise ValueError(
            f"{len(data):,} bytes, {num_items:,} elements and attributes; at most {MAX_BYTES:,} and {MAX_ITEMS:,} are read"
        )
    _refuse_declarations(data)
    return ElementTree.fromstring(data)


class _FirstElementError(Exception):
    """The document's declarations are over."""


def _refuse_declarations(data: bytes) -> None:
    """Refuses entities and default attributes: a few of them make gigabytes, and no score has any."""

    def refuse(*_: object) -> None:
        raise ValueError("it declares entities or attributes of its own, which no score does")

    def stop(*_: object) -> None:
        raise _FirstElementError

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = parser.AttlistDeclHandler = refuse
    parser.StartElementHandler = stop
    with contextlib.suppress(_FirstElementError, expat.ExpatError):  # what else is wrong, the reader says
        parser.Parse(data, True)


def _score(file: IO[bytes], members: Sequence[Member]) -> Member:
    """The member that holds the score: the container's first MusicXML root file, or the only XML file."""
    by_name = {_normalised(member.name): member for member in members}
    if _CONTAINER in by_name:
        for entry in _parse(_expand(file, by_name[_CONTAINER])).iter():
            if entry.tag.endswith("rootfile") and "xml" in entry.get("media-type", "musicxml"):
                name = _normalised(entry.get("full-path", ""))
                if name in by_name:
                    return by_name[name]
    scores = [
        member
        for name, member in by_name.items()
        if name.endswith((".xml", ".musicxml")) and not name.startswith(("META-INF/", "__MACOSX/"))
    ]
    if len(scores) != 1:
        raise ValueError(f"the compressed score holds {len(scores)} scores and does not say which one is meant")
    return scores[0]


def _normalised(name: str) -> str:
    """A name as it compares: an accent is one character or two, depending on the system that wrote it."""
    return unicodedata.normalize("NFC", name)


def _expand(file: IO[bytes], member: Member) -> bytes:
    if member.problem:
        raise ValueError(f"the compressed score {member.problem}")
    if member.size > MAX_BYTES:
        raise ValueError(f"the compressed score expands to more than {MAX_BYTES:,} bytes")
    return read_zip_member(file, member)


def _reject(reason: str, detail: str) -> list[Reading]:
    return [Reading(rejected=Rejected(reason, detail))]

"""MusicXML files, plain and compressed, as they are played.

note-seq's reader strikes tied notes again, puts grace notes at the start of the piece, plays no repeat, gives up on
percussion, on unknown chords and on chords of transposing instruments, and starts every part but the first at the last
tempo of the part before it. This reader does none of that, and gives chord symbols and times as note-seq does otherwise.
"""

import io
import zipfile
import zlib
from xml.etree import ElementTree

from etude.pipelines.readers.musicxml.order import EndlessError
from etude.pipelines.readers.musicxml.score import read_score
from etude.pipelines.readers.musicxml.sequence import make_note_sequence
from etude.pipelines.readers.reading import Reading, Rejected

MAX_BYTES = 1 << 25
"""Of the XML: a large orchestral score has some ten megabytes."""
MAX_TAGS = 3_000_000
"""Each of which takes a hundred bytes or two of memory."""
_CONTAINER = "META-INF/container.xml"


def read(data: bytes, name: str = "") -> list[Reading]:
    """Reads a MusicXML file.

    Args:
      data: the file: XML, or the zip archive that an .mxl file is.
      name: unused; a score is one piece.

    Returns:
      One reading.
    """
    try:
        root = _parse(_unpack(data))
        if root.tag not in ("score-partwise", "score-timewise"):
            return _reject("unreadable", f"its root is <{root.tag}> where <score-partwise> is expected")
        return [Reading(sequence=make_note_sequence(root, read_score(root)))]
    except EndlessError as error:
        return _reject("too-large", str(error))
    except (ValueError, LookupError, ElementTree.ParseError) as error:  # LookupError: an unknown encoding
        return _reject("unreadable", str(error))


def _unpack(data: bytes) -> bytes:
    """The XML of a score, plain or compressed."""
    if data[:2] != b"PK":
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, _score_name(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the compressed score cannot be expanded: {error}") from error


def _parse(data: bytes) -> ElementTree.Element:
    num_tags = data.count(b"<")
    if len(data) > MAX_BYTES or num_tags > MAX_TAGS:
        raise ValueError(f"{len(data):,} bytes and {num_tags:,} tags, at most {MAX_BYTES:,} and {MAX_TAGS:,} are read")
    return ElementTree.fromstring(data)


def _score_name(archive: zipfile.ZipFile) -> str:
    """The member that holds the score: the container's first MusicXML root file, or the only XML file."""
    if _CONTAINER in archive.namelist():
        for entry in ElementTree.fromstring(_member(archive, _CONTAINER)).iter():
            if entry.tag.endswith("rootfile") and "xml" in entry.get("media-type", "musicxml"):
                return entry.get("full-path", "")
    names = [
        n
        for n in archive.namelist()
        if n.endswith((".xml", ".musicxml")) and not n.startswith(("META-INF/", "__MACOSX/"))
    ]
    if len(names) != 1:
        raise ValueError(f"the compressed score holds {len(names)} scores and does not say which one is meant")
    return names[0]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"the compressed score expands to more than {MAX_BYTES:,} bytes")
    return data


def _reject(reason: str, detail: str) -> list[Reading]:
    return [Reading(rejected=Rejected(reason, detail))]

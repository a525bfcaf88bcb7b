"""MusicXML files, plain and compressed, as they are played.

note-seq's reader strikes tied notes again, puts grace notes at the start of the piece, plays no repeat, gives up on
percussion, on unknown chords and on chords of transposing instruments, and starts every part but the first at the last
tempo of the part before it. This reader does none of that, and gives chord symbols and times as note-seq does otherwise.
"""

import io
import unicodedata
import zipfile
import zlib
from xml.etree import ElementTree

from etude.pipelines.readers.musicxml.order import EndlessError
from etude.pipelines.readers.musicxml.score import read_score
from etude.pipelines.readers.musicxml.sequence import make_note_sequence
from etude.pipelines.readers.reading import Reading, Rejected
from etude.pipelines.sources.zip_archives import member_name, open_zip

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
        with open_zip(io.BytesIO(data)) as archive:
            return _expand(archive, _score(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the compressed score cannot be expanded: {error}") from error


def _parse(data: bytes) -> ElementTree.Element:
    num_tags = data.count(b"<")
    if len(data) > MAX_BYTES or num_tags > MAX_TAGS:
        raise ValueError(f"{len(data):,} bytes and {num_tags:,} tags, at most {MAX_BYTES:,} and {MAX_TAGS:,} are read")
    return ElementTree.fromstring(data)


def _score(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The member that holds the score: the container's first MusicXML root file, or the only XML file."""
    members = {_normalised(member_name(member)): member for member in archive.infolist()}
    if _CONTAINER in members:
        for entry in ElementTree.fromstring(_expand(archive, members[_CONTAINER])).iter():
            if entry.tag.endswith("rootfile") and "xml" in entry.get("media-type", "musicxml"):
                name = _normalised(entry.get("full-path", ""))
                if name in members:
                    return members[name]
    scores = [
        member
        for name, member in members.items()
        if name.endswith((".xml", ".musicxml")) and not name.startswith(("META-INF/", "__MACOSX/"))
    ]
    if len(scores) != 1:
        raise ValueError(f"the compressed score holds {len(scores)} scores and does not say which one is meant")
    return scores[0]


def _normalised(name: str) -> str:
    """A name as it compares: an accent is one character or two, depending on the system that wrote it."""
    return unicodedata.normalize("NFC", name)


def _expand(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"the compressed score expands to more than {MAX_BYTES:,} bytes")
    return data


def _reject(reason: str, detail: str) -> list[Reading]:
    return [Reading(rejected=Rejected(reason, detail))]

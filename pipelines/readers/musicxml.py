"""MusicXML files, plain and compressed, through note-seq's reader."""

import io
import zipfile
import zlib
from xml.etree import ElementTree

from pipelines.note_sequences import import_note_seq
from pipelines.readers.reading import Reading, Rejected

MAX_BYTES = 1 << 26
"""Of the XML: a large orchestral score has some ten megabytes."""
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
        root = _score(data)
    except (ValueError, ElementTree.ParseError) as error:
        return _reject("unreadable", str(error))
    if root.tag != "score-partwise":
        return _reject("unreadable", f"its root is <{root.tag}> where <score-partwise> is read")

    musicxml_parser = import_note_seq("musicxml_parser")
    musicxml_reader = import_note_seq("musicxml_reader")

    class Document(musicxml_parser.MusicXMLDocument):  # type: ignore[misc, name-defined]
        """note-seq's document, from a parsed tree instead of a file name."""

        @staticmethod
        def _get_score(score: ElementTree.Element) -> ElementTree.Element:
            return score

    try:
        return [Reading(sequence=musicxml_reader.musicxml_to_sequence_proto(Document(root)))]
    except Exception as error:  # the parser also raises KeyError, AttributeError and others on scores it cannot read
        return _reject("unreadable", f"{type(error).__name__}: {error}")


def _score(data: bytes) -> ElementTree.Element:
    if data[:2] != b"PK":
        return ElementTree.fromstring(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return ElementTree.fromstring(_member(archive, _score_name(archive)))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the compressed score cannot be expanded: {error}") from error


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

"""Bytes to text: encodings, and the ways in which ABC writes letters outside ASCII."""

import codecs
import html
import re
import unicodedata

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(rb"(?:^|[\r\n])(?:%%|I:)\s*abc-charset[ \t]+([\w.-]{1,40})", re.I)
_MAILED_SPACE = re.compile(r"^(?![ \t]*Q:)(.*?)=20(?=[ \t]*\r?$)", re.M)
"""At the end of a line; but `Q:1/4=20` is a tempo, and so is `=200` anywhere."""
_LINE_END = re.compile(r"(?<!\r)\r+\n|\n|\r")
_NO_CHARACTER = re.compile(r"&(?=#(?:[0-9]{8}|[xX][0-9a-fA-F]{8}))")
"""The start of a reference to a character with a number that none has; `html.unescape` refuses very long ones."""
_COMBINING = {"`": "̀", "'": "́", "^": "̂", "~": "̃", '"': "̈", "c": "̧", "r": "̊", "u": "̆", "v": "̌", "H": "̋", "=": "̄"}
_LIGATURES = {"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "/o": "ø", "/O": "Ø"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(ss|ae|AE|oe|OE|aa|AA|/o|/O)|([`'^~\"cruvH=])([A-Za-z])|([%\\&]))")


def decode(data: bytes) -> str:
    """Decodes a file: by its byte order mark, as UTF-8, by its `I:abc-charset`, or else as Windows' Latin-1.

    What mail programs made of natural signs and spaces at the end of a line (`=3D`, `=20`) is undone; neither is ABC.
    """
    text = _decode(data).replace("=3D", "=")
    return _MAILED_SPACE.sub(r"\1 ", text) if "=20" in text else text


def _decode(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    declared = _CHARSET.search(data[:10_000])
    try:
        encoding = codecs.lookup(declared[1].decode("ascii")).name if declared else ""
    except LookupError:
        encoding = ""
    try:
        return data.decode(encoding if encoding.startswith("iso8859") else "cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def split_lines(text: str) -> list[str]:
    """Cuts a text into lines, whichever machine wrote it."""
    usual = text.replace("\r\n", "\n")
    return _LINE_END.split(text) if "\r" in usual else usual.split("\n")


def decode_string(text: str) -> str:
    r"""A text string with its escapes resolved: `\'e`, `\"u`, `\ss`, `&eacute;`, `\u00e9`, `\%`."""
    text = text.strip()
    if "\\" in text:
        text = _ESCAPE.sub(_unescape, text)
    return html.unescape(_NO_CHARACTER.sub("&amp;", text)) if "&" in text else text


def _unescape(match: re.Match[str]) -> str:
    code, ligature, accent, letter, character = match.groups()
    if code:
        return "" if 0xD800 <= int(code, 16) < 0xE000 else chr(int(code, 16))
    if ligature:
        return _LIGATURES[ligature]
    if accent:
        return unicodedata.normalize("NFC", letter + _COMBINING[accent])
    return str(character)

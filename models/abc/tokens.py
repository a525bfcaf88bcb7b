"""ABC as the tokens of folk-rnn: metre and key, then pitches, lengths, tuplets, bars, repeats and endings, one by one.

After Sturm, Santos, Ben-Tal and Korshunova, "Music transcription modelling and composition using deep learning" (2016):
`M:6/8`, `K:Cdor`, `|:`, `c`, `2`, `^F,`, `/2`, `>`, `(3`, `|1`, `:|`. The unit is an eighth note. A tune is written into C,
in its own mode, or left in its key. Whatever is no token is left out: titles, decorations, grace notes, chord symbols,
slurs and words. `||` becomes `|`, as there; where a repeat goes back to it, `|:`, so that it is played the same.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from etude.models.abc.canonical import UNIT, key_name, length_name, metre_name
from etude.models.abc.notation.key import ACCIDENTALS, LETTERS, NO_KEY, parse_key, parse_shift, signature
from etude.models.abc.notation.key import Key as WrittenKey
from etude.models.abc.notation.metre import default_unit_length, parse_metre, parse_unit_length
from etude.models.abc.notation.music import parse_bar
from etude.models.abc.notation.score import Metre
from etude.models.abc.notation.text import split_lines
from etude.models.abc.notation.tokens import (
    NOTE_IN_CHORD,
    PLAIN_NOTE,
    TOKEN,
    WrittenNote,
    parse_endings,
    parse_length,
    parse_note,
)
from etude.models.abc.notation.tune import is_cut
from etude.models.abc.problems import AbcError
from etude.models.abc.unfolded import plain_key
from etude.models.melodies.quantisation import UnusableError
from etude.models.melodies.scales import Key

UNUSUAL_KEY = "unusual-key"
NOT_IN_TOKENS = "not-in-tokens"
BAR, REPEAT_START, REPEAT_END = "|", "|:", ":|"
_DOUBLE = "||"

_FIELD = re.compile(r"\s*([A-Za-z+]):(.*)")
_MUSIC_WITH_COLON = re.compile(r"\s*(?:[a-g]:|[A-G]:[|:\]])")
_COMMENT = re.compile(r"(?<!\\)%")
_IS_LENGTH = re.compile(r"(?:\d+(?:/\d+)?|/\d+)")
_IS_AFTER_SOUND = re.compile(r"(?:\d+(?:/\d+)?|/\d+)?[<>]*-?")
_SIGNS = {alteration: sign for sign, alteration in ACCIDENTALS.items()}
_NOT_TOKENS = {
    "overlay": "an overlay (&)",
    "bar_rest": "a rest of whole bars (Z)",
    "plus": "a chord between plus signs",
}


def tokenise(text: str, into_c: bool = False) -> list[str]:
    """The tokens of one tune.

    Args:
      text: the tune, headers too.
      into_c: whether it is written into C, in its mode, by the nearest way: G, A and B upwards. What changes the key keeps
        its distance from the first.

    Raises:
      UnusableError: if the tokens have no word for something in it that is played.
      AbcError: if it cannot be read.
    """
    return _Tokeniser(into_c).read(text)


def text_of(tokens: Iterable[str]) -> str:
    """The ABC of tokens, which ends with a line feed; whatever they are, so that it may be no valid tune.

    Metre and key at the start are the header; without them it has none, as ABC has it: free metre, no key.
    """
    tokens = list(tokens)
    fields = {"M": "none", "K": "none"}
    start = 0
    while start < len(tokens) and tokens[start][:2] in ("M:", "K:"):
        fields[tokens[start][0]] = tokens[start][2:]
        start += 1
    body = []
    follows_sound = False
    for token in tokens[start:]:
        if not token:
            continue
        if token[:2] in ("M:", "K:"):
            body.append(f"[{token}]")
            continue
        is_length = bool(_IS_AFTER_SOUND.fullmatch(token))
        # A length belongs to the note before it; after anything else it would be read as a part of that, as of two bars.
        is_apart = (is_length and not follows_sound) or (body[-1:] == [BAR] and token[0] == "|")
        body.append(" " * is_apart + token)
        follows_sound = is_length or bool(re.match(r"[\^_=]*[A-Ga-gzx]|\]", token))
    return f"X:1\nM:{fields['M']}\nL:1/8\nK:{fields['K']}\n{''.join(body)}\n"


class _Tokeniser:
    """Reads the lines of one tune."""

    def __init__(self, into_c: bool) -> None:
        self._into_c = into_c
        self._unit: Fraction | None = None
        self._scale = Fraction(1)
        self._metre: Metre | None = None
        self._alterations = self._new_alterations = NO_KEY.alterations
        self._up = 0  # semitones
        self._steps = 0  # letters
        self._octaves = 0
        self._tokens: list[str] = []

    def read(self, text: str) -> list[str]:
        in_body = False
        held: list[str] = []  # lines that go on in the next, for a sign was cut
        for line in split_lines(text):
            line = _COMMENT.split(line, maxsplit=1)[0]
            field = None if _MUSIC_WITH_COLON.match(line) else _FIELD.match(line)
            if held and (field or not is_cut(held[-1], line)):
                self._line("".join(part.rstrip("\\") for part in held))
                held = []
            if field:
                self._field(field[1], field[2], in_body)
                in_body = in_body or field[1] == "K"
            elif in_body:
                held.append(line)
        self._line("".join(part.rstrip("\\") for part in held))
        if not in_body:
            raise AbcError("expected a K: field, which ends the header of a tune")
        return list(_with_starts(self._tokens))

    def _field(self, letter: str, text: str, in_body: bool) -> None:
        match letter:
            case "M":
                self._metre = parse_metre(text)
                if in_body:
                    self._tokens.append(f"M:{metre_name(self._metre)}")
            case "L":
                self._unit = parse_unit_length(text)
                self._scale = self._unit / UNIT
            case "K":
                shift = parse_shift(text)
                if shift.semitones:
                    raise UnusableError(NOT_IN_TOKENS, f"a transposition (K:{text.strip()[:30]})")
                self._octaves = self._octaves if shift.octaves is None else shift.octaves
                self._change_key(parse_key(text), in_body)
            case "V":
                raise UnusableError("several-voices", f"V:{text.strip()[:20]}")
            case "P" if not in_body:
                raise UnusableError(NOT_IN_TOKENS, "parts (P:)")

    def _change_key(self, key: WrittenKey | None, in_body: bool) -> None:
        if key is None and in_body:
            return
        written = key or NO_KEY
        sharps = sum(written.alterations)
        if signature(sharps) != written.alterations:
            raise UnusableError(UNUSUAL_KEY, f"accidentals {written.alterations}, C to B")
        plain = plain_key(written)
        if self._into_c and not in_body:
            self._up = -plain.tonic
        shown = Key((plain.tonic + self._up) % 12, plain.mode)
        self._alterations, self._new_alterations = written.alterations, signature(shown.sharps)
        # A fifth is four letters up; the nearest way there is at most three. Later keys go the way of the first.
        steps = 4 * (shown.sharps - sharps)
        self._steps += (steps - self._steps + 3) % 7 - 3
        if not in_body:
            self._scale = (self._unit or default_unit_length(self._metre)) / UNIT
            self._tokens.append(f"M:{metre_name(self._metre)}")
        self._tokens.append(f"K:{key_name(shown)}")

    def _line(self, line: str) -> None:
        for match in TOKEN.finditer(line):
            kind = match.lastgroup or ""
            text = match[kind]
            if kind in _NOT_TOKENS:
                raise UnusableError(NOT_IN_TOKENS, f"{_NOT_TOKENS[kind]}: {text[:20]}")
            if kind in _READERS:
                _READERS[kind](self, text)
            elif kind == "unexpected":
                raise AbcError(f"expected a note, rest, bar line or other sign of music, not {text!r}")

    def _notes(self, text: str) -> None:
        for match in PLAIN_NOTE.finditer(text):
            self._note(match[0])

    def _note(self, text: str) -> None:
        note = parse_note(text)
        self._tokens.append(self._pitch(note))
        self._length(parse_length(note.length) * self._scale)
        self._tokens += ["-"] * note.tied

    def _pitch(self, note: WrittenNote) -> str:
        octave, letter = divmod(note.letter + self._steps, 7)
        octave += note.octave + self._octaves
        sign = ""
        if note.accidental is not None:
            alteration = note.accidental - self._alterations[note.letter] + self._new_alterations[letter]
            if alteration not in _SIGNS:
                raise UnusableError(NOT_IN_TOKENS, f"an accidental of {alteration} semitones")
            sign = _SIGNS[alteration]
        name = LETTERS[letter]
        return sign + (name.lower() + "'" * (octave - 1) if octave > 0 else name + "," * -octave)

    def _length(self, length: Fraction) -> None:
        """Puts down a length in eighths, unless it is 1."""
        if length != 1:
            self._tokens.append(length_name(length))

    def _rest(self, text: str) -> None:
        self._tokens.append(text[0])
        self._length(parse_length(text[1:]) * self._scale)

    def _chord(self, text: str) -> None:
        """`[CE]2`: a length that all its notes have stands after it."""
        inside, outside = text[1:].rsplit("]", 1)
        notes = [parse_note(match[0]) for match in NOTE_IN_CHORD.finditer(inside) if match.lastgroup == "note"]
        lengths = [parse_length(note.length) for note in notes]
        shared = lengths[0] if len(set(lengths)) == 1 else Fraction(1)
        self._tokens.append("[")
        for note, length in zip(notes, lengths, strict=True):
            self._tokens.append(self._pitch(note))
            self._length(length / shared)
            self._tokens += ["-"] * note.tied
        self._tokens.append("]")
        self._length(shared * parse_length(outside.rstrip("-")) * self._scale)
        self._tokens += ["-"] * outside.endswith("-")

    def _broken(self, text: str) -> None:
        """`>`, which folk-rnn has as one token with a length before it."""
        if self._tokens and _IS_LENGTH.fullmatch(self._tokens[-1]):
            self._tokens[-1] += text
        else:
            self._tokens.append(text)

    def _tie(self, text: str) -> None:
        self._tokens.append(text)

    def _tuplet(self, text: str) -> None:
        self._tokens.append(text)

    def _bar(self, text: str) -> None:
        bar, passes = parse_bar(text)
        if bar.ends > 1 or bar.starts > 1:
            raise UnusableError(NOT_IN_TOKENS, f"a repeat of more than two times: {text[:20]}")
        if bar.ends:
            self._bar_line(REPEAT_END)
        if bar.starts:
            self._bar_line(REPEAT_START)
        if passes:
            self._bar_line(_ending(passes))
        elif not (bar.ends or bar.starts):
            self._bar_line(_DOUBLE if bar.double else BAR)

    def _numbered(self, text: str) -> None:
        """`[1`, which goes with the bar line just before it."""
        self._bar_line(_ending(parse_endings(text)))

    def _bar_line(self, token: str) -> None:
        """Puts down a bar line; of two with nothing between them, such as at the ends of lines, the plainer one goes."""
        last = self._tokens[-1] if self._tokens else ""
        if last in (BAR, _DOUBLE) and token != BAR:
            self._tokens.pop()
        if token != BAR or last not in (BAR, _DOUBLE, REPEAT_START, REPEAT_END):
            self._tokens.append(token)

    def _inline_field(self, text: str) -> None:
        self._field(text[1], text[3:-1], True)


_READERS: dict[str, Callable[[_Tokeniser, str], None]] = {
    "notes": _Tokeniser._notes,
    "note": _Tokeniser._note,
    "rest": _Tokeniser._rest,
    "chord": _Tokeniser._chord,
    "broken": _Tokeniser._broken,
    "tie": _Tokeniser._tie,
    "tuplet": _Tokeniser._tuplet,
    "bar": _Tokeniser._bar,
    "ending": _Tokeniser._numbered,
    "field": _Tokeniser._inline_field,
}
"""By kind of sign; what is not here is not heard."""


def _ending(passes: tuple[int, ...]) -> str:
    return "|" + ",".join(map(str, passes))


def _with_starts(tokens: Sequence[str]) -> Iterator[str]:
    """Every `||` as `|`, or as `|:` where the next repeat goes back to it."""
    goes_back = False
    turned = []
    for token in reversed(_without_inner_doubles(tokens)):
        if token == REPEAT_END or _is_ending(token):
            goes_back = True
        elif token == REPEAT_START:
            goes_back = False
        elif token == _DOUBLE:
            token = REPEAT_START if goes_back else BAR
            goes_back = False
        turned.append(token)
    return reversed(turned)


def _without_inner_doubles(tokens: Sequence[str]) -> list[str]:
    """Every `||` as `|` that stands within a repeat, which it does not end."""
    is_open = False
    result = []
    for token in tokens:
        if token == REPEAT_START:
            is_open = True
        elif token == REPEAT_END or _is_ending(token):
            is_open = False
        result.append(BAR if token == _DOUBLE and is_open else token)
    return result


def _is_ending(token: str) -> bool:
    return token[0] == "|" and token[1:2].isdigit()

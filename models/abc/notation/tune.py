"""One tune: its header, then its body, field by field and line by line."""

import re
from collections.abc import Iterable

from etude.models.abc.notation.key import NO_KEY, parse_key, parse_shift
from etude.models.abc.notation.metre import default_unit_length, parse_metre, parse_tempo, parse_unit_length
from etude.models.abc.notation.music import MusicReader
from etude.models.abc.notation.parts import parse_part_order
from etude.models.abc.notation.score import (
    KeyChange,
    MetreChange,
    PartStart,
    Score,
    Sound,
    TempoChange,
    Voice,
)
from etude.models.abc.notation.text import decode_string
from etude.models.abc.notation.voices import VoiceState
from etude.models.abc.problems import AbcError, Problem, TooLargeError

MAX_VOICES = 200
MAX_FIELD = 1000
_FIELD = re.compile(r"\s*([A-Za-z+]):(.*)", re.S)
_MUSIC_WITH_COLON = re.compile(r"\s*(?:[a-g]:|[A-G]:[|:\]])")
_FIELDS_WITH_MEANING = frozenset("KLMPQV")
_FILE_HEADER_FIELDS = frozenset("ABCDFGHILMNORSUZmr")
_OPEN_CHORD = re.compile(r"\[[^\[\]|\":]*$")
_REST_OF_SIGN = re.compile(r"[\d/,']|:(?![|:\]])")
_COMMENT = re.compile(r"(?<!\\)%")
_SCOPE = re.compile(r"(?:%%|I:)\s*propagate-accidentals\s+(not|octave|pitch)\b")
_VOICE = re.compile(r"\s*(\S+)\s*(.*)", re.S)
_VOICE_NAME = re.compile(r"\b(?:name|nm)=\s*(?:\"([^\"]*)\"|(\S+))")


class TuneReader:
    """Reads the lines of one tune into a score.

    Attributes:
      score: what has been read.
      warnings: what was not understood, but changes no note.
    """

    def __init__(self) -> None:
        self.score = Score([], [], [], [], [], [])
        self.warnings: list[Problem] = []
        self._texts = {
            "T": self.score.titles,
            "C": self.score.composers,
            "O": self.score.origins,
            "R": self.score.rhythms,
        }
        self._line = 0
        self._held: list[tuple[int, str]] = []
        self._in_body = False
        self._last_field = ""
        self._unit_is_given = False
        self._tempo: tuple[str, int] | None = None
        self._defaults = VoiceState(Voice(""))
        self._declared: dict[str, str] = {}
        self._states: dict[str, VoiceState] = {}
        self._first_voice: VoiceState | None = None
        self._music = MusicReader(self._defaults, self._body_field)

    def read_file_header(self, lines: Iterable[tuple[int, str]]) -> None:
        """Reads the lines before the first tune, which hold for all tunes."""
        for number, line in lines:
            field = _FIELD.match(line)
            if line.startswith("%%") or (field and field[1] in _FILE_HEADER_FIELDS):
                try:
                    self._read_line(number, line)
                except AbcError as error:
                    self._warn(error.message, (error.column or 0) + 1)

    def read(self, lines: Iterable[tuple[int, str]]) -> Score:
        """Reads all lines of a tune, each with its number.

        Raises:
          AbcError: if it cannot be read, with line and column.
        """
        for number, line in lines:
            try:
                self._read_line(number, line)
            except AbcError as error:
                error.line = error.line or number
                raise
        self._read_music()
        if not self._in_body:
            raise AbcError("expected a K: field, which ends the header of a tune")
        if self._first_voice is not None:
            self._name_first_voice(self._first_voice, "1")
        self.score.voices = [state.voice for state in self._states.values()]
        return self.score

    def _read_line(self, number: int, line: str) -> None:
        self._line = number
        if "%" in line:
            if scope := _SCOPE.match(line):
                self._music.scope = scope[1]
            line = _COMMENT.split(line, maxsplit=1)[0]
        field = _FIELD.match(line)
        if field and not _MUSIC_WITH_COLON.match(line):
            self._read_music()
            letter, text = field.groups()
            if letter == "+":
                self._continue_field(text)
                return
            self._last_field = letter
            try:
                if self._in_body:
                    self._body_field(letter, text)
                else:
                    self._header_field(letter, text)
            except AbcError as error:
                error.column = field.start(2) + (error.column or 0)
                raise
        elif self._in_body:
            if self._held and not is_cut(self._held[-1][1], line):
                self._read_music()
            self._held.append((number, line))
        elif line.strip() and self._last_field != "H":
            self._warn("text in the header is no field; it was left out")

    def _read_music(self) -> None:
        """Reads the music that is held back: one line, or several that were cut within a sign."""
        held, self._held = self._held, []
        text = "".join(line.rstrip("\\") for _, line in held[:-1]) + held[-1][1] if held else ""
        try:
            self._music.read(text)
        except AbcError as error:
            column = error.column or 0
            for number, line in held:
                error.line, error.column = number, column
                column -= len(line.rstrip("\\"))
                if column < 0:
                    break
            raise

    def _warn(self, message: str, column: int = 0) -> None:
        self.warnings.append(Problem(message, self._line, column))

    def _continue_field(self, text: str) -> None:
        """`+:` goes on with a text field; other fields have no second line."""
        if self._texts.get(self._last_field):
            self._texts[self._last_field][-1] += " " + decode_string(text)

    def _header_field(self, letter: str, text: str) -> None:
        defaults = self._defaults
        _check_size(letter, text)
        match letter:
            case "M":
                defaults.metre = parse_metre(text)
                if not self._unit_is_given:
                    defaults.unit = default_unit_length(defaults.metre)
            case "L":
                defaults.unit = parse_unit_length(text)
                self._unit_is_given = True
            case "Q":
                self._tempo = (text, self._line)
            case "P":
                self.score.part_order = parse_part_order(text.strip())
            case "V":
                name, parameters = _split_voice(text)
                self._declared[name] = parameters
            case "K":
                defaults.change(key=parse_key(text) or NO_KEY, shift=parse_shift(text))
                self._start_body()
            case _:
                self._text_field(letter, text)

    def _start_body(self) -> None:
        self._in_body = True
        self._first_voice = self._music.state = self._add_voice("")
        if self._tempo:
            text, self._line = self._tempo
            self._change_tempo(text)

    def _body_field(self, letter: str, text: str) -> None:
        state = self._music.state
        _check_size(letter, text)
        match letter:
            case "M":
                state.metre = parse_metre(text)
                state.add(MetreChange(state.metre))
            case "L":
                state.change(unit=parse_unit_length(text))
            case "Q":
                self._change_tempo(text)
            case "P":
                state.add(PartStart(text.strip()))
            case "V":
                self._select_voice(text)
            case "K":
                state.change(key=parse_key(text), shift=parse_shift(text))
                state.accidentals.clear()
                state.add(KeyChange(state.key, state.semitones))
            case _:
                self._text_field(letter, text)

    def _text_field(self, letter: str, text: str) -> None:
        if letter in self._texts:
            self._texts[letter].append(decode_string(text))
        elif letter == "I" and (scope := _SCOPE.match("I:" + text)):
            self._music.scope = scope[1]

    def _change_tempo(self, text: str) -> None:
        """A tempo that cannot be read changes no note, so it is only left out."""
        state = self._music.state
        try:
            tempo = parse_tempo(text, state.unit)
        except AbcError as error:
            self._warn(error.message)
            return
        if tempo:
            state.add(TempoChange(tempo))

    def _select_voice(self, text: str) -> None:
        name, parameters = _split_voice(text)
        self._declared.setdefault(name, parameters)
        if self._first_voice is not None:
            self._name_first_voice(self._first_voice, name)
        state = self._states.get(name) or self._add_voice(name)
        state.change(shift=parse_shift(parameters))
        self._music.state = state

    def _name_first_voice(self, state: VoiceState, name: str) -> None:
        """What stood before the first `V:` holds for all voices; if it has music, it is that of voice 1."""
        self._first_voice = None
        del self._states[""]
        self._defaults = state.branch("")
        has_music = any(isinstance(element, Sound) for element in state.voice.elements)
        self._declare(state, "1" if has_music else name)

    def _add_voice(self, name: str) -> VoiceState:
        if len(self._states) == MAX_VOICES:
            raise TooLargeError(f"expected at most {MAX_VOICES} voices")
        state = self._defaults.branch(name)
        self._declare(state, name)
        state.add(KeyChange(state.key, state.semitones))
        state.add(MetreChange(state.metre))
        return state

    def _declare(self, state: VoiceState, name: str) -> None:
        """Gives a voice its name and what the header says of it."""
        parameters = self._declared.get(name, "")
        full_name = _VOICE_NAME.search(parameters)
        state.voice.name = decode_string(full_name[1] or full_name[2]) if full_name else name
        state.change(shift=parse_shift(parameters))
        self._states[name] = state


def is_cut(line: str, following: str) -> bool:
    """Whether a line of music was cut within a sign, as old mail programs did: it goes on in the following line."""
    if _OPEN_CHORD.search(line):
        return True
    line = line.rstrip("\\")
    goes_on = _REST_OF_SIGN.match(following)
    return bool(goes_on and line and not line[-1].isspace() and not (line[-1].isdigit() and following[0].isdigit()))


def _check_size(letter: str, text: str) -> None:
    if letter in _FIELDS_WITH_MEANING and len(text) > MAX_FIELD:
        raise TooLargeError(f"expected a field of at most {MAX_FIELD:,} characters")


def _split_voice(text: str) -> tuple[str, str]:
    match = _VOICE.match(text)
    if not match:
        raise AbcError("expected the name of a voice", 0)
    return match[1], match[2]

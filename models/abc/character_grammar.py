"""Which character may come next, so that every bar can still be completed: `BarGrammar` for text, letter by letter."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

from etude.models.abc.bar_grammar import BarGrammar, BarState, kind
from etude.models.abc.canonical import MODES
from etude.models.abc.notation.metre import default_unit_length, parse_metre, parse_unit_length
from etude.models.abc.problems import AbcError

SPACE, LINE_FEED = " ", "\n"
_TONICS = ("C", "G", "D", "A", "E", "B", "F", "Bb", "Eb", "Ab", "Db", "F#", "C#", "G#", "D#")
_METRES = ("2/4", "3/4", "4/4", "2/2", "3/2", "6/4", "3/8", "6/8", "9/8", "12/8", "5/8", "7/8", "5/4")


def words() -> Iterator[str]:
    """The words that texts are made of, canonical ones and others: what tokens there can be, spelled out."""
    for sign, letter in itertools.product(("", "^", "_", "=", "^^", "__"), "CDEFGAB"):
        yield from (sign + letter + "," * octaves for octaves in range(4))
        yield from (sign + letter.lower() + "'" * octaves for octaves in range(3))
    for above, below in itertools.product(range(1, 25), (1, 2, 4, 8)):
        length = Fraction(above, below)
        if length.denominator == below and length != 1:
            yield ("" if above == 1 else str(above)) + (f"/{below}" if below > 1 else "")
    yield from ("z", "-", "[", "]", ">", "<", "|", "|:", ":|", "|1", "|2")
    yield from ("(2", "(3", "(4", *(f"(3:2:{count}" for count in (1, 2, 4, 5, 6)), "(5:4:5", "(6:4:6", "(7:4:7")
    yield from (f"[M:{metre}]" for metre in _METRES)
    yield from (f"[K:{tonic}{mode}]" for tonic in _TONICS for mode in MODES.values())


@dataclasses.dataclass(frozen=True)
class CharacterState:
    """Where a text has got to.

    Attributes:
      header: the text up to the line of `K:`; once that is over, None.
      readings: how the body can be read so far: the state after whole words, and the part of the next word. There are several
        where a word is the beginning of another.
      after_line: whether nothing has come since a line feed.
    """

    header: str | None = ""
    readings: frozenset[tuple[BarState, str]] = frozenset()
    after_line: bool = False


class CharacterGrammar:
    """What may follow in a text. The header is free; the body is made of words, and of spaces and line feeds between them."""

    def __init__(self, characters: Iterable[str], vocabulary: Iterable[str] | None = None) -> None:
        """Takes what there is.

        Args:
          characters: all that there are.
          vocabulary: the words; None for those of `words`.
        """
        self.characters = tuple(characters)
        known = set(self.characters)
        tokens = [word for word in (words() if vocabulary is None else vocabulary) if known.issuperset(word)]
        self._grammar = BarGrammar(_plain(word) for word in tokens)
        self._words = {word: _plain(word) for word in tokens}
        self._continued: dict[str, set[str]] = {}
        for word in tokens:
            for end in range(1, len(word) + 1):
                self._continued.setdefault(word[:end], set()).add(self._words[word])

    def allowed(self, state: CharacterState) -> list[bool]:
        """For every character whether it may follow."""
        return [self.after(state, character) is not None for character in self.characters]

    def after(self, state: CharacterState, character: str) -> CharacterState | None:
        """The state after one more character; None if it may not follow."""
        if state.header is not None:
            return _after_header(state.header + character)
        if character == LINE_FEED and state.after_line:
            return None
        readings = frozenset(self._readings(state, character))
        return CharacterState(None, readings, character == LINE_FEED) if readings else None

    def may_end(self, state: CharacterState) -> bool:
        """Whether the tune may end here."""
        return any(self._grammar.may_end(whole) for whole in self._whole(state))

    def _readings(self, state: CharacterState, character: str) -> Iterator[tuple[BarState, str]]:
        for before, part in state.readings:
            if part and self._can_become(before, part + character):
                yield before, part + character
        for whole in self._whole(state):
            if character in (SPACE, LINE_FEED):
                settled = self._grammar.settled(whole)
                if settled is not None:
                    yield settled, ""
            elif self._can_become(whole, character):
                yield whole, character

    def _whole(self, state: CharacterState) -> Iterator[BarState]:
        """The states in which the last word is complete."""
        for before, part in state.readings:
            if not part:
                yield before
            elif part in self._words and (after := self._grammar.after(before, self._words[part])) is not None:
                yield after

    def _can_become(self, state: BarState, part: str) -> bool:
        """Whether what begins so may be a word that may follow."""
        return any(self._grammar.after(state, token) is not None for token in self._continued.get(part, ()))


def _plain(word: str) -> str:
    """A word as a token for which the same holds: `[M:6/8]` is `M:6/8`, and one note is like another."""
    return kind(word[1:-1] if word[:3] in ("[M:", "[K:") else word)


def _after_header(header: str) -> CharacterState | None:
    """The state after a header or a part of it; None if its fields cannot be read."""
    lines = header.split(LINE_FEED)
    if len(lines) < 2 or not lines[-2].lstrip().startswith("K:"):
        return CharacterState(header)
    fields = {line.lstrip()[0]: line.lstrip()[2:].partition("%")[0] for line in lines if line.lstrip()[1:2] == ":"}
    try:
        metre = parse_metre(fields.get("M", "none"))
        unit = parse_unit_length(fields["L"]) if "L" in fields else default_unit_length(metre)
    except AbcError:
        return None
    return CharacterState(None, frozenset({(BarState(metre=metre, unit=unit, is_body=True), "")}))

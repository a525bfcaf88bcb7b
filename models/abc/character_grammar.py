"""Which character may come next, so that every bar can still be completed: `BarGrammar` for text, letter by letter."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

from etude.models.abc.bar_grammar import BarGrammar, BarState, kind
from etude.models.abc.canonical import MODES
from etude.models.abc.completion import Completion
from etude.models.abc.header_grammar import LINE_FEED, METRES, TONICS, HeaderState, ending
from etude.models.abc.header_grammar import after as after_header

SPACE = " "
_LONGEST_HEADER = 60
"""Characters that complete a header in which a field has begun."""


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
    yield from (f"[M:{metre}]" for metre in METRES)
    yield from (f"[K:{tonic}{mode}]" for tonic in TONICS for mode in MODES.values())


@dataclasses.dataclass(frozen=True)
class CharacterState:
    """Where a text has got to.

    Attributes:
      header: where the header has got to; once it is over, None.
      readings: how the body can be read so far: the state after whole words, and the part of the next word. There are several
        where a word is the beginning of another.
      after_line: whether nothing has come since a line feed.
    """

    header: HeaderState | None = dataclasses.field(default_factory=HeaderState)
    readings: frozenset[tuple[BarState, str]] = frozenset()
    after_line: bool = False


class CharacterGrammar:
    """What may follow in a text: after the header, words, and spaces and line feeds between them."""

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
        self._longer: dict[str, list[str]] = {}
        for word in tokens:
            for end in range(1, len(word) + 1):
                self._longer.setdefault(word[:end], []).append(word)
                self._continued.setdefault(word[:end], set()).add(self._words[word])
        costs: dict[str, int] = {}
        for word, token in self._words.items():
            costs[token] = min(len(word), costs.get(token, len(word)))
        self._completion = Completion(self._grammar, costs)

    def allowed(self, state: CharacterState) -> list[bool]:
        """For every character whether it may follow."""
        return [self.after(state, character) is not None for character in self.characters]

    def after(self, state: CharacterState, character: str) -> CharacterState | None:
        """The state after one more character; None if it may not follow."""
        if state.header is not None:
            header = after_header(state.header, character)
            if header is None or not header.is_over:
                return None if header is None else CharacterState(header)
            return CharacterState(None, frozenset({(body_state(header), "")}))
        if character == LINE_FEED and state.after_line:
            return None
        readings = frozenset(self._readings(state, character))
        return CharacterState(None, readings, character == LINE_FEED) if readings else None

    def may_end(self, state: CharacterState) -> bool:
        """Whether the tune may end here."""
        return any(self._grammar.may_end(whole) for whole in self._whole(state))

    def cost(self, state: CharacterState) -> int | None:
        """How many characters the tune needs at least until it may end; None if it cannot come to an end."""
        if state.header is not None:
            way = ending(state.header, self.characters)
            body = None if way is None else self._through(state, way)
            cost = None if body is None else self.cost(body)
            return None if way is None or cost is None else len(way) + cost
        costs = [(length, self._completion.cost(after)) for length, after in self._completed(state)]
        return min((length + cost for length, cost in costs if cost is not None), default=None)

    def bound(self, state: CharacterState) -> int:
        """A number above that, whatever comes next."""
        if state.header is not None:
            return _LONGEST_HEADER + max(self._completion.bound(BarState(metre=metre)) for metre in ((4, 4), (12, 8)))
        return max(self._completion.bound(before) for before, _ in state.readings)

    def _through(self, state: CharacterState, text: str) -> CharacterState | None:
        reached: CharacterState | None = state
        for character in text:
            reached = None if reached is None else self.after(reached, character)
        return reached

    def _completed(self, state: CharacterState) -> Iterator[tuple[int, BarState]]:
        """The states after the word that has begun, and how much of it is missing."""
        for before, part in state.readings:
            if not part:
                yield 0, before
            for word in self._longer.get(part, ()) if part else ():
                after = self._grammar.after(before, self._words[word])
                if after is not None:
                    yield len(word) - len(part), after

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


def body_state(header: HeaderState) -> BarState:
    """The state in which the music begins after a header."""
    metre, unit = header.meaning
    return BarState(metre=metre, unit=unit, is_body=True)

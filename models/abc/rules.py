"""Rules for models of tunes: what may follow, so that every bar is complete when the tune ends, at its end mark or before."""

import abc
import threading
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from etude.models.abc.bar_grammar import BarGrammar, BarState, kind
from etude.models.abc.character_grammar import CharacterGrammar, CharacterState
from etude.models.abc.completion import Completion
from etude.models.sequences.domain import END, START

Mask = npt.NDArray[np.bool_]
State = TypeVar("State")
_DEAD, _BEFORE = 0, 1
_NEVER = 1 << 30


class _Automaton(abc.ABC, Generic[State]):
    """States by number, each with what it allows, found when it is first met. Threads may share one.

    See `etude.models.sequences.rules.Rules`.
    """

    def __init__(self, symbols: Sequence[str], before: State) -> None:
        """Takes the symbols of the tokens, by number, and the state before the first of them."""
        self._symbols = tuple(symbols)
        self._states: list[State | None] = [None, before]
        self._numbers: dict[State | None, int] = {None: _DEAD, before: _BEFORE}
        self._following: list[dict[int, int]] = [{}, {}]
        self._masks: dict[int, Mask] = {}
        self._costs: dict[int, int] = {_DEAD: _NEVER}
        self._needs: dict[int, npt.NDArray[np.int64]] = {}
        self._lock = threading.Lock()
        self.start = _BEFORE

    @abc.abstractmethod
    def _after(self, state: State, symbol: str) -> State | None:
        """The state after one more symbol; None if it may not follow."""

    @abc.abstractmethod
    def _cost(self, state: State) -> int | None:
        """How many tokens an end needs at least; None if none can be reached."""

    @abc.abstractmethod
    def _bound(self, state: State) -> int:
        """A number above that, and above that of any state that follows."""

    def after(self, state: int, token: int) -> int:
        """See `Rules`."""
        found = self._following[state].get(token)
        if found is None:
            before = self._states[state]
            following = None if before is None else self._after(before, self._symbols[token])
            with self._lock:
                found = self._numbers.get(following)
                if found is None:
                    found = self._numbers[following] = len(self._states)
                    self._states.append(following)
                    self._following.append({})
                self._following[state][token] = found
        return found

    def allowed(self, state: int, num_left: int) -> Mask:
        """See `Rules`. Where no end can be reached in time, whatever may follow at all."""
        mask = self._masks.get(state)
        if mask is None:
            tokens = range(len(self._symbols))
            mask = self._masks[state] = np.array([self.after(state, token) != _DEAD for token in tokens])
        here = self._states[state]
        if here is None or num_left > self._bound(here):
            return mask
        needs = self._needs.get(state)
        if needs is None:
            followers = [self.after(state, token) for token in range(len(self._symbols))]
            needs = self._needs[state] = np.array([1 + self._cost_of(follower) for follower in followers])
        in_time = needs <= num_left
        return in_time if in_time.any() else mask

    def _cost_of(self, number: int) -> int:
        if number not in self._costs:
            state = self._states[number]
            cost = None if state is None else self._cost(state)
            self._costs[number] = _NEVER if cost is None else cost
        return self._costs[number]


class TokenRules(_Automaton[BarState | str]):
    """The rules for folk-rnn's tokens."""

    def __init__(self, symbols: Sequence[str]) -> None:
        """Takes the symbols of the tokens, by number, marks among them."""
        super().__init__(symbols, START)
        self._grammar = BarGrammar(symbol for symbol in symbols if symbol not in (START, END))
        self._completion = Completion(self._grammar, {kind(token): 1 for token in self._grammar.tokens})

    def _after(self, state: BarState | str, symbol: str) -> BarState | str | None:
        if isinstance(state, str):
            return BarState() if state == START == symbol else None
        if symbol == END:
            return END if self._grammar.may_end(state) else None
        return None if symbol == START else self._grammar.after(state, symbol)

    def _cost(self, state: BarState | str) -> int | None:
        return 0 if isinstance(state, str) else self._completion.cost(state)

    def _bound(self, state: BarState | str) -> int:
        return 0 if isinstance(state, str) else self._completion.bound(state)


class CharacterRules(_Automaton[CharacterState | tuple[str, int]]):
    """The rules for characters, whose marks are symbols or text."""

    def __init__(self, symbols: Sequence[str], start: Iterable[str], end: Iterable[str]) -> None:
        """Takes what there is.

        Args:
          symbols: of the tokens, by number.
          start: the symbols before a tune.
          end: those after it; where there are several, they follow a line feed.
        """
        super().__init__(symbols, (START, 0))
        self._start, self._end = tuple(start), tuple(end)
        self._grammar = CharacterGrammar(symbol for symbol in symbols if len(symbol) == 1)

    def _after(self, state: CharacterState | tuple[str, int], symbol: str) -> CharacterState | tuple[str, int] | None:
        if isinstance(state, tuple):
            return self._within_mark(state, symbol)
        may_end = (state.after_line or len(self._end) == 1) and self._grammar.may_end(state)
        if symbol == self._end[0] and may_end:
            return END, 1
        return self._grammar.after(state, symbol) if len(symbol) == 1 else None

    def _within_mark(self, state: tuple[str, int], symbol: str) -> CharacterState | tuple[str, int] | None:
        name, place = state
        mark = self._start if name == START else self._end
        if place == len(mark) or symbol != mark[place]:
            return None
        return CharacterState() if name == START and place + 1 == len(mark) else (name, place + 1)

    def _cost(self, state: CharacterState | tuple[str, int]) -> int | None:
        if not isinstance(state, tuple):
            return self._grammar.cost(state)
        name, place = state
        if name == END:
            return len(self._end) - place
        cost = self._grammar.cost(CharacterState())
        return None if cost is None else len(self._start) - place + cost

    def _bound(self, state: CharacterState | tuple[str, int]) -> int:
        return (
            len(self._start)
            + len(self._end)
            + self._grammar.bound(state if isinstance(state, CharacterState) else CharacterState())
        )

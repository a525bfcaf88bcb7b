"""How much a tune still needs, so that all its bars are complete."""

import dataclasses
import functools
import heapq
import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from etude.models.abc.bar_grammar import AWAITS_SECOND, IN_FIRST, LENGTH, NO_ENDING, BarGrammar, BarState
from etude.models.abc.notation.tokens import parse_length

BAR_LINES = ("|", ":|", "|2")
"""Those that a tune is brought to an end with."""

_MANY = 8


class Completion:
    """Short ways to an end."""

    def __init__(self, grammar: BarGrammar, costs: Mapping[str, int]) -> None:
        """Takes what it may use.

        Args:
          grammar: what may follow.
          costs: of the tokens of the grammar.
        """
        self._grammar = grammar
        self._costs = {token: cost for token, cost in costs.items() if token in (*BAR_LINES, "C", "z", "]")}
        self._sounds = ("C",) if "C" in costs else ("z",)
        self._lengths = {token: parse_length(token) for token in costs if LENGTH.fullmatch(token)}
        self._costs |= {token: costs[token] for token in self._lengths}
        self._most = max(self._costs.values(), default=1)
        self._found: dict[BarState, int | None] = {}

    def cost(self, state: BarState) -> int | None:
        """What a short way from a state to an end costs; None if there is none. After its first token, it costs the less."""
        plain = _plain(state)
        if plain not in self._found:
            self._search(plain)
        return self._found[plain]

    def bound(self, state: BarState) -> int:
        """A cost above that of any way to an end from here, whatever comes next; quick to tell."""
        most = 1 if state.bar is None else max(_fewest_sounds(self._grammar.lengths, state.bar).values())
        # Two bars, a tuplet, and bar lines.
        return self._most * (2 * (2 * most + 10) + 8)

    def _search(self, start: BarState) -> None:
        number = itertools.count()
        waiting: list[tuple[int, int, int, BarState, BarState | None]] = [(0, next(number), 0, start, None)]
        before: dict[BarState, tuple[int, BarState | None]] = {}
        while waiting:
            _, _, cost, state, parent = heapq.heappop(waiting)
            if state in before:
                continue
            before[state] = cost, parent
            rest = 0 if self._grammar.may_end(state) else self._found.get(state)
            if rest is not None:
                # All that the way leads through is known now.
                place: BarState | None = state
                while place is not None:
                    passed, parent = before[place]
                    self._found[place] = cost + rest - passed
                    place = parent
                return
            for token in self._useful(state):
                following = self._grammar.after(state, token)
                if following is not None and (plain := _plain(following)) not in before:
                    so_far = cost + self._costs[token]
                    guess = so_far + 2 * self._num_sounds(plain) + _num_pending(plain)
                    heapq.heappush(waiting, (guess, next(number), so_far, plain, state))
        self._found[start] = None

    def _useful(self, state: BarState) -> Iterator[str]:
        """The tokens that may lead to an end soon."""
        if state.in_chord >= 0:
            yield "]" if state.in_chord else "C"
            return
        if state.awaits_length:
            most = self._num_sounds(state)
            within = state.broken is not None or (state.tuplet is not None and state.bar is not None)
            for token, length in self._lengths.items():
                if within or self._num_sounds(state, length) < most:
                    yield token
        yield from (token for token in (*self._sounds, *BAR_LINES) if token in self._costs)

    def _num_sounds(self, state: BarState, length: Fraction = Fraction(0)) -> int:
        """How few sounds an end needs, about; after one more of a length."""
        bar = state.bar
        if bar is None:
            return 0
        place = state.place + length
        fewest = _fewest_sounds(self._grammar.lengths, bar)
        target = bar
        if _has_repeat(state):
            target = state.section or bar
        elif state.pickup and place <= state.pickup:
            target = state.pickup
        if place > target:
            return fewest.get(bar - place, _MANY) + fewest.get(target, _MANY)
        return fewest.get(target - place, _MANY)


def _plain(state: BarState) -> BarState:
    """A state from which the same ways lead to an end, with nothing that these do not need."""
    changes: dict[str, Any] = {"last": None, "in_chord": min(state.in_chord, 1)}
    if not _has_repeat(state) and state.ending == NO_ENDING:
        changes |= {"section": None, "has_section": False}
    if state.bar is None:
        changes["place"] = Fraction(0)
    return dataclasses.replace(state, **changes)


def _num_pending(state: BarState) -> int:
    """What has begun and needs something more."""
    return _has_repeat(state) + (state.tuplet[1] if state.tuplet else 0)


def _has_repeat(state: BarState) -> bool:
    """Whether there is a repeat to end."""
    return state.is_open or state.ending in (IN_FIRST, AWAITS_SECOND)


@functools.lru_cache(maxsize=256)
def _fewest_sounds(lengths: tuple[Fraction, ...], bar: Fraction) -> dict[Fraction, int]:
    """How few sounds fill a part of a bar, for all parts that can be filled."""
    fewest = {Fraction(0): 0}
    reached = [Fraction(0)]
    for count in itertools.count(1):
        following = {total + length for total in reached for length in lengths if total + length <= bar} - fewest.keys()
        if not following:
            return fewest
        fewest.update(dict.fromkeys(following, count))
        reached = list(following)
    raise AssertionError("numbers do not end")

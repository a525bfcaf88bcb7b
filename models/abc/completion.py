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
_LONGEST_TUPLET = 9


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
        lengths = {token: parse_length(token) for token in costs if LENGTH.fullmatch(token)}
        self._lengths = {token: length for token, length in lengths.items() if _is_usual(length)}
        self._costs |= {token: costs[token] for token in self._lengths}
        self._most = 1 + max((costs[token] for token in self._lengths), default=0)
        self._longest_tuplet = max((len(token) for token in costs if token[0] == "("), default=0)
        self._lengths_to = functools.lru_cache(maxsize=1 << 16)(self._find_lengths_to)
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
        # Two bars, a tuplet that may begin now, and bar lines.
        return self._most * (2 * most + _LONGEST_TUPLET) + self._longest_tuplet + 8

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
                    guess = so_far + 2 * self._sounds_needed(plain) + _num_pending(plain)
                    heapq.heappush(waiting, (guess, next(number), so_far, plain, state))
        self._found[start] = None

    def _useful(self, state: BarState) -> Iterator[str]:
        """The tokens that may lead to an end soon."""
        if state.in_chord >= 0:
            yield "]" if state.in_chord else "C"
            return
        if state.awaits_length:
            if state.broken is not None or (state.tuplet is not None and state.bar is not None):
                yield from self._lengths
            elif state.bar is not None:
                yield from self._lengths_to(state.bar, state.place, _target(state))
        yield from (token for token in (*self._sounds, *BAR_LINES) if token in self._costs)

    def _find_lengths_to(self, bar: Fraction, place: Fraction, target: Fraction) -> tuple[str, ...]:
        """The lengths after which fewer sounds are needed."""
        fewest = _fewest_sounds(self._grammar.lengths, bar)
        most = _num_sounds(fewest, bar, place, target)
        return tuple(
            token for token, length in self._lengths.items() if _num_sounds(fewest, bar, place + length, target) < most
        )

    def _sounds_needed(self, state: BarState) -> int:
        """How few sounds an end needs, about."""
        if state.bar is None:
            return 0
        fewest = _fewest_sounds(self._grammar.lengths, state.bar)
        return _num_sounds(fewest, state.bar, state.place, _target(state))


def _target(state: BarState) -> Fraction:
    """The place in a bar at which a tune may end."""
    assert state.bar is not None
    if _has_repeat(state):
        return state.section or state.bar
    return state.pickup if state.pickup and state.place <= state.pickup else state.bar


def _num_sounds(fewest: Mapping[Fraction, int], bar: Fraction, place: Fraction, target: Fraction) -> int:
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


def _is_usual(length: Fraction) -> bool:
    return length.denominator == 1 or length.numerator <= 3


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

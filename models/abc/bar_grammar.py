"""Which token may come next, so that every bar can still be completed: for sampling that gives whole bars only.

A tune is read token by token (`etude.models.abc.tokens`). Played out, every bar is as long as its metre says, the first one
excepted, which may be a pickup: an incomplete bar before `:|` is completed by the pickup that it goes back to, and by the one
that follows; the last bar is whole, or completes the pickup of the tune. Beside that, a repeat repeats something, a first
ending has its second one, and tuplets and broken rhythms are whole within a bar.
"""

import dataclasses
import functools
import re
from collections.abc import Iterable
from fractions import Fraction

from etude.models.abc.canonical import UNIT
from etude.models.abc.notation.metre import is_compound, parse_metre
from etude.models.abc.notation.music import tuplet_numbers
from etude.models.abc.notation.score import Metre
from etude.models.abc.notation.tokens import parse_length
from etude.models.abc.problems import AbcError
from etude.models.abc.tokens import BAR, REPEAT_END, REPEAT_START

MAX_CHORD = 6
"""Notes in a chord; abc2midi takes no more than ten."""

_NOTE = re.compile(r"(?:\^\^?|__?|=)?[A-Ga-g][,']*")
_REST = re.compile(r"[zx]")
LENGTH = re.compile(r"\d+(?:/\d+)?|/\d+")
_LENGTH = re.compile(rf"({LENGTH.pattern})?([<>]{{0,2}})")
_TUPLET = re.compile(r"\(\d+(?::\d+){0,2}")
_ONE = Fraction(1)
_START = Fraction(0)
NO_ENDING, IN_FIRST, AWAITS_SECOND, IN_SECOND = range(4)


@dataclasses.dataclass(frozen=True)
class BarState:
    """Where a tune has got to. Lengths are in unit notes.

    Attributes:
      metre: None in free metre, where bars have any length.
      unit: the length of a note to which none is written, in whole notes.
      place: what has passed of the bar that is being filled, with what another incomplete bar had of it.
      is_first: whether this may be a pickup: nothing but `|:` has parted anything yet.
      pickup: the place in a bar where the tune begins; None until it is known.
      section: the place where the repeat begins that `:|` goes back to; None until it is known.
      is_open: whether that is a `|:`.
      has_note: whether there is any note.
      has_sound: whether there is any sound, a rest too, since the last bar line.
      has_section: whether there is any sound since the repeat, or the second ending, began.
      ending: what endings there are since then.
      first_ending: the place where the first ending begins.
      awaits_length: whether the last sound may still get its length.
      in_chord: how many notes there are in the chord that is open; -1 if none is.
      tuplet: the factor of the lengths and the number of sounds that a tuplet still takes.
      broken: the length that the second sound of a broken rhythm must have; None if none is awaited.
      last: the length of the last sound, where a broken rhythm may follow.
      is_body: whether the header is over.
      is_over: whether the last bar line was put after the last bar, so that only the end may follow.
    """

    metre: Metre | None = None
    unit: Fraction = UNIT
    place: Fraction = _START
    is_first: bool = True
    pickup: Fraction | None = None
    section: Fraction | None = None
    is_open: bool = False
    has_note: bool = False
    has_sound: bool = False
    has_section: bool = False
    ending: int = NO_ENDING
    first_ending: Fraction = _START
    awaits_length: bool = False
    in_chord: int = -1
    tuplet: tuple[Fraction, int] | None = None
    broken: Fraction | None = None
    last: Fraction | None = None
    is_body: bool = False
    is_over: bool = False

    def __hash__(self) -> int:
        """Found once: fractions take long."""
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash(tuple(getattr(self, field.name) for field in _FIELDS))

    @functools.cached_property
    def bar(self) -> Fraction | None:
        """The length of a bar; None in free metre."""
        return None if self.metre is None else Fraction(*self.metre) / self.unit


_FIELDS = dataclasses.fields(BarState)


class BarGrammar:
    """What may follow, given the lengths that can be written."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Takes the vocabulary: `lengths` are those that it can write, from the longest.

        Args:
          tokens: all that there are; what is no token of ABC never follows.
        """
        self.tokens = tuple(dict.fromkeys(tokens))
        lengths = {_ONE}
        for token in self.tokens:
            match = _LENGTH.fullmatch(token)
            if match and match[1] and not match[2]:
                lengths.add(parse_length(match[1]))
        self._can_repeat, self._has_endings = REPEAT_END in self.tokens, "|2" in self.tokens
        self.lengths = tuple(sorted(lengths, reverse=True))
        self._kinds = {token: kind(token) for token in self.tokens}
        self._after = functools.lru_cache(maxsize=1 << 17)(self._read_possible)
        self._can_fill = functools.lru_cache(maxsize=1 << 14)(self._try_to_fill)

    def allowed(self, state: BarState) -> list[bool]:
        """For every token of the vocabulary whether it may follow."""
        return [self.after(state, token) is not None for token in self.tokens]

    def after(self, state: BarState, token: str) -> BarState | None:
        """The state after one more token; None if it may not follow."""
        return self._after(state, self._kinds.get(token) or kind(token))

    def may_end(self, state: BarState) -> bool:
        """Whether the tune may end here."""
        settled = self._settled(state)
        if settled is None or not settled.has_note or _is_within(settled):
            return False
        if settled.is_open or _awaits_ending(settled):
            return False
        if settled.bar is None:
            return True
        if not settled.has_sound:
            return not settled.is_first
        return settled.place == settled.bar or (not settled.is_first and settled.place == settled.pickup)

    def _read_possible(self, state: BarState, token: str) -> BarState | None:
        try:
            following = self._read(state, token)
        except AbcError:
            return None
        return following if following is not None and self._is_possible(following) else None

    def _read(self, state: BarState, token: str) -> BarState | None:
        if token.startswith(("M:", "K:")):
            return self._field(state, token)
        if (match := _LENGTH.fullmatch(token)) and token:
            return self._length(state, match[1] or "", match[2])
        if token == "-":
            tied = self._settled(state)
            can_tie = tied is not None and (state.awaits_length or state.last is not None) and state.in_chord < 0
            return dataclasses.replace(tied, last=None) if tied is not None and can_tie else None
        if state.in_chord >= 0:
            if _NOTE.fullmatch(token) and state.in_chord < MAX_CHORD:
                return dataclasses.replace(state, in_chord=state.in_chord + 1)
            return (
                dataclasses.replace(state, in_chord=-1, awaits_length=True) if token == "]" and state.in_chord else None
            )
        settled = self._settled(state)
        if settled is None or settled.is_over or (settled.ending == AWAITS_SECOND and token != "|2"):
            return None
        settled = dataclasses.replace(settled, is_body=True)
        if _NOTE.fullmatch(token) or _REST.fullmatch(token):
            has_note = settled.has_note or not _REST.fullmatch(token)
            return dataclasses.replace(settled, awaits_length=True, has_note=has_note, last=None)
        if token == "[":
            return dataclasses.replace(settled, in_chord=0, has_note=True, last=None)
        if _is_within(settled):
            return None
        if _TUPLET.fullmatch(token):
            factor, count = tuplet_numbers(token, 3 if is_compound(settled.metre) else 2)
            return dataclasses.replace(settled, tuplet=(factor, count), last=None)
        return self._bar_line(settled, token)

    def settled(self, state: BarState) -> BarState | None:
        """The state after a space: no length follows the last sound, and no broken rhythm; None where none may stand."""
        settled = self._settled(state)
        if settled is None or settled.in_chord >= 0 or settled.ending == AWAITS_SECOND:
            return None
        return dataclasses.replace(settled, last=None)

    def _settled(self, state: BarState) -> BarState | None:
        """The state once it is certain that no length follows the last sound."""
        return self._sound(state, _ONE) if state.awaits_length else state

    def _sound(self, state: BarState, length: Fraction) -> BarState | None:
        """The state after a sound of a length that is certain; None if the bar can no longer be completed."""
        if state.broken is not None and length != state.broken:
            return None
        factor, count = state.tuplet or (_ONE, 0)
        place = state.place + length * factor
        if state.bar is not None and place > state.bar:
            return None
        after = dataclasses.replace(
            state,
            place=place,
            has_sound=True,
            has_section=True,
            awaits_length=False,
            tuplet=(factor, count - 1) if count > 1 else None,
            last=None if state.tuplet or state.broken is not None else length,
            broken=None,
        )
        return after if self._is_possible(after) else None

    def _length(self, state: BarState, length: str, broken: str) -> BarState | None:
        """A length, a sign of broken rhythm, or both in one token."""
        if length and not state.awaits_length:
            return None
        after = self._sound(state, parse_length(length)) if length else self._settled(state)
        if after is None or not broken:
            return after
        if after.last is None or len(set(broken)) > 1 or after.in_chord >= 0:
            return None
        return dataclasses.replace(after, broken=after.last, last=None)

    def _field(self, state: BarState, token: str) -> BarState | None:
        """Metre and key: before the music, or, within it, the metre at a bar line and the key between sounds."""
        settled = self._settled(state)
        # A second ending stands right after the repeat.
        if settled is None or _is_within(settled) or settled.ending == AWAITS_SECOND:
            return None
        settled = dataclasses.replace(settled, last=None)
        if token.startswith("K:"):
            return settled
        metre = parse_metre(token[2:])
        if not settled.is_body:
            return dataclasses.replace(settled, metre=metre)
        begins_bar = not settled.has_sound and not settled.place and not settled.is_first
        if not begins_bar or settled.section or settled.ending or metre is None or settled.metre is None:
            return None
        return dataclasses.replace(settled, metre=metre)

    def _bar_line(self, state: BarState, token: str) -> BarState | None:
        if (token == REPEAT_START and not self._can_repeat) or (token == "|1" and not self._has_endings):
            return None
        if token == REPEAT_START and not state.has_section and state.is_first and not state.is_open:
            return dataclasses.replace(state, is_open=True)
        if token == "|2":
            awaited = state.ending == AWAITS_SECOND
            second = dataclasses.replace(state, ending=IN_SECOND, place=state.first_ending, has_section=False)
            return second if awaited else None
        if not (state.has_sound or (token == REPEAT_START and not state.is_first)):
            return None
        is_whole = state.bar is None or state.place == state.bar
        rest = _START if is_whole else state.place
        if state.is_first:
            return self._first_bar_line(state, token, rest)
        following = dataclasses.replace(state, place=rest, has_sound=False, last=None)
        match token:
            case "|":
                is_over = not is_whole and self.may_end(state)
                return dataclasses.replace(following, is_over=is_over) if is_whole or is_over else None
            case ":|" if state.has_section and state.section == rest:
                ending = AWAITS_SECOND if state.ending == IN_FIRST else NO_ENDING
                return dataclasses.replace(following, section=rest, is_open=False, has_section=False, ending=ending)
            case "|:" if not state.is_open and not _awaits_ending(state):
                return dataclasses.replace(following, section=rest, is_open=True, has_section=False, ending=NO_ENDING)
            case "|1" if state.has_section and state.ending == NO_ENDING:
                return dataclasses.replace(following, ending=IN_FIRST, first_ending=rest)
        return None

    def _first_bar_line(self, state: BarState, token: str, rest: Fraction) -> BarState | None:
        """The bar line after the first bar, which says where in a bar the tune begins."""
        begins = _START if state.bar is None or not rest else state.bar - rest
        known = dataclasses.replace(state, is_first=False, pickup=begins, section=begins)
        if token == BAR:
            return dataclasses.replace(known, place=_START, has_sound=False, last=None)
        if token == REPEAT_START and not state.is_open:
            return dataclasses.replace(
                known, place=_START, section=_START, is_open=True, has_sound=False, has_section=False, last=None
            )
        return self._bar_line(known, token) if not rest and token in (REPEAT_END, "|1") else None

    def _is_possible(self, state: BarState) -> bool:
        """Whether what has begun can be completed."""
        if state.bar is None:
            return True
        takes = 1 if state.awaits_length or state.in_chord >= 0 or state.broken is not None else 0
        factor, count = state.tuplet or (_ONE, takes)
        return self._can_fill(state.bar - state.place, factor, count, state.broken)

    def _try_to_fill(self, rest: Fraction, factor: Fraction, count: int, length: Fraction | None) -> bool:
        """Whether so many sounds and then any others fill the rest of a bar, be it the first one.

        Args:
          rest: what is missing in the bar.
          factor: of the lengths of the next sounds.
          count: how many these are.
          length: what they must have; None for any.
        """
        if rest < 0:
            return False
        if count:
            choices = self.lengths if length is None else (length,)
            return any(self._can_fill(rest - choice * factor, factor, count - 1, None) for choice in choices)
        return rest in _sums(self.lengths, -(-rest // 1))


def kind(token: str) -> str:
    """A token for which the same holds: one note is like another."""
    if _NOTE.fullmatch(token):
        return "C"
    return "z" if _REST.fullmatch(token) else "K:none" if token.startswith("K:") else token


def _awaits_ending(state: BarState) -> bool:
    """Whether there is a first ending, but no second one with any sound."""
    return state.ending in (IN_FIRST, AWAITS_SECOND) or (state.ending == IN_SECOND and not state.has_section)


def _is_within(state: BarState) -> bool:
    """Whether a chord, a tuplet or a broken rhythm has begun."""
    return state.in_chord >= 0 or state.tuplet is not None or state.broken is not None


@functools.lru_cache(maxsize=256)
def _sums(lengths: tuple[Fraction, ...], most: int) -> frozenset[Fraction]:
    """All sums of any number of lengths up to `most`, 0 too."""
    found = {_START}
    waiting = [_START]
    while waiting:
        total = waiting.pop()
        for length in lengths:
            more = total + length
            if more <= most and more not in found:
                found.add(more)
                waiting.append(more)
    return frozenset(found)

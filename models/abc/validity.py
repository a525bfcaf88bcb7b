"""How far a text is valid ABC, rung by rung: what a sample of a model is asked."""

import dataclasses
import itertools
import re
from collections.abc import Iterable
from fractions import Fraction

from etude.models.abc.notation.key import parse_key
from etude.models.abc.notation.metre import parse_metre
from etude.models.abc.notation.score import Bar, Ending, Metre, MetreChange, PartStart, Score
from etude.models.abc.notation.text import split_lines
from etude.models.abc.performance.performance import Performance
from etude.models.abc.performance.repeats import Mark
from etude.models.abc.performance.timeline import Lengths, Timeline, lay_out
from etude.models.abc.problems import AbcError, TooLargeError
from etude.models.abc.reading import read_text

RUNGS = ("header", "parses", "clean", "bars", "repeats", "tonic")
_FIELD = re.compile(r"([A-Za-z]):(.*)")


@dataclasses.dataclass(frozen=True)
class Validity:
    """What holds of a text; None where it cannot be told.

    Attributes:
      header: there are `M:` and `K:` before the music, and they can be read.
      parses: the whole can be read, and has a note.
      clean: abc2midi, another reader, plays it without an error.
      bars: every bar is as long as its metre says; shorter ones may stand at the start and the end of the tune, of a part, of
        a repeat and of an ending. In free metre any bar will do.
      repeats: every `|:` has its `:|`, which repeats something, and a first ending its second one.
      tonic: the last note that is played is the tonic of the key that holds then.
      problem: the first thing that is wrong, in words; empty if nothing is.
    """

    header: bool
    parses: bool
    clean: bool | None = None
    bars: bool | None = None
    repeats: bool | None = None
    tonic: bool | None = None
    problem: str = ""


def validity(text: str, clean: bool | None = None) -> Validity:
    """How far a text is valid.

    Args:
      text: of one tune.
      clean: what abc2midi says, if it was asked.
    """
    problem = _header_problem(text)
    header = not problem
    try:
        tune = read_text(text)
    except AbcError as error:
        return Validity(header, False, clean, problem=problem or error.message)
    uneven = _uneven_bar(tune.score)
    unbalanced = _unbalanced_repeat(tune.score)
    tonic = ends_on_tonic(tune.performance)
    problem = problem or ("abc2midi finds errors" if clean is False else "") or uneven or unbalanced
    if not problem and tonic is False:
        problem = "the last note is not the tonic"
    return Validity(header, True, clean, not uneven, not unbalanced, tonic, problem)


def shares(found: Iterable[Validity]) -> dict[str, float]:
    """The share of texts on which each rung holds, of those where it can be told; what cannot be read holds nowhere above.

    Rungs that can be told of no text are left out.
    """
    found = list(found)
    result = {}
    for rung in RUNGS:
        values = [getattr(one, rung) if one.parses or rung in RUNGS[:3] else False for one in found]
        known = [value for value in values if value is not None]
        if known:
            result[rung] = sum(known) / len(known)
    return result


def ends_on_tonic(performance: Performance) -> bool | None:
    """Whether the last note is the tonic, in any octave; of a chord, the lowest note. None without a tonic."""
    end = max(performance.notes.ends)
    pitch = min(note.pitch for note in performance.notes if note.end == end)
    key = performance.states[-1][1].key
    if key is None or key[0].tonic is None:
        return None
    return (pitch - key[0].tonic - key[1]) % 12 == 0


def _header_problem(text: str) -> str:
    fields: dict[str, str] = {}
    for line in split_lines(text):
        if field := _FIELD.match(line):
            fields.setdefault(field[1], field[2].partition("%")[0])
        elif line.strip() and not line.startswith("%"):
            break
        if "K" in fields:
            break
    try:
        if "M" not in fields or "K" not in fields:
            return "there is no M: and K: before the music"
        parse_metre(fields["M"])
        parse_key(fields["K"])
    except AbcError as error:
        return error.message
    return ""


def _timelines(score: Score) -> list[Timeline]:
    lengths = Lengths(score)
    return [lay_out(voice, keys, lengths) for voice, keys in zip(score.voices, lengths.keys, strict=True)]


def _uneven_bar(score: Score) -> str:
    """The first bar of the wrong length, in words; empty if there is none."""
    try:
        timelines, units = _timelines(score), Lengths(score).units
    except TooLargeError as error:
        return error.message
    for timeline in timelines:
        edges = sorted({0, timeline.end, *(time for time, _ in timeline.marks)})
        borders = {0, timeline.end, *(time for time, mark in timeline.marks if _is_border(mark))}
        for number, (start, end) in enumerate(itertools.pairwise(edges), start=1):
            metre = _metre(timeline, start)
            length = Fraction(end - start, units)
            bar = None if metre is None else Fraction(*metre)
            if bar is None or length == bar or (length < bar and {start, end} & borders):
                continue
            return f"bar {number} lasts {length} of a whole note instead of {bar}"
    return ""


def _is_border(mark: Bar | Ending | PartStart) -> bool:
    return not isinstance(mark, Bar) or bool(mark.ends or mark.starts or mark.double)


def _metre(timeline: Timeline, time: int) -> Metre | None:
    metres = [change.metre for start, change in timeline.changes if start <= time and isinstance(change, MetreChange)]
    return metres[-1] if metres else None


def _unbalanced_repeat(score: Score) -> str:
    """The first repeat that is not balanced, in words; empty if all are."""
    return next(filter(None, (_unbalanced(timeline.marks) for timeline in _timelines(score))), "")


def _unbalanced(marks: list[Mark]) -> str:
    is_open = False
    start = 0
    endings: set[int] = set()
    for time, mark in marks:
        if isinstance(mark, Ending):
            if not mark.passes or 1 in mark.passes:
                if endings == {1}:
                    return "a first ending has no second one"
                endings = set(mark.passes)
            elif min(mark.passes) - 1 not in endings:
                return f"ending {min(mark.passes)} follows no ending {min(mark.passes) - 1}"
            endings.update(mark.passes)
        elif isinstance(mark, Bar):
            if mark.ends:
                if time == start:
                    return "a repeat has nothing to repeat"
                is_open, start = False, time
            if mark.starts:
                if is_open:
                    return "a repeat starts within another"
                is_open, start = True, time
    if is_open:
        return "a repeat has no end"
    return "a first ending has no second one" if endings == {1} else ""

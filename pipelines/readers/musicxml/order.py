"""The order in which the measures of a score are played: repeats, endings, da capo, dal segno, coda and fine."""

import dataclasses
from collections.abc import Sequence

MAX_PLAYED = 50_000
"""Measures."""
MAX_STEPS = 10 * MAX_PLAYED
"""Measures that are played or passed over."""


@dataclasses.dataclass
class Signs:
    """The signs of one measure that say where to go on.

    Attributes:
      starts_repeat: whether a repeat starts before it.
      times: how often the repeated part is played that ends after it; 0 if none does.
      endings: the passes that it is played in; empty for all.
      starts_ending: whether an ending starts with it.
      segno: whether a dal segno goes on here.
      coda: whether a "to coda" goes on here.
      to_coda: whether it is left after it for the coda, once the piece is played again.
      fine: whether the piece ends after it, once it is played again.
      da_capo: whether the piece is played again from its start after it.
      dal_segno: whether it is played again from the segno.
    """

    starts_repeat: bool = False
    times: int = 0
    endings: frozenset[int] = frozenset()
    starts_ending: bool = False
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    fine: bool = False
    da_capo: bool = False
    dal_segno: bool = False


class EndlessError(ValueError):
    """Repeats that no one could play."""


def playing_order(measures: Sequence[Signs]) -> list[int]:
    """The numbers of the measures in the order in which they are played.

    Args:
      measures: the signs of each measure.

    Returns:
      Numbers from 0. After da capo or dal segno, repeats are not played and the last ending is.

    Raises:
      EndlessError: if there are more than `MAX_PLAYED`, or `MAX_STEPS` with those of other endings between them.
    """
    last_endings = _last_endings(measures)
    segno, coda = _find(measures, "segno"), _find(measures, "coda")
    order: list[int] = []
    index = start = 0
    turn = 1
    again = False
    was_jump = False
    num_steps = 0
    while index < len(measures):
        measure = measures[index]
        num_steps += 1
        if num_steps > MAX_STEPS:
            raise EndlessError(f"more than {MAX_STEPS:,} measures in repeats, played or passed over")
        # What follows the last ending is no part of the repeat.
        is_after_endings = index > 0 and bool(measures[index - 1].endings) and not measure.endings
        if not was_jump and (measure.starts_repeat or is_after_endings):
            start, turn = index, 1
        was_jump = False
        if measure.endings and (last_endings[index] if again else turn) not in measure.endings:
            index += 1
            continue
        order.append(index)
        if len(order) > MAX_PLAYED:
            raise EndlessError(f"more than {MAX_PLAYED:,} measures, once its repeats are played")
        if measure.times and not again:
            if turn < max(measure.times, last_endings[index]):
                turn += 1
                index, was_jump = start, True
                continue
            start, turn = index + 1, 1
        if again and measure.fine:
            break
        if again and measure.to_coda and coda is not None:
            index = coda
            continue
        if not again and (measure.da_capo or measure.dal_segno):
            again = True
            index = (segno or 0) if measure.dal_segno else 0
            continue
        index += 1
    return order


def _last_endings(measures: Sequence[Signs]) -> list[int]:
    """For every measure with endings, the highest number among those that stand beside each other; 0 for others."""
    last = [0] * len(measures)
    start = highest = 0
    for index, measure in enumerate(measures):
        if not measure.endings or (measure.starts_ending and min(measure.endings) == 1):
            last[start:index] = [highest] * (index - start)
            start, highest = index, 0
        if measure.endings:
            highest = max(highest, *measure.endings)
        else:
            start = index + 1
    last[start:] = [highest] * (len(measures) - start)
    return last


def _find(measures: Sequence[Signs], name: str) -> int | None:
    return next((index for index, measure in enumerate(measures) if getattr(measure, name)), None)

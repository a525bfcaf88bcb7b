"""Melodies typed as lists of events, or as names of notes."""

import re

from etude.models.errors import UsageError
from etude.models.melodies.melody import NO_EVENT, Events, as_events
from etude.models.melodies.pitches import parse_pitch


def parse_events(text: str, option: str, steps_per_quarter: int) -> Events:
    """Reads "[60, -2, 62]", or "C4 D4 E4", in which every note lasts a quarter.

    Args:
      text: the list; commas or spaces separate the events, and the brackets may be missing.
      option: where it comes from, for the message.
      steps_per_quarter: steps of a note that is given by its name.

    Raises:
      UsageError: if it is no list of events, or empty.
    """
    words = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    try:
        if any(re.match("[A-Ga-g]", word) for word in words):
            hold = [NO_EVENT] * (steps_per_quarter - 1)
            return as_events([event for word in words for event in (parse_pitch(word), *hold)])
        events = as_events([_event(word) for word in words])
    except (UsageError, ValueError) as error:
        raise UsageError(
            f"{option} takes events such as '[60, -2, 62, -1]' (-2 no event, -1 note-off, 0 to 127 note-on), or quarter "
            f"notes such as 'C4 D4 E4' (C4 is middle C), not {text!r}: {error}"
        ) from error
    if not len(events):
        raise UsageError(f"{option} holds no event")
    return events


def _event(word: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", word):
        raise ValueError(f"{word!r} is neither an event nor a note")
    return int(word)

"""Melodies typed as lists of events."""

from etude.models.errors import UsageError
from etude.models.melodies.melody import Events, as_events


def parse_events(text: str, option: str) -> Events:
    """Reads "[60, -2, 62]".

    Args:
      text: the list; commas or spaces separate the events, and the brackets may be missing.
      option: where it comes from, for the message.

    Raises:
      UsageError: if it is no list of events, or empty.
    """
    bare = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    try:
        events = as_events([int(word) for word in bare])
    except ValueError as error:
        raise UsageError(
            f"{option} takes events such as '[60, -2, 62, -1]' (-2 no event, -1 note-off, 0 to 127 note-on), "
            f"not {text!r}: {error}"
        ) from error
    if not len(events):
        raise UsageError(f"{option} holds no event")
    return events

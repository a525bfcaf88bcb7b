"""Events of polyphony: a note that begins, a note that goes on, the end of a step; and the notes that they stand for.

Within a step the notes come from the highest to the lowest; one that does not go on has ended. Source: Magenta's
`PolyphonicSequence` and `PolyphonyOneHotEncoding`.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from etude.models.melodies.melody import MAX_PITCH
from etude.models.sequences.batch import Tokens
from etude.models.sequences.notes import Notes

NUM_PITCHES = MAX_PITCH + 1
START, END, STEP_END, NEW = range(4)
"""The first tokens; a new note of pitch p is NEW + p, one that goes on CONTINUED + p."""

CONTINUED = NEW + NUM_PITCHES
NUM_TOKENS = CONTINUED + NUM_PITCHES

NEW_NOTE, CONTINUED_NOTE = 3, 4
"""The types of events with a pitch, as Magenta numbers them; the types of the others are their tokens."""

SYMBOLS = (
    "start", "end", "|", *map(str, range(NUM_PITCHES)), *(f"({pitch})" for pitch in range(NUM_PITCHES)),
)  # fmt: skip
"""What each token is written as: the pitch of a new note, that of one that goes on in brackets."""


def token_of(event_type: int, pitch: int | None) -> int:
    """The token of one of Magenta's events.

    Raises:
      ValueError: if there is no such type, or it has a pitch where it should have none, or none or one outside 0 to 127.
    """
    if event_type in (NEW_NOTE, CONTINUED_NOTE):
        if pitch is None or not 0 <= pitch <= MAX_PITCH:
            raise ValueError(f"an event of type {event_type} has a pitch from 0 to {MAX_PITCH}, not {pitch}")
        return int(pitch) + (NEW if event_type == NEW_NOTE else CONTINUED)
    if event_type not in (START, END, STEP_END):
        raise ValueError(f"events have a type from 0 to {CONTINUED_NOTE}, not {event_type!r}")
    return int(event_type)


def event_of(token: int) -> tuple[int, int | None]:
    """Magenta's event of a token: its type and its pitch."""
    if token < NEW:
        return token, None
    return (NEW_NOTE, token - NEW) if token < CONTINUED else (CONTINUED_NOTE, token - CONTINUED)


def pitches_of(tokens: Tokens) -> Tokens:
    """The pitch of each token, -1 where it has none."""
    return np.where(tokens < NEW, -1, (tokens - NEW) % NUM_PITCHES)


def is_note(tokens: Tokens) -> npt.NDArray[np.bool_]:
    """Where a note begins."""
    return (tokens >= NEW) & (tokens < CONTINUED)


def transposed(tokens: Tokens, semitones: int) -> Tokens | None:
    """The tokens in another key, or None if a note leaves the pitches 0 to 127."""
    pitches = pitches_of(tokens)
    moved = pitches[pitches >= 0] + semitones
    if ((moved < 0) | (moved > MAX_PITCH)).any():
        return None
    return np.where(pitches >= 0, tokens + semitones, tokens)


def notes_of(tokens: Tokens) -> Notes:
    """The notes, in the order in which they end.

    What cannot be is passed over, as in Magenta: a start or an end in the middle, and a note that goes on but does not
    sound. Of several notes of one pitch the first ends first. A note that still sounds at the end stops there.
    """
    sounding: list[tuple[int, int]] = []
    ending: list[int] = []
    found: list[tuple[int, int, int]] = []
    step = 0
    for token in tokens.tolist():
        if token >= CONTINUED:
            if token - CONTINUED in ending:
                ending.remove(token - CONTINUED)
        elif token >= NEW:
            sounding.append((token - NEW, step))
        elif token == STEP_END:
            sounding = _end(sounding, ending, step, found)
            step += 1
            ending = [pitch for pitch, _ in sounding]
    # The rest: what did not go on ended with the last whole step, the other with what stands after it.
    last = num_steps(tokens)
    sounding = _end(sounding, ending, step, found)
    found += [(onset, pitch, last - onset) for pitch, onset in sounding]
    onsets, pitches, durations = np.array(found, np.int64).reshape(-1, 3).T
    return Notes(onsets, pitches, durations)


def _end(
    sounding: list[tuple[int, int]], ending: list[int], step: int, found: list[tuple[int, int, int]]
) -> list[tuple[int, int]]:
    """Adds the notes that end at a step to `found`; those that go on."""
    kept = []
    for pitch, onset in sounding:
        if pitch in ending:
            ending.remove(pitch)
            found.append((onset, pitch, step - onset))
        else:
            kept.append((pitch, onset))
    return kept


def num_steps(tokens: Tokens) -> int:
    """The steps of a sequence; one that is begun and not ended counts."""
    ends = np.flatnonzero(tokens == STEP_END)
    after = tokens[ends[-1] + 1 :] if len(ends) else tokens
    return len(ends) + bool((after >= NEW).any())


def continued_form(tokens: Tokens) -> Tokens:
    """A sequence as it can be gone on from: with its start, without its end, its last step whole."""
    kept = tokens[: len(tokens) - int(np.argmin(np.append(tokens[::-1] == END, False)))]
    before = [] if len(kept) and kept[0] == START else [START]
    after = [STEP_END] if len(kept) and kept[-1] not in (START, STEP_END) else []
    return np.concatenate([np.array(before, np.int64), kept, np.array(after, np.int64)])


def steps_of(tokens: Tokens) -> list[list[int]]:
    """The tokens of the notes of each whole step."""
    ends = np.flatnonzero(tokens == STEP_END)
    return [part[part >= NEW].tolist() for part in np.split(tokens, ends + 1)[: len(ends)]]


def tokens_of(events: Iterable[tuple[int, int | None]]) -> Tokens:
    """The tokens of Magenta's events."""
    return np.array([token_of(event_type, pitch) for event_type, pitch in events], np.int64)

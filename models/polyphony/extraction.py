"""Polyphony out of a piece, exactly as Magenta extracts it: all its notes as one sequence.

Magenta's rules are in `magenta.models.polyphony_rnn.polyphony_lib`; drums, which it takes for notes, are left out here.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from etude.models.melodies.extraction import Rejection
from etude.models.melodies.quantisation import QuantisedPart
from etude.models.polyphony.events import CONTINUED, END, NEW, NUM_TOKENS, START, STEP_END
from etude.models.sequences.batch import Tokens
from etude.models.sequences.notes import Notes

DISCARD, CUT = LONG = ("discard", "cut")

MAX_TOKENS = 1 << 22
"""Of a sequence: hours of a dense score, or a few seconds of thousands of notes at one time."""


@dataclasses.dataclass(frozen=True)
class PolyphonyOptions:
    """What makes a sequence. The defaults are Magenta's.

    Attributes:
      min_steps: shorter parts are rejected.
      max_steps: the longest; 0 for any length.
      long: what happens to longer parts: "discard" rejects them (Magenta's), "cut" takes their first steps.
    """

    min_steps: int = 80
    max_steps: int = 512
    long: str = DISCARD


class Polyphony(NamedTuple):
    """The sequence of a part.

    Attributes:
      tokens: of `etude.models.polyphony.events`; without an end where the part goes on.
      num_steps: its whole length.
      is_cut: whether the part goes on.
    """

    tokens: Tokens
    num_steps: int
    is_cut: bool


def extract_polyphony(
    part: QuantisedPart, options: PolyphonyOptions, part_index: int = 0, start_step: int = 0
) -> Polyphony | Rejection | None:
    """The sequence of a quantised part; what was wrong if there is none, None if it has no notes.

    Args:
      part: the part; what tells its notes apart, `instrument`, is their program.
      options: what makes a sequence.
      part_index: the part's number, for the rejection.
      start_step: notes that start before it are left out.
    """
    chosen = ~part.is_drum & (part.start_step >= start_step)
    if not (~part.is_drum).any():
        return None
    programs = np.unique(part.instrument[~part.is_drum])
    if len(programs) > 1:
        return Rejection("several-programs", " ".join(map(str, programs.tolist())), part_index)
    start, end, pitch = part.start_step[chosen] - start_step, part.end_step[chosen] - start_step, part.pitch[chosen]
    if (end <= start).any():
        return Rejection("bad-note", f"at step {int(start[end <= start][0])}", part_index)
    length = int(part.end_step[~part.is_drum].max()) - start_step
    if length < options.min_steps:
        return Rejection("too-few-steps", f"{length} steps of {options.min_steps}", part_index)
    num_steps = min(length, options.max_steps or length)
    if num_steps < length and options.long == DISCARD:
        return Rejection("too-many-steps", f"{length} steps, at most {options.max_steps}", part_index)
    end = np.minimum(end, num_steps)
    num_tokens = int(np.maximum(end - start, 0).sum()) + num_steps
    if num_tokens > MAX_TOKENS:
        return Rejection("too-many-tokens", f"{num_tokens:,} tokens in {num_steps} steps", part_index)
    return Polyphony(_tokens(start, end, pitch, num_steps, num_steps < length), num_steps, num_steps < length)


def tokens_of_notes(notes: Notes, num_steps: int) -> Tokens:
    """The tokens of notes in so many steps, with start and end."""
    return _tokens(notes.onsets, np.minimum(notes.onsets + notes.durations, num_steps), notes.pitches, num_steps, False)


def _tokens(start: Tokens, end: Tokens, pitch: Tokens, num_steps: int, is_cut: bool) -> Tokens:
    """The tokens of notes that start and end at steps."""
    lengths = np.maximum(end - start, 0)
    note = np.repeat(np.arange(len(start)), lengths)
    age = np.arange(len(note)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    tokens = np.concatenate([pitch[note] + np.where(age == 0, NEW, CONTINUED), np.full(num_steps, STEP_END, np.int64)])
    steps = np.concatenate([start[note] + age, np.arange(num_steps)])
    # From the highest note to the lowest, of one pitch those first that go on; the end of the step last.
    rank = np.concatenate([-2 * pitch[note] - (age > 0), np.full(num_steps, NUM_TOKENS)])
    ordered = tokens[np.lexsort((rank, steps))]
    return np.concatenate([[START], ordered, np.array([] if is_cut else [END], np.int64)])

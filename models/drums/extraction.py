"""Drum tracks out of a piece, exactly as Magenta extracts them.

Magenta's rules are in `magenta.pipelines.drum_pipelines.extract_drum_tracks` and
`note_seq.DrumTrack.from_quantized_sequence`. All drums of a piece are one track, whatever instruments play them.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.drums.kit import NUM_PITCHES, Kit
from etude.models.melodies.extraction import Rejection
from etude.models.melodies.quantisation import QuantisedPart

MAX_STEPS = 1_000_000
"""Tracks that are kept whole may not be longer: about 35 hours at the usual tempo."""


@dataclasses.dataclass(frozen=True)
class DrumOptions:
    """What makes a drum track. The defaults are Magenta's.

    Attributes:
      min_bars: shorter tracks are rejected.
      max_steps: longer tracks are cut to this many steps; 0 keeps them whole.
      gap_bars: a track ends where at least this many bars of silence follow a drum.
      discard_steps: longer tracks are rejected instead; 0 for none.
      whole_bars: whether tracks are filled up with silence to a whole number of bars, and cut to one.
    """

    min_bars: float = 7
    max_steps: int = 512
    gap_bars: float = 1.0
    discard_steps: int = 0
    whole_bars: bool = False


class DrumTrack(NamedTuple):
    """A drum track and its place in the part.

    Attributes:
      tokens: what is struck at each step, [num_steps].
      start_step: the step of the part that the first token stands for, always the first of a bar.
      full_length: its steps before it was cut.
    """

    tokens: npt.NDArray[np.int64]
    start_step: int
    full_length: int


class DrumTracks(NamedTuple):
    """The drum tracks of a part, in order, and whatever was rejected or is unknown."""

    tracks: list[DrumTrack]
    rejections: list[Rejection]


def extract_drum_tracks(
    part: QuantisedPart, kit: Kit, options: DrumOptions, part_index: int = 0, take_all: bool = False
) -> DrumTracks:
    """Extracts the drum tracks of a quantised part.

    Args:
      part: the part, without notes of velocity 0.
      kit: the kinds of drums.
      options: what makes a track.
      part_index: the part's number, for the results.
      take_all: whether all notes are taken for drums.
    """
    result = DrumTracks([], [])
    chosen = part.is_drum | take_all
    if not chosen.any():
        return result
    pitches = part.pitch[chosen]
    known = np.append(kit.bits, 0)[np.where((pitches >= 0) & (pitches < NUM_PITCHES), pitches, NUM_PITCHES)]
    if not known.all():
        others, counts = np.unique(pitches[known == 0], return_counts=True)
        detail = f"{counts.sum()} notes of {len(others)} unknown drums: {' '.join(map(str, others[:8]))}"
        result.rejections.append(Rejection("unknown-drums", detail, part_index))
    starts, places = np.unique(part.start_step[chosen], return_inverse=True)
    struck = np.zeros(len(starts), np.int64)
    np.bitwise_or.at(struck, places, known)
    _cut_at_gaps(starts, struck, part.steps_per_bar, options, part_index, result)
    return result


def _cut_at_gaps(
    starts: npt.NDArray[np.int64],
    struck: npt.NDArray[np.int64],
    steps_per_bar: int,
    options: DrumOptions,
    part_index: int,
    result: DrumTracks,
) -> None:
    """Adds the tracks between gaps to `result`."""
    ends: npt.NDArray[np.int64] = np.append(
        np.flatnonzero(starts[1:] - starts[:-1] - 1 >= options.gap_bars * steps_per_bar) + 1, len(starts)
    )
    search_start = 0
    while (first := int(np.searchsorted(starts, search_start))) < len(starts):
        end = int(ends[np.searchsorted(ends, first, side="right")])
        start_step = int(starts[first]) - (int(starts[first]) - search_start) % steps_per_bar
        length = int(starts[end - 1]) + 1 - start_step
        if options.whole_bars:
            length += -length % steps_per_bar
        search_start = start_step + length + -(start_step + length - search_start) % steps_per_bar
        rejected = _too_short_or_long(length, steps_per_bar, options)
        if rejected is not None:
            result.rejections.append(Rejection(*rejected, part=part_index, start_step=start_step))
            continue
        kept = length
        if 0 < options.max_steps < length:
            kept = options.max_steps - (options.max_steps % steps_per_bar if options.whole_bars else 0)
        tokens = np.zeros(kept, np.int64)
        inside = slice(first, int(np.searchsorted(starts, start_step + kept)) if kept < length else end)
        tokens[starts[inside] - start_step] = struck[inside]
        result.tracks.append(DrumTrack(tokens, start_step, length))


def _too_short_or_long(length: int, steps_per_bar: int, options: DrumOptions) -> tuple[str, str] | None:
    """Reason and detail of what is rejected for its length."""
    if length < steps_per_bar * options.min_bars:
        return "drums-too-short", f"{length / steps_per_bar:.4g} bars of {options.min_bars:g}"
    longest = options.discard_steps or (MAX_STEPS if not options.max_steps else 0)
    if longest and length > longest:
        return "too-many-steps", f"{length} steps, at most {longest}"
    return None

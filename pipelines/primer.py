"""What a generated melody starts with."""

import dataclasses

import numpy as np

from models.errors import EtudeError
from models.melody import DEFAULT_STEPS_PER_BAR, Events
from models.midi import DEFAULT_QPM
from pipelines.event_lists import parse_events
from pipelines.extraction import ExtractionOptions, extract
from pipelines.pieces import read_pieces


@dataclasses.dataclass(frozen=True)
class Primer:
    """A primer and the tempo and metre that go with it.

    Attributes:
      events: at least one.
      qpm: quarter notes a minute.
      steps_per_bar: of its metre.
    """

    events: Events
    qpm: float = DEFAULT_QPM
    steps_per_bar: int = DEFAULT_STEPS_PER_BAR


def default_primer() -> Primer:
    """A single middle C, Magenta's default."""
    return Primer(np.array([60]))


def parse_primer(text: str) -> Primer:
    """A primer typed as a list of events; see `parse_events`."""
    return Primer(parse_events(text, "--primer-melody"))


def read_primer(path: str, steps_per_quarter: int) -> Primer:
    """The first melody of a music file: the whole track, silences included, with the highest note of every chord.

    Source: Magenta's generator extracts its primer with the same settings.

    Args:
      path: a MIDI, ABC or MusicXML file.
      steps_per_quarter: the model's.

    Raises:
      EtudeError: if the file is missing, cannot be read, or holds no melody.
    """
    options = whole_track_options(steps_per_quarter, gap_bars=float("inf"))
    reasons = []
    for piece in read_pieces([path]):
        if piece.sequence is None:
            reasons.append(f"{piece.rejected.reason} {piece.rejected.detail}" if piece.rejected else "")
            continue
        extraction = extract(piece.sequence, options)
        if extraction.melodies:
            melody = extraction.melodies[0]
            qpm = piece.sequence.tempos[0].qpm if piece.sequence.tempos else DEFAULT_QPM
            return Primer(melody.events, qpm, melody.steps_per_bar)
        reasons += [rejection.reason for rejection in extraction.rejections]
    raise EtudeError(f"the primer {path} holds no melody: {'; '.join(reasons) or 'it has no notes'}")


def whole_track_options(steps_per_quarter: int, gap_bars: float = 1.0) -> ExtractionOptions:
    """Extraction that takes every track as it is: the highest note of a chord, any length, any number of pitches."""
    return ExtractionOptions(
        steps_per_quarter=steps_per_quarter,
        min_bars=0,
        max_steps=0,
        min_unique_pitches=0,
        gap_bars=gap_bars,
        polyphony="highest",
    )

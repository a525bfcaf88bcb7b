"""What a generated melody starts with."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.extraction import MOST_BARS, explain, extract, whole_track_options
from etude.models.melodies.melody import Events
from etude.models.melodies.scales import Key
from etude.models.sequences.domain import Domain
from etude.pipelines.readers.note_sequences import NoteSequence, piece_name, read_note_sequences
from etude.pipelines.readers.pieces import Piece, read_pieces
from etude.pipelines.rendering.music import DEFAULT_QPM
from etude.pipelines.sequences.event_lists import parse_events


@dataclasses.dataclass(frozen=True)
class Primer:
    """A primer and the tempo, metre and key that go with it.

    Attributes:
      events: at least one; of others than melodies, tokens.
      steps_per_bar: of its metre; of 4/4 if that is unknown.
      qpm: quarter notes a minute.
      metre: numerator and denominator; None if unknown.
      key: as written; None if unknown.
      source: the file and tune that it is from; empty where it was typed.
    """

    events: Events
    steps_per_bar: int
    qpm: float = DEFAULT_QPM
    metre: tuple[int, int] | None = None
    key: Key | None = None
    source: str = ""

    def first_bars(self, number: float, domain: Domain | None = None) -> "Primer":
        """The primer cut to its first bars.

        Raises:
          UsageError: if nothing would be left.
        """
        steps = round(number * self.steps_per_bar) if np.isfinite(number) else 0
        if steps < 1:
            raise UsageError(f"--primer-bars must leave at least one step, not {number} bars")
        events = self.events[:steps] if domain is None else domain.first_steps(self.events, steps)
        return dataclasses.replace(self, events=events)

    def in_metre(self, metre: tuple[int, int], steps_per_quarter: int) -> "Primer":
        """The primer in another metre.

        Raises:
          UsageError: if a bar of it is no whole number of steps.
        """
        steps, rest = divmod(4 * steps_per_quarter * metre[0], metre[1])
        if rest or not steps:
            raise UsageError(f"a bar of {metre[0]}/{metre[1]} is no whole number of the model's steps")
        return dataclasses.replace(self, metre=metre, steps_per_bar=steps)


def default_primer(steps_per_quarter: int) -> Primer:
    """A single middle C, Magenta's default."""
    return Primer(np.array([60]), 4 * steps_per_quarter)


def parse_primer(text: str, steps_per_quarter: int) -> Primer:
    """A primer typed as a list of events or notes (see `parse_events`), in the steps of the model that is to continue it."""
    return Primer(parse_events(text, "--primer-melody", steps_per_quarter), 4 * steps_per_quarter)


def parse_metre(text: str) -> tuple[int, int]:
    """Reads "3/4".

    Raises:
      UsageError: if it is no time signature.
    """
    parts = text.split("/")
    if len(parts) == 2 and all(re.fullmatch(r"\s*[0-9]{1,3}\s*", part) for part in parts):
        numerator, denominator = map(int, parts)
        if 1 <= numerator <= 255 and denominator in (1, 2, 4, 8, 16, 32):
            return numerator, denominator
    raise UsageError(f"--metre takes a time signature such as 3/4 or 6/8, not {text!r}")


def read_primer(path: str, steps_per_quarter: int) -> Primer:
    """The first melody of a piece: the whole track, silences included, with the highest note of every chord.

    Source: Magenta's generator extracts its primer with the same settings.

    Args:
      path: a MIDI, ABC or MusicXML file, or a record file of NoteSequences. "#N" behind it chooses a tune: the one with
        the number N (`X:`) of an ABC file, otherwise the N-th.
      steps_per_quarter: the model's.

    Raises:
      EtudeError: if the file is missing, cannot be read, has no such tune, or holds no melody.
    """
    file, number = split_name(path)
    options = whole_track_options(steps_per_quarter, gap_bars=MOST_BARS)
    reasons = []
    for sequence, reason in pieces_of(file, number):
        if sequence is None:
            reasons.append(reason)
            continue
        extraction = extract(sequence, options)
        if extraction.melodies:
            melody = extraction.melodies[0]
            qpm = sequence.tempos[0].qpm if sequence.tempos else DEFAULT_QPM
            metre = metre_of(sequence, melody.steps_per_bar, steps_per_quarter)
            return Primer(melody.events, melody.steps_per_bar, qpm, metre, key_of(sequence), path)
        reasons += map(explain, extraction.rejections)
    what = f"it has no tune {number}" if number and not reasons else "; ".join(reasons) or "it has no notes"
    raise EtudeError(f"the primer {path} holds no melody: {what}")


def split_name(path: str) -> tuple[str, int]:
    """File and number of the tune, 0 for the first."""
    file, mark, number = path.rpartition("#")
    if mark and re.fullmatch("[0-9]{1,18}", number) and not pathlib.Path(path).exists():
        return file, int(number)
    return path, 0


def pieces_of(file: str, number: int) -> Iterator[tuple[NoteSequence | None, str]]:
    """The notes of the pieces of a file that a number chooses (0: all of them), or why there are none."""
    for piece in chosen_pieces(file, number):
        yield piece.sequence, explain(piece.rejected) if piece.rejected else ""


def chosen_pieces(file: str, number: int) -> Iterator[Piece]:
    """The pieces of a file that a number chooses (0: all of them)."""
    if ".tfrecord" in pathlib.Path(file).name:
        if not pathlib.Path(file).is_file():
            raise EtudeError(f"there is no file {file}")
        found = read_note_sequences(file)
        pieces: Iterator[Piece] = (Piece(piece_name(sequence), sequence, None) for sequence in found)
    else:
        pieces = read_pieces([file])
    for position, piece in enumerate(pieces, start=1):
        known_as = piece.sequence.reference_number if piece.sequence is not None and "tfrecord" not in file else 0
        if number in (0, known_as or position):
            yield piece


def metre_of(sequence: NoteSequence, steps_per_bar: int, steps_per_quarter: int) -> tuple[int, int] | None:
    """The first time signature with bars of that many steps."""
    for signature in sequence.time_signatures:
        if 4 * steps_per_quarter * signature.numerator == steps_per_bar * signature.denominator:
            return signature.numerator, signature.denominator
    return None


def key_of(sequence: NoteSequence) -> Key | None:
    """The first key signature."""
    for signature in sequence.key_signatures:
        mode = type(signature).Mode.Name(signature.mode).lower()
        return Key(signature.key, "major" if mode == "not_specified" else mode)
    return None

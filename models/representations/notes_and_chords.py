"""Notes and chords of a keyboard: a whole piece as one sequence of words."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.errors import UsageError
from etude.models.melodies.extraction import Rejection
from etude.models.melodies.melody import MAX_PITCH, MAX_STEPS_PER_QUARTER, MIN_PITCH, major_key
from etude.models.melodies.note_columns import NoteColumns
from etude.models.melodies.quantisation import MAX_STEP, UnusableError
from etude.models.melodies.tempo_map import steps_by_tempos
from etude.models.notes_and_chords import musical, published
from etude.models.notes_and_chords.forms import (
    DESCRIBED,
    MUSICAL,
    PUBLISHED,
    Described,
    Form,
    Musical,
    Published,
)
from etude.models.notes_and_chords.keyboard import MAX_VELOCITY, keyboard_notes
from etude.models.notes_and_chords.pedal import with_pedal
from etude.models.representations.notes_of_piece import columns_of
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted, Representation
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary
from etude.models.sequences.domain import END, START
from etude.models.sequences.notes import Notes

OWN_KEY, INTO_C = KEYS = ("own", "C")
FIRST_PART, ALL_PARTS = PARTS = ("first", "all")

MOST_NOTES_AT_ONCE = 1000
"""More do not begin within a quarter note, unless a file is damaged."""

MOST_TOKENS = 1 << 20

_DEFAULT_TICKS_PER_QUARTER = 480
_A_MINOR = 9


@dataclasses.dataclass(frozen=True)
class KeyboardPieces(Representation):
    """What the representations of notes and chords have in common: all notes of a piece, through changes of tempo and metre.

    Drums are left out, and notes of velocity 0. Notes of one key that begin together are one.

    Attributes:
      steps_per_quarter: steps in a quarter note.
      parts: "all" instruments of a piece, or the "first" alone: its first track with notes, and those of the same program.
      pedal: whether notes sound on while the sustain pedal is down.
      key: "own", or "C" to move every piece into C major or A minor, by its key signature, or where it has none into the
        major key that fits most of its notes.
      max_notes: longer pieces are cut; 0 keeps them whole.
      min_count: words that are rarer in the train split become the unknown.
    """

    steps_per_quarter: int = 4
    parts: str = ALL_PARTS
    pedal: bool = False
    key: str = OWN_KEY
    max_notes: int = 50_000
    min_count: int = 1

    unit: ClassVar[str] = "token"

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is out of range, or none of its choices.
        """
        ranges = {
            "steps_per_quarter": (1, MAX_STEPS_PER_QUARTER),
            "max_notes": (0, 1_000_000),
            "min_count": (1, 1_000_000),
        }
        for name, (lowest, highest) in ranges.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
                raise UsageError(f"--option {name} must be a whole number from {lowest} to {highest}, not {value!r}")
        for name, choices in {"parts": PARTS, "key": KEYS}.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"--option {name} must be {' or '.join(choices)}, not {getattr(self, name)!r}")
        if not isinstance(self.pedal, bool):
            raise UsageError(f"--option pedal must be true or false, not {self.pedal!r}")

    @property
    @abc.abstractmethod
    def form(self) -> Form:
        """How notes are written."""

    def whole(self) -> "KeyboardPieces":
        """See base class."""
        return dataclasses.replace(self, max_notes=0)

    def words(self, piece: Piece, chosen: NoteColumns, notes: Notes) -> tuple[str, ...]:
        """The words of a piece.

        Args:
          piece: the piece.
          chosen: those of its notes that are taken.
          notes: the same on the grid, as a keyboard plays them.
        """
        return self.form.words_of(notes)

    def extract(self, piece: Piece) -> Extracted:
        """One sequence. Attributes: the grid, `num_notes` of the keyboard, and `transposition` in semitones."""
        try:
            chosen, num_left_out = self._chosen(piece)
            notes = self._on_grid(piece, chosen)
            words = self.words(piece, chosen, notes)
        except UnusableError as error:
            return Extracted([], [Rejection(error.reason, error.detail)])
        moved = 0
        if self.key == INTO_C:
            moved = _way_to_c(piece, notes)
            words = self.form.transposed(words, moved) or words
        attributes = {
            "steps_per_quarter": self.steps_per_quarter,
            "steps_per_bar": _steps_per_bar(piece, self.steps_per_quarter),
            "num_notes": len(notes.onsets),
            "transposition": moved,
        }
        # What was cut has no end.
        symbols = (START, *words, *(() if num_left_out else (END,)))
        return Extracted([Sequence(symbols, "0", attributes=attributes)], [], int(num_left_out > 0))

    def fit(self, counts: Mapping[str, int]) -> Vocabulary:
        """The words of the train split, after the unknown and the marks."""
        return Vocabulary.fitted(counts, (START, END), self.min_count)

    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> str:
        """The words, without the marks."""
        assert vocabulary is not None
        return " ".join(word for word in vocabulary.decode(tokens.tolist()) if word not in (START, END))

    def transposed(self, sequence: Sequence, semitones: int) -> Sequence | None:
        """See base class."""
        assert isinstance(sequence.tokens, tuple)
        moved = self.form.transposed(sequence.tokens, semitones)
        if moved is None:
            return None
        attributes = {**sequence.attributes, "transposition": sequence.attributes["transposition"] + semitones}
        return dataclasses.replace(sequence, tokens=moved, id=f"{sequence.id}:{semitones:+d}", attributes=attributes)

    def content(self, sequence: Sequence) -> bytes:
        """What a copy in another key shares: the sequence with its first note as middle C."""
        assert isinstance(sequence.tokens, tuple)
        first = next((pitch for pitch in map(self.form.pitch_of, sequence.tokens) if pitch is not None), 60)
        moved = self.form.transposed(sequence.tokens, 60 - first)
        return super().content(sequence if moved is None else dataclasses.replace(sequence, tokens=moved))

    def _chosen(self, piece: Piece) -> tuple[NoteColumns, int]:
        """The notes that are taken, in order of their start, and how many were left out at the end."""
        columns = columns_of(piece)
        information = piece.sequence.quantization_info
        if information.steps_per_quarter > 0 or information.steps_per_second > 0:
            raise UnusableError("already-quantised", "times in steps cannot be quantised again")
        if not (np.isfinite(columns.start).all() and np.isfinite(columns.end).all()):
            raise UnusableError("bad-time", "a time is not a finite number")
        if self.pedal:
            columns = with_pedal(piece.sequence, columns)
        kept = ~columns.is_drum & (columns.velocity != 0)
        if self.parts == FIRST_PART and kept.any():
            programs = np.fromiter((note.program for note in piece.sequence.notes), np.int64, len(kept))
            first = columns.instrument[kept].min()
            kept &= programs == programs[kept & (columns.instrument == first)][0]
        if not kept.any():
            raise UnusableError("drums" if columns.is_drum.any() else "no-notes", "")
        chosen = columns.take(kept).by_start()
        outside = (chosen.pitch < MIN_PITCH) | (chosen.pitch > MAX_PITCH)
        if outside.any():
            raise UnusableError("pitch-out-of-range", f"pitch {chosen.pitch[outside][0]}")
        if (chosen.end < chosen.start).any():
            raise UnusableError("bad-note", f"at second {chosen.start[chosen.end < chosen.start][0]:g}")
        most = self.max_notes or len(chosen.start)
        return chosen.take(np.arange(min(most, len(chosen.start)))), max(len(chosen.start) - most, 0)

    def _on_grid(self, piece: Piece, chosen: NoteColumns) -> Notes:
        """The notes as a keyboard plays them; none is shorter than a step."""
        steps = steps_by_tempos(piece.sequence, np.stack([chosen.start, chosen.end]), self.steps_per_quarter)
        if not (np.abs(steps) <= MAX_STEP).all():
            raise UnusableError("bad-time", f"a note ends at step {steps.max():.0f}")
        if (steps < -0.5).any():
            raise UnusableError("negative-time", f"a note starts at step {steps.min():.0f}")
        starts, ends = np.floor(steps + 0.5).astype(np.int64)
        quarters = starts // self.steps_per_quarter
        begun = np.searchsorted(quarters, quarters, side="right") - np.searchsorted(quarters, quarters)
        if begun.max() > MOST_NOTES_AT_ONCE:
            raise UnusableError("too-many-tokens", f"{begun.max():,} notes begin within a quarter note")
        notes = keyboard_notes(starts, chosen.pitch, np.maximum(ends, starts + 1), chosen.velocity)
        whole_note = musical.WHOLE_NOTE_QUARTERS * self.steps_per_quarter
        longest = (int(notes.durations.sum()) + int(starts.max())) // whole_note + 3 * len(starts)
        if longest > MOST_TOKENS:
            raise UnusableError("too-many-tokens", f"about {longest:,} tokens")
        return notes


@dataclasses.dataclass(frozen=True)
class NotesAndChords(KeyboardPieces):
    """Offsets, pitches and durations as words of their own, which lose nothing of what is on the grid.

    Attributes:
      velocity_bins: degrees of loudness that are told apart, up to 127; 0 leaves it out.
    """

    velocity_bins: int = 0

    name: ClassVar[str] = MUSICAL

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is out of range, or none of its choices.
        """
        super().__post_init__()
        bins = self.velocity_bins
        if not isinstance(bins, int) or isinstance(bins, bool) or not 0 <= bins <= MAX_VELOCITY:
            raise UsageError(f"--option velocity_bins must be a whole number from 0 to {MAX_VELOCITY}, not {bins!r}")

    @property
    def form(self) -> Musical:
        """See base class."""
        return Musical(self.steps_per_quarter, self.velocity_bins)

    @property
    def covers(self) -> str:
        """See base class: notes on the grid, unless loudness is told too."""
        return "" if self.velocity_bins else _covered(self)

    def fit(self, counts: Mapping[str, int]) -> Vocabulary:
        """All words that there can be, after the unknown, which is none of them, and the marks."""
        words = musical.alphabet(self.steps_per_quarter, self.velocity_bins)
        return Vocabulary.fitted(dict.fromkeys(words, 1), (START, END))


@dataclasses.dataclass(frozen=True)
class NotesAndChordsAsDescribed(KeyboardPieces):
    """Pitches, offset and duration of notes that begin and end together, in one word."""

    name: ClassVar[str] = DESCRIBED

    @property
    def form(self) -> Described:
        """See base class."""
        return Described(self.steps_per_quarter)

    @property
    def covers(self) -> str:
        """See base class: notes on the grid."""
        return _covered(self)


@dataclasses.dataclass(frozen=True)
class NotesAndChordsAsPublished(KeyboardPieces):
    """Classical-Piano-Composer's words: the name of a note, or the pitch classes of a chord.

    Attributes:
      across_tracks: whether notes of different tracks can make a chord; as published they cannot.
    """

    parts: str = FIRST_PART
    across_tracks: bool = False

    name: ClassVar[str] = PUBLISHED

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is out of range, or none of its choices.
        """
        super().__post_init__()
        if self.steps_per_quarter % 2:
            raise UsageError("--option steps_per_quarter must be even: a token lasts half a quarter note")
        if not isinstance(self.across_tracks, bool):
            raise UsageError(f"--option across_tracks must be true or false, not {self.across_tracks!r}")

    @property
    def form(self) -> Published:
        """See base class."""
        return Published(self.steps_per_quarter)

    def words(self, piece: Piece, chosen: NoteColumns, notes: Notes) -> tuple[str, ...]:
        """See base class: from ticks, as music21 reads them."""
        ticks_per_quarter = piece.sequence.ticks_per_quarter or _DEFAULT_TICKS_PER_QUARTER
        times = steps_by_tempos(piece.sequence, np.stack([chosen.start, chosen.end]), ticks_per_quarter)
        starts, ends = np.rint(times).astype(np.int64)
        tracks = np.zeros_like(starts) if self.across_tracks else chosen.instrument
        return published.words_of(tracks, starts, ends, chosen.pitch, ticks_per_quarter)


def _covered(options: KeyboardPieces) -> str:
    return f"keyboard {options.parts} {options.steps_per_quarter} {options.pedal} {options.key}"


def _steps_per_bar(piece: Piece, steps_per_quarter: int) -> int:
    """Steps in a bar of the first metre, or of 4/4 where that is no whole number of them."""
    for signature in piece.sequence.time_signatures:
        if signature.numerator > 0 and signature.denominator > 0:
            steps, rest = divmod(4 * steps_per_quarter * signature.numerator, signature.denominator)
            return steps if steps and not rest else 4 * steps_per_quarter
    return 4 * steps_per_quarter


def _way_to_c(piece: Piece, notes: Notes) -> int:
    """The semitones, from -6 to 5, that bring a piece into C major or A minor."""
    for signature in piece.sequence.key_signatures:
        tonic = _A_MINOR if signature.mode == signature.MINOR else 0
        return (tonic - signature.key + 6) % 12 - 6
    return (6 - major_key(notes.pitches)) % 12 - 6

"""What is rendered: notes on a grid of steps, with what a score and a player have to know beside them."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

from etude.models.chords.chord import NONE as NO_CHORD_NUMBER
from etude.models.chords.chord import basses, pitch_classes
from etude.models.chords.figure import chord_numbers
from etude.models.errors import UsageError
from etude.models.melodies.melody import Events, major_key
from etude.models.melodies.notes import notes_of
from etude.models.melodies.scales import Key
from etude.models.sequences.batch import Tokens
from etude.models.sequences.domain import Domain
from etude.models.sequences.notes import Notes

DEFAULT_QPM = 120.0
DEFAULT_VELOCITY = 100

Chords = tuple[tuple[int, str], ...]
"""At which step which chord begins, as a figure."""

_CHORD_OCTAVE, _BASS_OCTAVE, _CHORD_VELOCITY, _CHORD_PROGRAM = 48, 36, 50, 88

_COMPOUND_EIGHTHS = (6, 9, 12)
"""Bars of so many eighths are felt in dotted quarters (6/8, 9/8, 12/8)."""


@dataclasses.dataclass(frozen=True, order=True)
class Note:
    """A note.

    Attributes:
      onset: the step that it begins at.
      pitch: MIDI pitch, 0 to 127; of a drum, its number in General MIDI.
      duration: in steps.
      velocity: 1 to 127.
      program: General MIDI instrument, 0 to 127.
      is_drum: whether it is played on the drum kit.
    """

    onset: int
    pitch: int
    duration: int
    velocity: int = DEFAULT_VELOCITY
    program: int = 0
    is_drum: bool = False


@dataclasses.dataclass(frozen=True)
class Music:
    """Notes, as many at once as one likes.

    Attributes:
      notes: in any order.
      num_steps: its length; at least up to the end of the last note.
      steps_per_quarter: steps in a quarter note.
      steps_per_bar: steps in a bar.
      pickup_steps: steps of an incomplete bar at the start; 0 where the first bar is whole.
      qpm: quarter notes a minute.
      metre: numerator and denominator; None where it is unknown.
      key: None where it is unknown.
      num_primer_steps: how many steps were given, and not made by a model.
      chords: at which step which chord begins, as a figure, in order; they are written, and sound with `with_chords` alone.
    """

    notes: tuple[Note, ...]
    num_steps: int
    steps_per_quarter: int
    steps_per_bar: int
    pickup_steps: int = 0
    qpm: float = DEFAULT_QPM
    metre: tuple[int, int] | None = None
    key: Key | None = None
    num_primer_steps: int = 0
    chords: Chords = ()

    @property
    def notated(self) -> "Music":
        """The same as it is written: what begins with a rest within its first bar begins with a pickup."""
        rest = min((note.onset for note in self.notes), default=0)
        if self.pickup_steps or not 0 < rest < self.steps_per_bar:
            return self
        return dataclasses.replace(
            self,
            notes=tuple(dataclasses.replace(note, onset=note.onset - rest) for note in self.notes),
            num_steps=self.num_steps - rest,
            pickup_steps=self.steps_per_bar - rest,
            num_primer_steps=max(0, self.num_primer_steps - rest),
        )

    @property
    def seconds_per_step(self) -> float:
        """How long a step lasts."""
        return 60 / self.qpm / self.steps_per_quarter

    @property
    def beat(self) -> int:
        """Steps in a beat: a dotted quarter note in compound metres, if the steps make one, else a quarter note."""
        if self.metre is not None and (self.metre[0] not in _COMPOUND_EIGHTHS or self.metre[1] < 8):
            return self.steps_per_quarter
        return beat(self.steps_per_bar, self.steps_per_quarter)

    @property
    def shown_metre(self) -> tuple[int, int]:
        """The metre, or one that fits the bar: 6/8, 9/8 or 12/8, else in quarters where they go into it, or in eighths.

        Raises:
          UsageError: if no metre has such bars.
        """
        if self.metre is not None:
            return self.metre
        quarters = Fraction(self.steps_per_bar, self.steps_per_quarter)
        for denominator in (8, 16, 32, 64) if self.beat > self.steps_per_quarter else (4, 8, 16, 32, 64):
            if (quarters * denominator / 4).denominator == 1:
                return int(quarters * denominator / 4), denominator
        raise UsageError(
            f"no metre has bars of {self.steps_per_bar} steps where {self.steps_per_quarter} are a quarter note"
        )

    @property
    def shown_key(self) -> Key:
        """The key, or the major key that holds most of the notes."""
        return self.key or Key(major_key(pitches(self.notes)))


def melody_music(
    events: Events,
    *,
    steps_per_quarter: int,
    steps_per_bar: int,
    qpm: float = DEFAULT_QPM,
    metre: tuple[int, int] | None = None,
    key: Key | None = None,
    num_primer_events: int = 0,
    program: int = 0,
    velocity: int = DEFAULT_VELOCITY,
    chords: Chords = (),
) -> Music:
    """The notes of a melody; one that sounds at the end stops there.

    Args:
      events: [num_steps].
      steps_per_quarter: steps in a quarter note.
      steps_per_bar: steps in a bar.
      qpm: quarter notes a minute.
      metre: numerator and denominator; None where it is unknown.
      key: None where it is unknown.
      num_primer_events: how many of the events are the primer.
      program: General MIDI instrument, 0 to 127.
      velocity: of every note, 1 to 127.
      chords: at which step which chord begins, as a figure.
    """
    grid = Grid(steps_per_quarter, steps_per_bar, qpm, metre, key)
    return grid.music(
        notes_of(events), len(events), num_primer_events, program=program, velocity=velocity, chords=chords
    )


@dataclasses.dataclass(frozen=True)
class Grid:
    """What a score and a player have to know of notes on a grid of steps.

    Attributes:
      steps_per_quarter: steps in a quarter note.
      steps_per_bar: steps in a bar.
      qpm: quarter notes a minute.
      metre: numerator and denominator; None where it is unknown.
      key: None where it is unknown.
    """

    steps_per_quarter: int
    steps_per_bar: int
    qpm: float = DEFAULT_QPM
    metre: tuple[int, int] | None = None
    key: Key | None = None

    def music(
        self,
        notes: Notes,
        num_steps: int,
        num_primer_steps: int = 0,
        *,
        program: int = 0,
        velocity: int = DEFAULT_VELOCITY,
        are_drums: bool = False,
        chords: Chords = (),
    ) -> Music:
        """Notes on this grid as music."""
        loud = [velocity] * len(notes.onsets) if notes.velocities is None else notes.velocities.tolist()
        found = zip(*(values.tolist() for values in notes[:3]), loud, strict=True)
        return Music(
            notes=tuple(
                Note(onset, pitch, duration, loudness, program, are_drums) for onset, pitch, duration, loudness in found
            ),
            num_steps=num_steps,
            num_primer_steps=num_primer_steps,
            chords=chords,
            **vars(self),
        )

    def sequence_music(
        self,
        domain: Domain,
        tokens: Tokens,
        num_primer_tokens: int = 0,
        prelude: Tokens | None = None,
        *,
        without_primer: bool = False,
        program: int = 0,
        chords: Chords = (),
    ) -> Music:
        """The notes of a sequence as music.

        Args:
          domain: what sequences it is one of.
          tokens: as they sound.
          num_primer_tokens: how many of them were given.
          prelude: a primer that sounds before; None where there is none.
          without_primer: whether what was given is left out.
          program: General MIDI instrument, 0 to 127.
          chords: at which step which chord begins, as a figure.
        """
        notes, num_steps = domain.notes(tokens), domain.num_steps(tokens)
        given = domain.num_given_steps(tokens[:num_primer_tokens])
        if prelude is not None:
            given = domain.num_steps(prelude)
            notes, num_steps = notes.after(domain.notes(prelude), given), num_steps + given
        if without_primer:
            notes, num_steps, given, chords = notes.since(given), num_steps - given, 0, from_step(chords, given)
        return self.music(notes, num_steps, given, program=program, are_drums=domain.are_drums, chords=chords)


def with_chords(music: Music) -> Music:
    """The same with its chords as notes: held, on another instrument, the bass an octave below.

    Source: note-seq's `BasicChordRenderer`, with the octaves, velocity and instrument that Magenta gives it.
    """
    ends = [*(step for step, _ in music.chords[1:]), music.num_steps]
    notes = []
    for (step, figure), end in zip(music.chords, ends, strict=True):
        chord = chord_numbers([figure])
        if chord[0] != NO_CHORD_NUMBER and end > step:
            pitches = [_CHORD_OCTAVE + int(each) for each in pitch_classes(chord)[0].nonzero()[0]]
            pitches.append(_BASS_OCTAVE + int(basses(chord)[0]))
            notes += [Note(step, pitch, end - step, _CHORD_VELOCITY, _CHORD_PROGRAM) for pitch in pitches]
    return dataclasses.replace(music, notes=(*music.notes, *notes))


def from_step(chords: Chords, start: int) -> Chords:
    """Where chords begin, counted from a step on; the one that sounds there begins there."""
    before = [(0, figure) for step, figure in chords if step <= start][-1:]
    return (*before, *((step - start, figure) for step, figure in chords if step > start))


def beat(steps_per_bar: int, steps_per_quarter: int) -> int:
    """Steps in a beat: a dotted quarter note in compound metres, if the steps make one, else a quarter note."""
    is_compound = any(2 * steps_per_bar == eighths * steps_per_quarter for eighths in _COMPOUND_EIGHTHS)
    return 3 * steps_per_quarter // 2 if is_compound and steps_per_quarter % 2 == 0 else steps_per_quarter


def pitches(notes: Sequence[Note]) -> Events:
    """The pitches of all notes that are no drums, [num_notes]."""
    import numpy as np

    return np.array([note.pitch for note in notes if not note.is_drum], np.int64)

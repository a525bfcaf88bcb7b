"""The three ways in which notes become words, as one kind of thing."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import ClassVar

from etude.models.configuration import Configuration
from etude.models.notes_and_chords import described, musical, published
from etude.models.notes_and_chords.names import PITCHES
from etude.models.sequences.notes import Notes

MUSICAL, PUBLISHED, DESCRIBED = (
    "notes_and_chords",
    "notes_and_chords_as_published",
    "notes_and_chords_as_described",
)
"""Their representations, by name."""

Words = Sequence[str]


@dataclasses.dataclass(frozen=True)
class Form(abc.ABC):
    """How notes are written as words.

    Attributes:
      steps_per_quarter: steps in a quarter note.
      moves_after: whether a word moves on after its notes, and not before.
    """

    steps_per_quarter: int
    moves_after: ClassVar[bool] = False

    @abc.abstractmethod
    def words_of(self, notes: Notes) -> tuple[str, ...]:
        """The words of notes as `keyboard_notes` gives them."""

    @abc.abstractmethod
    def notes_of(self, words: Words) -> Notes:
        """The notes of words, as a keyboard plays them; marks and what is out of place are none."""

    @abc.abstractmethod
    def transposed(self, words: Words, semitones: int) -> tuple[str, ...] | None:
        """The words in another key; None if a note would leave the pitches 0 to 127."""

    @abc.abstractmethod
    def offset_of(self, word: str) -> int:
        """By how many steps a word moves on."""

    @abc.abstractmethod
    def kind_of(self, word: str) -> str:
        """What a word stands for; empty for marks."""

    @abc.abstractmethod
    def pitch_of(self, word: str) -> int | None:
        """A pitch by which copies in other keys are brought into one: of the first word that has one."""


@dataclasses.dataclass(frozen=True)
class Musical(Form):
    """See `etude.models.notes_and_chords.musical`.

    Attributes:
      velocity_bins: degrees of loudness that are told apart; 0 leaves it out.
    """

    velocity_bins: int = 0

    def words_of(self, notes: Notes) -> tuple[str, ...]:
        """See base class."""
        return musical.words_of(notes, self.steps_per_quarter, self.velocity_bins)

    def notes_of(self, words: Words) -> Notes:
        """See base class."""
        return musical.notes_of(words, self.velocity_bins)

    def transposed(self, words: Words, semitones: int) -> tuple[str, ...] | None:
        """See base class."""
        return musical.transposed(words, semitones)

    def offset_of(self, word: str) -> int:
        """See base class."""
        return musical.offset_of(word)

    def kind_of(self, word: str) -> str:
        """See base class."""
        kinds = {musical.OFFSET: "offset", musical.DURATION: "duration", musical.LOUDNESS: "loudness", "<": ""}
        return kinds.get(word[0], "pitch")

    def pitch_of(self, word: str) -> int | None:
        """See base class."""
        return int(word) if word.isdecimal() else None


class Described(Form):
    """See `etude.models.notes_and_chords.described`."""

    def words_of(self, notes: Notes) -> tuple[str, ...]:
        """See base class."""
        return described.words_of(notes, self.steps_per_quarter)

    def notes_of(self, words: Words) -> Notes:
        """See base class."""
        return described.notes_of(words, self.steps_per_quarter)

    def transposed(self, words: Words, semitones: int) -> tuple[str, ...] | None:
        """See base class."""
        return described.transposed(words, semitones)

    def offset_of(self, word: str) -> int:
        """See base class."""
        return described.offset_of(word, self.steps_per_quarter)

    def kind_of(self, word: str) -> str:
        """See base class."""
        return "" if word[0] == "<" else "chord" if "." in word.partition("|")[0] else "note"

    def pitch_of(self, word: str) -> int | None:
        """See base class."""
        return PITCHES.get(word.partition("|")[0].partition(".")[0])


class Published(Form):
    """See `etude.models.notes_and_chords.published`."""

    moves_after: ClassVar[bool] = True

    def words_of(self, notes: Notes) -> tuple[str, ...]:
        """See base class: as a file with one track."""
        ends = notes.onsets + notes.durations
        return published.words_of(notes.onsets * 0, notes.onsets, ends, notes.pitches, self.steps_per_quarter)

    def notes_of(self, words: Words) -> Notes:
        """See base class."""
        return published.notes_of(words, self.steps_per_quarter)

    def transposed(self, words: Words, semitones: int) -> tuple[str, ...] | None:
        """See base class."""
        return published.transposed(words, semitones)

    def offset_of(self, word: str) -> int:
        """See base class."""
        return published.offset_of(word, self.steps_per_quarter)

    def kind_of(self, word: str) -> str:
        """See base class."""
        return "" if word[0] == "<" else "note" if word in PITCHES else "chord"

    def pitch_of(self, word: str) -> int | None:
        """See base class."""
        return PITCHES.get(word)


def form_of(configuration: Configuration) -> Form:
    """The form of a configuration's words."""
    steps = configuration.steps_per_quarter
    if configuration.representation == PUBLISHED:
        return Published(steps)
    if configuration.representation == DESCRIBED:
        return Described(steps)
    return Musical(steps, int(configuration.representation_options.get("velocity_bins", "0")))

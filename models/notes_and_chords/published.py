"""Notes and chords as Classical-Piano-Composer has them: `E4` for a note, `0.4.7` for a chord, half a quarter note each.

What music21 10 reads from a MIDI file is read here without it: notes of a track that begin and end together, give or take a
sixteenth, are a chord; tokens come in order of their onsets, which are moved to sixteenths or triplets of eighths, whichever
is nearer; of the instruments of a file there is the first alone. Octaves and inversions of chords, durations, rests and
loudness are lost.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from etude.models.notes_and_chords.keyboard import keyboard_notes
from etude.models.notes_and_chords.names import NAMES, PITCHES, normal_order
from etude.models.sequences.batch import Tokens
from etude.models.sequences.notes import Notes

QUARTERS_A_TOKEN, QUARTERS_A_NOTE = Fraction(1, 2), 1
"""How far a token moves on, and how long its notes sound: `create_midi` leaves them as music21 makes them."""

_DIVISORS = (4, 3)
_CHORD_OCTAVE = 60
"""music21 takes a pitch class for a pitch of the octave from middle C on."""


def words_of(tracks: Tokens, starts: Tokens, ends: Tokens, pitches: Tokens, ticks_per_quarter: int) -> tuple[str, ...]:
    """The words of the notes of one instrument.

    Args:
      tracks: the track that each note is on, [num_notes].
      starts: ticks, [num_notes].
      ends: ticks, [num_notes].
      pitches: MIDI pitches, [num_notes].
      ticks_per_quarter: ticks in a quarter note.
    """
    found: list[tuple[Fraction, str]] = []
    for track in np.unique(tracks).tolist():
        own = np.flatnonzero(tracks == track)
        order = own[np.lexsort((pitches[own], starts[own]))]
        rows = np.stack([starts[order], ends[order], pitches[order]], axis=1).tolist()
        found += (
            (_nearest(Fraction(start, ticks_per_quarter)), _word(chord))
            for start, chord in _chords(rows, Fraction(ticks_per_quarter, max(_DIVISORS)))
        )
    # Those of one onset stay in the order of their tracks.
    return tuple(word for _, word in sorted(found, key=lambda pair: pair[0]))


def notes_of(words: Iterable[str], steps_per_quarter: int) -> Notes:
    """The notes of words, as a keyboard plays them; a word of another kind is a rest, the marks are none."""
    length = int(QUARTERS_A_NOTE * steps_per_quarter)
    found: list[tuple[int, int, int]] = []
    onset = 0
    for word in words:
        pitches = [PITCHES[word]] if word in PITCHES else [_CHORD_OCTAVE + each for each in _classes(word)]
        found += [(onset, pitch, onset + length) for pitch in pitches]
        onset += offset_of(word, steps_per_quarter)
    onsets, numbers, ends = np.array(found, np.int64).reshape(-1, 3).T
    return keyboard_notes(onsets, numbers, ends)


def transposed(words: Iterable[str], semitones: int) -> tuple[str, ...] | None:
    """The words in another key; None if a note would leave the pitches 0 to 127."""
    moved = []
    for word in words:
        if word in PITCHES:
            if not 0 <= PITCHES[word] + semitones < len(NAMES):
                return None
            word = NAMES[PITCHES[word] + semitones]
        elif classes := _classes(word):
            word = _chord_word(each + semitones for each in classes)
        moved.append(word)
    return tuple(moved)


def offset_of(word: str, steps_per_quarter: int) -> int:
    """By how many steps a word moves on, after its notes."""
    return 0 if word.startswith("<") else int(QUARTERS_A_TOKEN * steps_per_quarter)


def num_pitches(word: str) -> int:
    """How many notes a word stands for when it is played."""
    return 1 if word in PITCHES else len(_classes(word))


def _chords(rows: list[list[int]], tolerance: Fraction) -> Iterator[tuple[int, list[int]]]:
    """The start and the pitches of each note or chord, from start, end and pitch of notes in order of their start."""
    is_taken = [False] * len(rows)
    for first, (start, end, pitch) in enumerate(rows):
        if is_taken[first]:
            continue
        chord = [pitch]
        for other in range(first + 1, len(rows)):
            other_start, other_end, other_pitch = rows[other]
            if other_start - start >= tolerance:
                break
            # As music21: also of a note that another chord has already.
            if abs(other_end - end) <= tolerance:
                chord.append(other_pitch)
                is_taken[other] = True
        yield start, chord


def _nearest(quarters: Fraction) -> Fraction:
    choices = [Fraction(round(quarters * divisor), divisor) for divisor in _DIVISORS]
    return min(choices, key=lambda choice: abs(choice - quarters))


def _word(chord: list[int]) -> str:
    return NAMES[chord[0]] if len(chord) == 1 else _chord_word(chord)


def _chord_word(pitches: Iterable[int]) -> str:
    return ".".join(map(str, normal_order(pitches)))


def _classes(word: str) -> list[int]:
    parts = word.split(".")
    return list(map(int, parts)) if all(part.isdecimal() for part in parts) else []

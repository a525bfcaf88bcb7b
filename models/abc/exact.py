"""Tunes that canonical ABC, folk-rnn's tokens and a melody's grid of sixteenths all carry exactly, as one tune for all.

Such a tune has one voice without chords, one metre and one key; it begins with a note, every note lies on sixteenths, and
every bar is whole but a pickup and the last. It is written into C, in its mode, so that all models are told the key alike.
"""

import dataclasses
from fractions import Fraction

import numpy as np

from etude.models.abc.unfolded import Chord, Signature, UnfoldedTune, bar_length
from etude.models.melodies.melody import NO_EVENT, NOTE_OFF, PITCHES_PER_OCTAVE, Events
from etude.models.melodies.notes import notes_of
from etude.models.melodies.quantisation import UnusableError
from etude.models.melodies.scales import Key

STEP = Fraction(1, 16)
"""Of a whole note."""

LOWEST_PITCH, HIGHEST_PITCH = 48, 83
"""What all models of melodies know."""


def exact_tune(tune: UnfoldedTune) -> UnfoldedTune:
    """A tune in C, as all representations carry it.

    Raises:
      UnusableError: if one of them does not.
    """
    _check(tune)
    moved = _into_c(tune)
    signature = moved.signatures[0][1]
    if tune_of_events(events_of_tune(moved), signature) != moved:
        raise UnusableError("uneven-bars", f"{tune.num_uneven_bars} bars are not as long as their metre says")
    return moved


def _check(tune: UnfoldedTune) -> None:
    """Raises an error if something in a tune has no place in one of the representations."""
    if len(tune.chords) < 2:
        raise UnusableError("one-note", f"{len(tune.chords)} notes")
    if any(len(chord.pitches) > 1 for chord in tune.chords):
        raise UnusableError("has-chords", "several notes sound together")
    if len(tune.signatures) > 1:
        raise UnusableError("changes-within", "metre or key changes within the tune")
    bar = bar_length(tune.signatures[0][1].metre)
    if bar is None:
        raise UnusableError("free-metre", "")
    if bar % STEP:
        raise UnusableError("off-sixteenths", f"a bar is {bar / STEP} sixteenths")
    if tune.chords[0].start:
        raise UnusableError("begins-with-rest", f"of {tune.chords[0].start / STEP} sixteenths")
    times = (time for chord in tune.chords for time in (chord.start, chord.end))
    off = next((time for time in times if time % STEP), None)
    if off is not None:
        raise UnusableError("off-sixteenths", f"after {float(off * 4):g} quarter notes")


def _into_c(tune: UnfoldedTune) -> UnfoldedTune:
    """A tune by the nearest way in C, an octave away from there if it would else leave the range."""
    (start, signature), *_ = tune.signatures
    up = (6 - signature.key.tonic) % PITCHES_PER_OCTAVE - 6
    pitches = [chord.pitches[0] + up for chord in tune.chords]
    octaves = (0, -PITCHES_PER_OCTAVE, PITCHES_PER_OCTAVE)
    fitting = [
        octave for octave in octaves if min(pitches) + octave >= LOWEST_PITCH and max(pitches) + octave <= HIGHEST_PITCH
    ]
    if not fitting:
        raise UnusableError("beyond-range", f"in C from pitch {min(pitches)} to {max(pitches)}")
    return dataclasses.replace(
        tune,
        chords=tuple(
            Chord(chord.start, chord.end, (pitch + fitting[0],))
            for chord, pitch in zip(tune.chords, pitches, strict=True)
        ),
        signatures=((start, Signature(signature.metre, Key(0, signature.key.mode))),),
    )


def events_of_tune(tune: UnfoldedTune) -> Events:
    """A tune of `exact_tune` as events, a sixteenth each, from the first bar line on: a pickup stands after silence."""
    bar = bar_length(tune.signatures[0][1].metre) or Fraction(0)
    lead = (bar - tune.bars[0]) % bar if tune.bars else Fraction(0)
    events = np.full(int((tune.end + lead) / STEP), NO_EVENT, np.int64)
    for chord in tune.chords:
        if chord.end < tune.end:
            events[int((chord.end + lead) / STEP)] = NOTE_OFF
    for chord in tune.chords:
        events[int((chord.start + lead) / STEP)] = chord.pitches[0]
    return events


def tune_of_events(events: Events, signature: Signature) -> UnfoldedTune:
    """The tune that events stand for in a metre and a key: the way back from `events_of_tune`."""
    notes, bar = notes_of(events), bar_length(signature.metre) or Fraction(0)
    lead = int(notes.onsets[0])
    end = (len(events) - lead) * STEP
    first = bar - lead * STEP
    bars = [first + number * bar for number in range(max(0, -((first - end) // bar)))]
    return UnfoldedTune(
        chords=tuple(
            Chord((onset - lead) * STEP, (onset - lead + duration) * STEP, (pitch,))
            for onset, pitch, duration in zip(*(values.tolist() for values in notes[:3]), strict=True)
        ),
        bars=tuple(bars),
        signatures=((Fraction(0), signature),),
    )

"""Random pieces for a keyboard, and MIDI files that hold just their notes."""

import io

import mido
import numpy as np

from etude.models.notes_and_chords.keyboard import keyboard_notes

TICKS_A_STEP = 120
STEPS_PER_QUARTER = 4


def random_notes(seed, low=36, high=96, num_steps=64):
    """Chords and overlapping notes of any lengths, with rests between, of one keyboard."""
    random = np.random.default_rng(seed)
    rows = []
    step = int(random.integers(0, 5))
    while step < num_steps:
        length = int(random.choice([1, 2, 2, 3, 4, 6, 8, 40]))
        for pitch in random.choice(np.arange(low, high), random.choice([1, 1, 2, 3, 4]), replace=False):
            own = length if random.random() < 0.8 else int(random.choice([1, 2, 4]))
            rows.append((step, pitch, step + own, random.integers(1, 128)))
        step += length if random.random() < 0.8 else int(random.choice([0, 1, 2, 30]))
    return keyboard_notes(*np.array(rows).T)


def rows_of(notes):
    """Onset, pitch and duration of each note."""
    return list(zip(*(values.tolist() for values in notes[:3]), strict=True))


def midi_of(hands, programs=(0, 0), metre=(64, 4)):
    """A file with a track for each hand, after one with the metre: by default one whose bar holds all.

    (Since version 7, music21 cuts notes at bar lines.)
    """
    file = mido.MidiFile(ticks_per_beat=STEPS_PER_QUARTER * TICKS_A_STEP)
    head = mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1])
    file.tracks.append(mido.MidiTrack([head]))
    for notes, program in zip(hands, programs, strict=False):
        track = mido.MidiTrack([mido.Message("program_change", program=program)])
        file.tracks.append(track)
        loud = [80] * len(notes.onsets) if notes.velocities is None else notes.velocities.tolist()
        messages = []
        for (onset, pitch, duration), velocity in zip(rows_of(notes), loud, strict=True):
            messages += [(onset, 1, pitch, velocity), (onset + duration, 0, pitch, 0)]
        last = 0
        for step, is_on, pitch, velocity in sorted(messages):
            kind, time = "note_on" if is_on else "note_off", (step - last) * TICKS_A_STEP
            track.append(mido.Message(kind, note=pitch, velocity=velocity, time=time))
            last = step
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()

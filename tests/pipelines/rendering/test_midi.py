import io

import mido
import note_seq
import numpy as np
import pretty_midi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etude.models.errors import UsageError
from etude.models.melodies.melody import as_events
from etude.models.melodies.scales import Key
from etude.pipelines.rendering.midi import key_signature, to_midi
from etude.pipelines.rendering.music import Music, Note, melody_music


def melody_to_midi(events, steps_per_quarter=4, **options):
    return to_midi(
        melody_music(
            np.asarray(events), steps_per_quarter=steps_per_quarter, steps_per_bar=4 * steps_per_quarter, **options
        )
    )


event = st.one_of(st.just(-2), st.just(-1), st.integers(0, 127))


def notes_of_note_seq(events, steps_per_quarter=4, **options):
    melody = note_seq.Melody(events, steps_per_quarter=steps_per_quarter)
    return [
        (note.pitch, note.start_time, note.end_time, note.velocity, note.program)
        for note in melody.to_sequence(**options).notes
    ]


@given(
    st.lists(event, min_size=1, max_size=30),
    st.sampled_from([60.0, 97.3, 120.0, 240.0]),
    st.sampled_from([1, 2, 4, 5, 10]),
)
@example([60, 60, 60], 120.0, 4)
@example([-1, 60, -1, -1, 62], 120.0, 4)
def test_the_file_holds_the_notes_that_note_seq_makes(events, qpm, steps_per_quarter):
    data = melody_to_midi(as_events(events), qpm=qpm, steps_per_quarter=steps_per_quarter, program=40, velocity=77)
    expected = notes_of_note_seq(events, steps_per_quarter, qpm=qpm, program=40, velocity=77)
    instruments = pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments
    found = [
        (note.pitch, note.start, note.end, note.velocity, instrument.program)
        for instrument in instruments
        for note in instrument.notes
    ]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours[0] == theirs[0]
        # A MIDI file keeps its tempo in whole microseconds a quarter.
        assert ours[1:3] == pytest.approx(theirs[1:3], rel=1e-5, abs=1e-9)
        assert ours[3:] == theirs[3:]


def test_note_seq_extracts_the_melody_again():
    events = [60, -2, 62, -1, 64, -2, -2, -2, 60, 60, -2, -2, -1, -2, 72, -2]
    sequence = note_seq.midi_to_note_sequence(melody_to_midi(np.array(events), steps_per_quarter=4))
    assert sequence.tempos[0].qpm == pytest.approx(120)
    melody = note_seq.Melody()
    melody.from_quantized_sequence(note_seq.quantize_note_sequence(sequence, steps_per_quarter=4))
    melody.set_length(len(events))
    assert list(melody) == events


def test_defaults():
    (instrument,) = pretty_midi.PrettyMIDI(
        io.BytesIO(melody_to_midi(np.array([60, -2]), steps_per_quarter=4))
    ).instruments
    (note,) = instrument.notes
    assert (instrument.program, note.velocity, note.start, note.end) == (0, 100, 0.0, 0.25)


def test_the_same_melody_gives_the_same_bytes():
    assert melody_to_midi(np.array([60, -1, 62]), steps_per_quarter=4) == melody_to_midi(
        np.array([60, -1, 62]), steps_per_quarter=4
    )


def test_silence_is_a_file_without_notes():
    assert pretty_midi.PrettyMIDI(io.BytesIO(melody_to_midi(np.array([-2, -2]), steps_per_quarter=4))).instruments == []


@pytest.mark.parametrize(
    ("key", "name"),
    [(Key(0), "C"), (Key(3), "Eb"), (Key(6, "minor"), "F#m"), (Key(2, "dorian"), "C"), (Key(10, "minor"), "Bbm")],
)
def test_metre_and_key(key, name):
    data = melody_to_midi(np.array([60, -2]), qpm=97.3, metre=(6, 8), key=key, steps_per_quarter=4)
    messages = {message.type: message for message in mido.MidiFile(file=io.BytesIO(data)).tracks[0]}
    assert (messages["time_signature"].numerator, messages["time_signature"].denominator) == (6, 8)
    assert messages["key_signature"].key == name
    assert mido.tempo2bpm(messages["set_tempo"].tempo) == pytest.approx(97.3, rel=1e-6)
    sequence = note_seq.midi_to_note_sequence(data)
    assert (sequence.time_signatures[0].numerator, sequence.time_signatures[0].denominator) == (6, 8)


def test_long_rests_and_slow_tempos():
    events = np.full(20_000, -2)
    events[[0, 1, 19_998]] = [60, -1, 62]
    data = melody_to_midi(events, qpm=4, steps_per_quarter=4)
    (instrument,) = pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments
    assert [note.start for note in instrument.notes] == pytest.approx([0, 19_998 * 60 / 4 / 4])


def test_chords_instruments_and_drums():
    """As two other readers hear them; the drums of two programs are one part."""
    notes = [
        Note(0, 60, 8, 90),
        Note(0, 64, 4, 80),
        Note(4, 67, 4, 70, program=40),
        Note(2, 36, 1, 110, is_drum=True),
        Note(2, 42, 1, 50, program=7, is_drum=True),
    ]
    data = to_midi(Music(tuple(notes), 8, steps_per_quarter=4, steps_per_bar=16, qpm=60))
    found = {
        (
            round(note.start * 4),
            note.pitch,
            round((note.end - note.start) * 4),
            note.velocity,
            part.program,
            part.is_drum,
        )
        for part in pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments
        for note in part.notes
    }
    assert found == {
        (note.onset, note.pitch, note.duration, note.velocity, 0 if note.is_drum else note.program, note.is_drum)
        for note in notes
    }
    sequence = note_seq.midi_to_note_sequence(data)
    assert sorted((note.pitch, note.is_drum, note.program) for note in sequence.notes) == sorted(
        (note.pitch, note.is_drum, 0 if note.is_drum else note.program) for note in notes
    )


def test_a_pitch_that_is_struck_again_ends_the_note_before():
    notes = (Note(0, 60, 8), Note(4, 60, 8), Note(4, 60, 2), Note(4, 62, 1))
    data = to_midi(Music(notes, 12, steps_per_quarter=4, steps_per_bar=16, qpm=60))
    (instrument,) = pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments
    found = sorted((note.pitch, note.start, note.end) for note in instrument.notes)
    assert found == [(60, 0.0, 1.0), (60, 1.0, 3.0), (62, 1.0, 1.25)]


def test_more_instruments_than_channels():
    notes = tuple(Note(0, 60, 1, program=program) for program in range(16))
    to_midi(Music(notes[:15], 1, 4, 16))
    with pytest.raises(UsageError, match="room for 15 instruments beside drums, not for 16"):
        to_midi(Music(notes, 1, 4, 16))


def test_every_key_has_a_signature_that_mido_knows():
    for tonic in range(12):
        for mode in ("major", "minor", "dorian", "mixolydian", "phrygian", "lydian", "locrian"):
            key = Key(tonic, mode)
            mido.MetaMessage("key_signature", key=key_signature(key))

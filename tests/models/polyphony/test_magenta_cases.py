"""What Magenta's own tests ask of its polyphonic sequences, asked of ours.

All 21 of `polyphony_lib_test`, both of `polyphony_encoder_decoder_test` and the one of `polyphony_rnn_create_dataset_test`.
What ours does otherwise: a sequence that breaks off keeps its notes instead of an error, and a step that is not ended counts
once it has a note; a piece to be continued is not filled up with silence, and the step of each event is not stored.
"""

import numpy as np
import pytest
from note_seq.protobuf import music_pb2

from etude.models.melodies.extraction import Rejection
from etude.models.melodies.quantisation import quantise, split_at_time_changes
from etude.models.polyphony import events
from etude.models.polyphony.events import CONTINUED, END, NEW, START, STEP_END
from etude.models.polyphony.extraction import PolyphonyOptions, extract_polyphony, tokens_of_notes
from etude.models.registry import configure, make_domain
from etude.models.representations.piece import Piece
from etude.models.representations.polyphony import Polyphony
from etude.pipelines.rendering.music import Grid

DOMAIN = make_domain(configure("polyphony"))
CHORD = [(60, 0, 4), (64, 0, 3), (67, 1, 2)]
ANY_LENGTH = PolyphonyOptions(min_steps=0, max_steps=0)


def part_of(notes, programs=()):
    """A part at a step a second, of notes as pitch, start and end."""
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220, total_time=max(end for _, _, end in notes))
    sequence.tempos.add(qpm=60)
    for number, (pitch, start, end) in enumerate(notes):
        program = dict(programs).get(number, 0)
        sequence.notes.add(pitch=pitch, velocity=100, start_time=start, end_time=end, instrument=program)
    (part,) = split_at_time_changes(sequence)
    return quantise(part, 1)


def notes_of(*tokens):
    """Pitch, start and end of the notes of tokens, in order."""
    onsets, pitches, durations = (values.tolist() for values in events.notes_of(np.array([START, *tokens]))[:3])
    return sorted(
        (pitch, onset, onset + length) for onset, pitch, length in zip(onsets, pitches, durations, strict=True)
    )


def test_notes_become_events():
    found = extract_polyphony(part_of(CHORD), ANY_LENGTH).tokens.tolist()
    first = [NEW + 64, NEW + 60, STEP_END]
    second = [NEW + 67, CONTINUED + 64, CONTINUED + 60, STEP_END]
    rest = [CONTINUED + 64, CONTINUED + 60, STEP_END, CONTINUED + 60, STEP_END]
    assert found == [START, *first, *second, *rest, END]


def test_events_become_the_notes():
    assert notes_of(*extract_polyphony(part_of(CHORD), ANY_LENGTH).tokens[1:].tolist()) == sorted(CHORD)


def test_a_note_that_did_not_begin_does_not_go_on():
    last = (CONTINUED + 60, CONTINUED + 64, CONTINUED + 67, STEP_END, END)
    assert notes_of(NEW + 60, NEW + 64, STEP_END, *last) == [(60, 0, 2), (64, 0, 2)]


def test_ends_in_the_middle_are_passed_over():
    first = (NEW + 60, END, NEW + 64, END, STEP_END, END)
    assert notes_of(*first, CONTINUED + 60, END, CONTINUED + 64, END, STEP_END, END) == [(60, 0, 2), (64, 0, 2)]


def test_a_sequence_that_breaks_off_keeps_its_notes():
    assert notes_of(NEW + 60, NEW + 64) == [(60, 0, 1), (64, 0, 1)]


def test_a_repeated_note_begins_anew():
    tokens = (NEW + 60, NEW + 64, STEP_END, NEW + 60, CONTINUED + 64, STEP_END, END)
    assert notes_of(*tokens) == [(60, 0, 1), (60, 1, 2), (64, 0, 2)]


def test_a_sequence_stands_behind_others_notes():
    tokens = np.array([START, NEW + 60, NEW + 64, STEP_END, CONTINUED + 60, CONTINUED + 64, STEP_END, END])
    music = Grid(1, 4).sequence_music(DOMAIN, tokens, 1, np.array([START, NEW + 60, STEP_END]))
    assert sorted((n.pitch, n.onset, n.onset + n.duration) for n in music.notes) == [(60, 0, 1), (60, 1, 3), (64, 1, 3)]


def test_silent_steps_last():
    tokens = np.array([START, STEP_END, STEP_END, END])
    assert len(events.notes_of(tokens).onsets) == 0
    assert DOMAIN.num_steps(tokens) == 2


@pytest.mark.parametrize("number", [2, 5, 10])
def test_silence_of_any_length(number):
    nothing = events.notes_of(np.array([START]))
    assert tokens_of_notes(nothing, number).tolist() == [START, *[STEP_END] * number, END]


@pytest.mark.parametrize("given", [[STEP_END], [STEP_END, END], [STEP_END, END, END]])
def test_a_sequence_is_gone_on_from_without_its_end(given):
    assert events.continued_form(np.array([START, *given])).tolist() == [START, STEP_END]


def test_a_step_that_is_not_ended_is():
    assert events.continued_form(np.array([START, NEW + 60])).tolist() == [START, NEW + 60, STEP_END]


def test_steps_are_cut_off():
    tokens = np.array([START, NEW + 60, STEP_END, NEW + 64, STEP_END, NEW + 67, STEP_END, END])
    assert DOMAIN.first_steps(tokens, 2).tolist() == [START, NEW + 60, STEP_END, NEW + 64, STEP_END]
    assert DOMAIN.first_steps(tokens, 1).tolist() == [START, NEW + 60, STEP_END]
    assert DOMAIN.first_steps(tokens, 0).tolist() == [START]


@pytest.mark.parametrize("last", [[STEP_END], [NEW + 60]])
def test_steps_are_cut_off_where_there_is_no_end(last):
    assert DOMAIN.first_steps(np.array([START, STEP_END, *last]), 1).tolist() == [START, STEP_END]


def test_steps_are_counted():
    two = [START, NEW + 60, NEW + 64, STEP_END, CONTINUED + 60, CONTINUED + 64, STEP_END]
    assert DOMAIN.num_steps(np.array([*two, END])) == 2
    # Magenta does not count the step that is begun here; what is rendered lasts as long as its notes.
    assert DOMAIN.num_steps(np.array([*two, NEW + 72])) == 3
    assert [len(notes) for notes in events.steps_of(np.array([*two, NEW + 72]))] == [2, 2]


def test_lengths_out_of_bounds_are_left_out():
    limits = PolyphonyOptions(min_steps=3, max_steps=5)
    reasons = {1: "too-few-steps", 10: "too-many-steps"}
    for length in (1, 3, 4, 5, 10):
        found = extract_polyphony(part_of([(60, 0, length)]), limits)
        assert (found.reason if isinstance(found, Rejection) else None) == reasons.get(length)


def test_several_programs_are_left_out():
    found = extract_polyphony(part_of(CHORD, [(0, 2)]), ANY_LENGTH)
    assert isinstance(found, Rejection)
    assert found.reason == "several-programs"


def test_notes_before_the_start_are_left_out():
    at_least_one = PolyphonyOptions(min_steps=1, max_steps=0)
    assert isinstance(extract_polyphony(part_of([(60, 0, 4)]), at_least_one, start_step=4), Rejection)
    assert not isinstance(extract_polyphony(part_of([(60, 0, 4)]), at_least_one), Rejection)


EVENTS = {0: (0, None), 2: (2, None), 3: (3, 0), 191: (4, 60), 258: (4, 127)}


@pytest.mark.parametrize("token", EVENTS)
def test_tokens_are_magentas_classes(token):
    assert events.token_of(*EVENTS[token]) == token
    assert events.event_of(token) == EVENTS[token]


@pytest.mark.parametrize("token", [START, END, STEP_END, NEW + 60, CONTINUED + 72])
def test_only_the_end_of_a_step_is_a_step(token):
    assert DOMAIN.step_lengths[token] == (token == STEP_END)


def test_the_pipeline_takes_a_piece():
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220, total_time=18.0)
    given = [
        (36, 0.0, 2.0), (40, 2.1, 5.0), (44, 3.6, 5.0), (41, 5.1, 8.0), (64, 6.6, 10.0), (55, 8.1, 11.0), (39, 9.6, 9.7),
        (53, 11.1, 14.1), (51, 12.6, 13.0), (55, 14.1, 15.0), (54, 15.6, 17.0), (60, 17.1, 18.0),
    ]  # fmt: skip
    for pitch, start, end in given:
        sequence.notes.add(pitch=pitch, velocity=80, start_time=start, end_time=end)
    (found,) = Polyphony().extract(Piece(sequence)).sequences
    assert (found.tokens == STEP_END).sum() == 18 * 8
    assert found.attributes["num_notes"] == len(given)

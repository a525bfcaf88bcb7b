"""What Magenta's own tests ask of its drum tracks (`drum_pipelines_test`, `drums_rnn_create_dataset_test`), asked of ours.

All eight and the one of the pipeline. Tokens stand for sets of pitches, so that the kit here has a kind for every pitch.
"""

import note_seq
import pytest
from note_seq.protobuf import music_pb2

from etude.models.drums.extraction import DrumOptions, extract_drum_tracks
from etude.models.drums.kit import Kit
from etude.models.encodings.encoding import as_vectors
from etude.models.melodies.quantisation import quantise, split_at_time_changes
from etude.models.registry import configure, make_encoding
from etude.models.representations.drums import Drums
from etude.models.representations.piece import Piece

PITCHES = (11, 12, 13, 14, 15, 16, 50, 52)
KIT = Kit(tuple(map(str, PITCHES)), tuple((pitch,) for pitch in PITCHES))


def note_sequence(drums, others=(), qpm=60.0):
    """Notes as pitch, velocity, start and end in seconds."""
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220)
    sequence.time_signatures.add(numerator=4, denominator=4)
    sequence.tempos.add(qpm=qpm)
    for is_drum, notes in ((True, drums), (False, others)):
        for pitch, velocity, start, end in notes:
            sequence.notes.add(pitch=pitch, velocity=velocity, start_time=start, end_time=end, is_drum=is_drum)
            sequence.total_time = max(sequence.total_time, end)
    return sequence


def tracks(drums, others=(), **options):
    """The pitches struck at each step of each track, at a step a second."""
    (part,) = split_at_time_changes(note_sequence(drums, others))
    found = extract_drum_tracks(quantise(part, 1), KIT, DrumOptions(max_steps=0, **options))
    return [[list(KIT.played(token)) for token in track.tokens.tolist()] for track in found.tracks]


def steps(length, **struck):
    """So many steps, silent but for some: `at6=[11, 12]`."""
    return [struck.get(f"at{step}", []) for step in range(length)]


def test_drums_are_taken_and_other_notes_are_not():
    found = tracks([(12, 100, 2, 4), (11, 1, 6, 7), (12, 1, 6, 8)], [(12, 127, 2, 4), (14, 50, 6, 8)], min_bars=1)
    assert found == [steps(7, at2=[12], at6=[11, 12])]


def test_all_instruments_make_one_track():
    found = tracks([(12, 100, 2, 4), (11, 1, 6, 7), (12, 127, 2, 4), (14, 50, 6, 9)], min_bars=1)
    assert found == [steps(7, at2=[12], at6=[11, 14])]


def test_a_long_silence_parts_tracks_which_begin_with_a_bar():
    notes = [(12, 100, 2, 4), (11, 1, 6, 11), (12, 127, 2, 4), (14, 50, 6, 8), (50, 100, 33, 37), (52, 100, 37, 38)]
    assert tracks(notes, min_bars=1, gap_bars=2) == [steps(7, at2=[12], at6=[11, 14]), steps(6, at1=[50], at5=[52])]


@pytest.mark.parametrize(("second", "found"), [(6, []), (7, [steps(8, at3=[12], at7=[14])])])
def test_a_track_needs_its_bars(second, found):
    assert tracks([(12, 127, 3, 4), (14, 50, second, second + 1)], min_bars=2) == found


def test_a_track_can_be_filled_up_to_whole_bars():
    notes = [(12, 127, 2, 4), (14, 50, 6, 7), (12, 127, 2, 4), (15, 50, 6, 8), (12, 127, 2, 4), (16, 50, 8, 9)]
    expected = steps(12, at2=[12], at6=[14, 15], at8=[16])
    assert tracks(notes, min_bars=1, whole_bars=True) == [expected]


LONG = [(12, 127, 2, 4), (14, 50, 6, 15), (14, 50, 10, 15), (16, 100, 14, 19)]


def test_a_long_track_is_cut():
    (part,) = split_at_time_changes(note_sequence(LONG))
    (track,) = extract_drum_tracks(quantise(part, 1), KIT, DrumOptions(min_bars=1, max_steps=14)).tracks
    struck = steps(14, at2=[12], at6=[14], at10=[14])
    assert [list(KIT.played(token)) for token in track.tokens.tolist()] == struck


def test_a_long_track_can_be_left_out():
    assert tracks([*LONG, (14, 100, 18, 19)], min_bars=1, discard_steps=18) == []


def test_a_late_start_is_moved_to_its_bar():
    assert tracks([(12, 100, 102, 103), (13, 100, 104, 106)], min_bars=1) == [steps(5, at2=[12], at4=[13])]


def test_the_pipeline_makes_the_records_of_note_seqs_encoding():
    given = [
        (36, 100, 0.0, 2.0), (40, 55, 2.1, 5.0), (44, 80, 3.6, 5.0), (41, 45, 5.1, 8.0), (64, 100, 6.6, 10.0),
        (55, 120, 8.1, 11.0), (39, 110, 9.6, 9.7), (53, 99, 11.1, 14.1), (51, 40, 12.6, 13.0), (55, 100, 14.1, 15.0),
        (54, 90, 15.6, 17.0), (60, 100, 17.1, 18.0),
    ]  # fmt: skip
    sequence = note_sequence(given, qpm=120.0)
    quantised = note_seq.quantize_note_sequence(sequence, steps_per_quarter=4)
    track = note_seq.DrumTrack()
    # A bar of silence after the first drum parts it from the others, which lie from the second bar on.
    track.from_quantized_sequence(quantised, search_start_step=16, gap_bars=1.0)
    inputs, labels = note_seq.OneHotEventSequenceEncoderDecoder(note_seq.MultiDrumOneHotEncoding()).encode(track)
    (found,) = Drums().extract(Piece(sequence)).sequences
    encoding = make_encoding(configure("drums"))
    assert encoding.labels(found.tokens[None], {})[0, 1:].tolist() == labels
    ours = as_vectors(encoding.inputs(found.tokens[None, :-1], {})[0], encoding.input_size)
    assert ours[:, : encoding.num_tokens].tolist() == inputs

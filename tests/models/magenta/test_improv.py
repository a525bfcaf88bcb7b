import numpy as np
import pytest

from etude.models.chords.chord import CHORDS
from etude.models.chords.figure import chord_numbers
from etude.models.dataset import configure_for, read_for_model
from etude.models.encodings.chords import TriadInputs
from etude.models.encodings.lead_sheet import LeadSheetEncoding
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.errors import UsageError
from etude.models.magenta.records import decode_record
from etude.models.melodies.melody import Melody, metres
from etude.models.melodies.melody_set import MelodySet
from etude.models.registry import configure, make_encoding
from etude.models.storage.records import write_records
from etude.models.storage.sequence_examples import encode_inputs_and_labels

CONFIGURATIONS = ["basic_improv", "attention_improv", "chord_pitches_improv"]


def spread(runs):
    return [value for value, count in runs for _ in range(count)]


def sheets_of(figures, field):
    return [sheet for sheet in figures["lead_sheets"] if field in sheet]


def dense(sheet, encoding):
    """What Magenta's pipeline writes of a lead sheet, from its own figures."""
    inputs = np.zeros((len(sheet["labels"]), encoding.input_size), np.float32)
    for row, entries in zip(inputs, sheet["inputs_nonzero"], strict=True):
        for index, value in entries:
            row[index] = value
    return encode_inputs_and_labels(inputs, np.array(sheet["labels"]))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_log_likelihoods_equal_magenta(name, magenta_model, magenta_figures):
    sheets = sheets_of(magenta_figures(name), "log_likelihood")
    pieces = [list(zip(sheet["events"], spread(sheet["chord_runs"]), strict=True)) for sheet in sheets]
    found = magenta_model(name).log_likelihood(pieces)
    assert found == pytest.approx([sheet["log_likelihood"] for sheet in sheets], rel=1e-5)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_label_and_distribution_equals_magenta(name, magenta_model, magenta_figures):
    model = magenta_model(name)
    for sheet in sheets_of(magenta_figures(name), "label_log_prob"):
        melody = Melody(
            np.array(sheet["squashed"]), columns={CHORDS: chord_numbers(spread(sheet["squashed_chord_runs"]))}
        )
        log_probabilities = model.predict(MelodySet.of([melody]).batch(np.array([0])))[0]
        found = log_probabilities[np.arange(len(sheet["labels"])), sheet["labels"]]
        assert found == pytest.approx(np.array(sheet["label_log_prob"]), abs=2e-6)
        rows = np.array(sheet["softmax_first_rows"])
        assert np.exp(log_probabilities[: len(rows)]) == pytest.approx(rows, abs=1e-6)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_chord_that_magenta_cannot_encode_is_scored_as_its_triad(name, magenta_model, magenta_figures):
    refused = sheets_of(magenta_figures(name), "error")
    assert refused
    for sheet in refused:
        figures = spread(sheet["chord_runs"])
        (found,) = magenta_model(name).log_likelihood([list(zip(sheet["events"], figures, strict=True))])
        assert np.isfinite(found)


def test_events_without_chords_are_over_none(magenta_model):
    model = magenta_model("basic_improv")
    events = [60, -2, 62, -2, -1, 64]
    with_figures = [[event, "N.C."] for event in events]
    assert model.log_likelihood([events]) == model.log_likelihood([with_figures])
    assert model.log_likelihood([events]) != model.log_likelihood([[[event, "F#m"] for event in events]])


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_magentas_records_are_read_as_lead_sheets(name, magenta_figures, tmp_path):
    encoding = make_encoding(configure(name))
    sheets = sheets_of(magenta_figures(name), "labels")
    records = [dense(sheet, encoding) for sheet in sheets]
    for split in ("training", "eval"):
        write_records(tmp_path / f"{split}_lead_sheets.tfrecord", records)
    read = read_for_model(tmp_path, "eval", configure_for(configure(name), tmp_path))
    for index, (sheet, record) in enumerate(zip(sheets, records, strict=True)):
        # At the start of a melody no event and note-off look the same.
        assert read.tokens(index)[1:].tolist() == sheet["squashed"][1:]
        again = read.batch(np.array([index]))
        inputs = encoding.inputs(again.tokens[:, :-1], again.attributes)[0]
        labels = encoding.labels(again.tokens, again.attributes)[0, 1:]
        assert encode_inputs_and_labels(inputs, labels) == record


def test_records_of_another_configuration_are_refused(magenta_figures):
    basic = make_encoding(configure("basic_improv"))
    sheet = sheets_of(magenta_figures("basic_improv"), "labels")[0]
    with pytest.raises(ValueError, match="where the configuration has"):
        decode_record(dense(sheet, basic), make_encoding(configure("attention_improv")))


def test_magentas_own_case_of_the_pipeline():
    """improv_rnn_create_dataset_test, by note-seq's encoders: pitches 0 to 126, key C, chords as major or minor."""
    import note_seq
    from note_seq import chords_lib, testing_lib

    from etude.models.chords.domain import LeadSheetRange
    from etude.models.representations.lead_sheet import LeadSheetRepresentation
    from etude.models.representations.piece import Piece

    sequence = note_seq.NoteSequence()
    sequence.time_signatures.add(numerator=4, denominator=4)
    sequence.tempos.add(qpm=120)
    notes = [(12, 100, 0.0, 2.0), (11, 55, 2.1, 5.0), (40, 45, 5.1, 8.0), (55, 120, 8.1, 11.0), (53, 99, 11.1, 14.1)]
    testing_lib.add_track_to_sequence(sequence, 0, notes)
    testing_lib.add_chords_to_sequence(sequence, [("N.C.", 0.0), ("Am9", 5.0), ("D7", 10.0)])
    (sheet,) = LeadSheetRepresentation(min_unique_pitches=5).extract(Piece(sequence)).sequences

    quantised = note_seq.quantize_note_sequence(sequence, 4)
    melody = note_seq.Melody()
    melody.from_quantized_sequence(quantised, gap_bars=1)
    chords = chords_lib.ChordProgression()
    chords.from_quantized_sequence(quantised, melody.start_step, melody.end_step)
    theirs = note_seq.LeadSheet(melody, chords)
    theirs.squash(0, 127, 0)
    encoder = note_seq.ConditionalEventSequenceEncoderDecoder(
        note_seq.OneHotEventSequenceEncoderDecoder(note_seq.MajorMinorChordOneHotEncoding()),
        note_seq.OneHotEventSequenceEncoderDecoder(note_seq.MelodyOneHotEncoding(0, 127)),
    )
    inputs, labels = encoder.encode(theirs.chords, theirs.melody)

    encoding = LeadSheetEncoding(OneHotEncoding(0, 127), TriadInputs(2))
    batch = LeadSheetRange(0, 127, 0).enter_all(MelodySet.of([Melody(sheet.tokens, columns=sheet.columns)]))
    whole = batch.batch(np.array([0]))
    attributes = {**metres(16), **whole.attributes}
    assert np.array_equal(encoding.inputs(whole.tokens[:, :-1], attributes)[0], np.array(inputs, np.float32))
    assert encoding.labels(whole.tokens, attributes)[0, 1:].tolist() == list(labels)


@pytest.mark.parametrize("piece", [[[60, "C"], [62]], [[60, "C"], 62], [[60, 5], [62, 5]], [[200, "C"]]])
def test_steps_without_an_event_and_a_chord_are_refused(piece, magenta_model):
    with pytest.raises(UsageError):
        magenta_model("basic_improv").log_likelihood([piece])

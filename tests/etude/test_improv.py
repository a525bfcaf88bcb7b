"""Melodies over chords, from tunes to a comparison, by the commands."""

import json

import mido
import numpy as np
import pytest
from note_seq import chords_lib, midi_io
from note_seq.protobuf.music_pb2 import NoteSequence

from etude import load
from etude.models.chords.chord import CHORDS
from etude.models.chords.figure import chord_numbers
from etude.models.dataset import read_description, read_sequences
from etude.pipelines.readers.pieces import usable_pieces

CHORDS_OF_TUNES = ("C", "G7", "Am", "Fmaj7", "Dm7", "Bø", "Dsus4", "A7alt", "Gm/Bb", "E°")
SMALL = "rnn_layer_sizes=[8],batch_size=16"


def tune(number: int) -> str:
    """Sixteen bars of ABC with two chords in each."""
    random = np.random.default_rng(number)
    bars = []
    for _ in range(16):
        halves = (
            f'"{random.choice(CHORDS_OF_TUNES)}"' + "".join(random.choice(list("CDEFGABcde"), 4)) for _ in range(2)
        )
        bars.append("".join(halves))
    return f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:C\n{'|'.join(bars)}|\n\n"


@pytest.fixture(scope="module")
def band(tmp_path_factory):
    """A folder with a dataset of lead sheets, and a run of each of three models of it."""
    from tests.etude.conftest import Etude

    folder = tmp_path_factory.mktemp("band")
    (folder / "tunes.abc").write_text("".join(map(tune, range(1, 31))))
    run = Etude(folder)
    run("convert", "tunes.abc", "--output", "notes")
    run("dataset", "notes", "--output", "dataset", "--representation", "lead_sheet", "--eval-ratio", "0.2")
    for name, config, hparams in (("improv", "basic_improv", SMALL), ("without", "improv", f"{SMALL},chords=none")):
        run(
            "train", "--config", config, "--dataset", "dataset", "--run-dir", f"runs/{name}", "--num-steps", 6,
            "--eval-every", 3, "--hparams", hparams,
        )  # fmt: skip
    return run


def test_datasets_hold_all_keys_of_train_alone(band):
    description = read_description(band.folder / "dataset")
    train, evaluated = (split.num_melodies for split in description.splits)
    assert (train + 12 * evaluated) == 12 * 30
    assert list(description.transpositions) == list(range(-6, 6))
    assert set(description.remarks) == {"chords-not-understood", "chords-without-triad"}
    sequences = read_sequences(band.folder / "dataset", "eval")
    assert all(sequences.column(CHORDS, index).all() for index in range(len(sequences)))


def test_models_are_evaluated_and_compared(band):
    shown = band("evaluate", "runs/improv", "--dataset", "dataset")
    assert "perplexity" in shown.stdout
    band("compare", "runs/improv", "runs/without", "--dataset", "dataset", "--output", "report")
    results = json.loads((band.folder / "report" / "results.json").read_text())
    assert "chord_tone" in json.dumps(results)
    page = (band.folder / "report" / "report.html").read_text()
    assert "in the chord" in page
    assert "have chord symbols that were not understood" in page


def test_melodies_over_chords(band):
    band(
        "generate", "runs/improv", "--output", "made", "--num-outputs", 3, "--backing-chords", "C G7 Am Fmaj7/A",
        "--steps-per-chord", 8, "--render-chords", "--abc", "--seed", 1,
    )  # fmt: skip
    lines = [json.loads(line) for line in (band.folder / "made" / "generated.jsonl").read_text().splitlines()]
    assert [len(line["events"]) for line in lines] == [32] * 3
    assert lines[0]["chords"] == [[0, "C"], [8, "G7"], [16, "Am"], [24, "Fmaj7/A"]]
    model = load(band.folder / "runs" / "improv")
    figures = [figure for figure in ("C", "G7", "Am", "Fmaj7/A") for _ in range(8)]
    pieces = [list(zip(line["events"], figures, strict=True)) for line in lines]
    found = model.log_likelihood(pieces, squash=False)
    assert found == pytest.approx([line["log_likelihood"] for line in lines], rel=1e-5)
    others = model.log_likelihood([[[event, "F#m"] for event, _ in piece] for piece in pieces], squash=False)
    assert others != pytest.approx(found, rel=1e-5)


def test_rendered_chords_equal_those_of_note_seq(band):
    band(
        "generate", "runs/improv", "--output", "heard", "--num-outputs", 1, "--backing-chords", "C G7 N.C. Fmaj7/A",
        "--render-chords", "--seed", 1,
    )  # fmt: skip
    (path,) = (band.folder / "heard").glob("*.mid")
    sounding = midi_io.midi_file_to_note_sequence(str(path))
    found = sorted(
        (round(note.start_time, 6), round(note.end_time, 6), note.pitch, note.velocity)
        for note in sounding.notes
        if note.program == 88
    )
    theirs = NoteSequence(total_time=8)
    for place, figure in enumerate(("C", "G7", "N.C.", "Fmaj7/A")):
        theirs.text_annotations.add(time=2 * place, text=figure, annotation_type=1)
    chords_lib.BasicChordRenderer(velocity=50).render(theirs)
    assert found == sorted((note.start_time, note.end_time, note.pitch, note.velocity) for note in theirs.notes)


def test_written_chords_are_read_again(band):
    melody = load(band.folder / "runs" / "improv").generate(
        "C4", num_outputs=1, backing_chords="C G7 Am Fmaj7/A", steps_per_chord=6, seed=2
    )[0]
    for suffix, text in (("abc", melody.to_abc()), ("musicxml", melody.to_musicxml())):
        path = band.folder / f"written.{suffix}"
        path.write_text(text)
        ((_, piece, _),) = usable_pieces([str(path)], print)
        symbols = [(note.time, note.text) for note in piece.text_annotations if note.annotation_type == 1]
        assert [time for time, _ in symbols] == pytest.approx([0, 0.75, 1.5, 2.25])
        assert (
            chord_numbers(text for _, text in symbols).tolist() == chord_numbers(["C", "G7", "Am", "Fmaj7/A"]).tolist()
        )


def test_music_is_scored_over_its_chords(band):
    scored = band("score", "runs/improv", "tunes.abc")
    lines = [json.loads(line) for line in scored.stdout.splitlines()]
    assert len(lines) == 30
    typed = band(
        "score", "runs/improv", "--events", "[60,-2,62,-2]", "--backing-chords", "Am G", "--steps-per-chord", 2
    )
    model = load(band.folder / "runs" / "improv")
    (expected,) = model.log_likelihood([[[60, "Am"], [-2, "Am"], [62, "G"], [-2, "G"]]])
    assert json.loads(typed.stdout)["log_likelihood"] == pytest.approx(expected, rel=1e-6)


def test_magentas_form_holds_what_its_pipeline_would(band):
    band(
        "dataset", "notes", "--output", "dense", "--representation", "lead_sheet", "--format", "magenta", "--config",
        "basic_improv", "--eval-ratio", "0.2",
    )  # fmt: skip
    assert sorted(path.name for path in (band.folder / "dense").glob("*.tfrecord")) == [
        "eval_lead_sheets.tfrecord",
        "training_lead_sheets.tfrecord",
    ]
    run = band("evaluate", "runs/improv", "--dataset", "dense")
    plain = band("evaluate", "runs/improv", "--dataset", "dataset")
    assert run.stdout == plain.stdout


def test_midi_without_chords_has_inferred_ones(band):
    file = mido.MidiFile()
    track = mido.MidiTrack()
    file.tracks.append(track)
    for pitch in [60, 64, 67, 64] * 8 + [65, 69, 72, 69] * 8:
        track.append(mido.Message("note_on", note=pitch, velocity=80, time=0))
        track.append(mido.Message("note_off", note=pitch, velocity=0, time=480))
    (band.folder / "more").mkdir()
    file.save(band.folder / "more" / "plain.mid")
    band("convert", "more", "--output", "plain")
    said = band("dataset", "plain", "--output", "inferred", "--representation", "lead_sheet", "--eval-ratio", 0)
    assert "inferred" in said.stdout + said.stderr
    assert dict(read_description(band.folder / "inferred").remarks) == {"chords-inferred": 1}
    refused = band(
        "dataset", "plain", "--output", "none", "--representation", "lead_sheet", "--eval-ratio", 0, "--option",
        "infer_chords=false", status=1,
    )  # fmt: skip
    assert "no-chords" in refused.stderr


def test_models_without_chords_refuse_them(band, tmp_path):
    said = band("generate", "runs/improv", "--output", tmp_path, "--backing-chords", "C Xy", status=2)
    assert "'Xy'" in said.stderr


def test_units_are_inspected_over_chords(band):
    band("inspect", "runs/improv", "tunes.abc", "--output", "units")
    assert (band.folder / "units" / "activations.html").is_file()

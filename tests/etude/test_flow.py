"""The whole flow, each command through its real configuration point."""

import json

import mido
import numpy as np
import pytest
from google.protobuf import text_format

from etude import load
from etude.models.dataset import read_description, read_melodies
from etude.models.storage import run_pb2
from etude.pipelines.readers.note_sequences import read_note_sequences
from tests.etude.conftest import tune

STUDY = """
title = "Two small models"
sources = ["tunes"]
num_steps = 6
eval_every = 3

[dataset]
eval_ratio = 0.2

[hparams]
batch_size = 8
rnn_layer_sizes = [8]

[configurations.basic]
[configurations.attention]
hparams = { attn_length = 4 }

[generate]
num_outputs = 2
num_steps = 32
"""


def test_convert_keeps_every_note(workshop):
    sequences = [
        read_note_sequence
        for path in sorted((workshop.folder / "notes").glob("*.tfrecord"))
        for read_note_sequence in read_note_sequences(path)
    ]
    assert [sequence.filename for sequence in sequences] == [f"tune{number:02}.mid" for number in range(40)]
    for number, sequence in enumerate(sequences):
        assert [note.pitch for note in sequence.notes] == tune(number)[::2].tolist()


def test_dataset_holds_the_tunes(workshop):
    description = read_description(workshop.folder / "dataset")
    splits = {split.name: split.num_melodies for split in description.splits}
    assert splits["train"] + splits["eval"] == 40
    assert splits["eval"] > 0
    stored = {read_melodies(workshop.folder / "dataset", split).events(0).tobytes() for split in splits}
    assert stored <= {tune(number)[:127].tobytes() for number in range(40)} | {
        tune(number).tobytes() for number in range(40)
    }


def test_transposed_copies_are_for_training_only(workshop):
    workshop("dataset", "notes", "--output", "moved", "--eval-ratio", "0.2", "--transpose", -2, 0, 3)
    description = read_description(workshop.folder / "moved")
    plain = {split.name: split.num_melodies for split in read_description(workshop.folder / "dataset").splits}
    assert list(description.transpositions) == [-2, 0, 3]
    assert {split.name: split.num_melodies for split in description.splits} == {
        "train": 3 * plain["train"],
        "eval": plain["eval"],
    }


def test_train_writes_what_a_run_needs(workshop):
    run_dir = workshop.folder / "runs" / "basic"
    run = text_format.Parse((run_dir / "config.textproto").read_text(), run_pb2.Run())
    assert run.configuration.config == "basic"
    assert run.configuration.hyperparameters.values["rnn_layer_sizes"] == "[8]"
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["split"] == "eval"] == [6, 12]
    assert list((run_dir / "train").glob("events.out.tfevents.*"))
    assert list((run_dir / "eval").glob("events.out.tfevents.*"))


def test_evaluate_agrees_with_training_and_with_the_python_call(workshop):
    done = workshop("evaluate", "runs/basic", "--dataset", "dataset", "--json", "-", "--checkpoint", "latest")
    figures = json.loads(done.stdout)
    lines = [
        json.loads(line) for line in (workshop.folder / "runs" / "basic" / "metrics.jsonl").read_text().splitlines()
    ]
    last = next(line for line in reversed(lines) if line["split"] == "eval")
    assert figures["label"]["loss"] == pytest.approx(last["label"]["loss"], rel=1e-5)
    melodies = read_melodies(workshop.folder / "dataset", "eval")
    model = load(workshop.folder / "runs" / "basic", "latest")
    likelihoods = model.log_likelihood([melodies.events(index) for index in range(len(melodies))])
    assert figures["log_likelihood"] == pytest.approx(np.mean(likelihoods), rel=1e-6)
    assert figures["num_melodies"] == len(melodies)


def test_evaluate_prints_a_table(workshop):
    done = workshop("evaluate", "runs/basic", "runs/lookback", "--dataset", "dataset")
    assert "event loss" in done.stdout
    assert "basic" in done.stdout
    assert "lookback" in done.stdout


def test_score_of_a_file_is_the_score_of_its_events(workshop):
    events = tune(0).tolist()
    done = workshop("score", "runs/lookback", "tunes/tune00.mid", "--events", json.dumps(events))
    typed, read = (json.loads(line) for line in done.stdout.splitlines())
    assert read["source"].startswith("tunes/tune00.mid")
    # In a file a melody ends with its last note, which here lasts two steps.
    model = load(workshop.folder / "runs" / "lookback")
    assert typed["log_likelihood"] == pytest.approx(model.log_likelihood([events])[0], rel=1e-6)
    assert read["log_likelihood"] == pytest.approx(model.log_likelihood([events[: read["num_steps"]]])[0], rel=1e-6)


def test_generate_writes_melodies_that_score_what_they_say(workshop):
    workshop("generate", "runs/lookback", "--output", "melodies", "--num-outputs", 3, "--num-steps", 40, "--seed", 5)
    lines = [json.loads(line) for line in (workshop.folder / "melodies" / "generated.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert len(line["events"]) == 40
        midi = mido.MidiFile(workshop.folder / "melodies" / line["file"])
        played = [message.note for message in midi.tracks[0] if message.type == "note_on"]
        assert played == [event - line["transpose_amount"] for event in line["events"] if event >= 0]
        done = workshop("score", "runs/lookback", "--no-squash", "--events", json.dumps(line["events"]))
        scored = json.loads(done.stdout)
        for name in ("log_likelihood", "event_log_likelihood"):
            assert scored[name] == pytest.approx(line[name], rel=1e-6)


def test_generate_again_gives_the_same_melodies_and_keeps_others(workshop):
    for seed in (1, 2, 1):
        workshop("generate", "runs/basic", "--output", "again", "--num-outputs", 2, "--num-steps", 20, "--seed", seed)
    lines = [json.loads(line) for line in (workshop.folder / "again" / "generated.jsonl").read_text().splitlines()]
    assert sorted(line["seed"] for line in lines) == [1, 1, 2, 2]
    assert len({line["file"] for line in lines}) == 4


def test_a_primer_from_a_file_is_continued(workshop):
    workshop(
        "generate", "runs/basic", "--output", "primed", "--primer-midi", "tunes/tune03.mid", "--new-steps", 8,
        "--num-outputs", 1, "--seed", 0,
    )  # fmt: skip
    (line,) = (json.loads(text) for text in (workshop.folder / "primed" / "generated.jsonl").read_text().splitlines())
    primer = np.array(line["events"][: line["num_primer_events"]])
    sounding = np.where(primer >= 0, primer - line["transpose_amount"], primer)
    assert sounding.tolist() == tune(3)[: len(primer)].tolist()
    assert len(line["events"]) == len(primer) + 8


def test_compare_writes_a_report(workshop):
    done = workshop("compare", "runs/basic", "runs/lookback", "--dataset", "dataset", "--output", "comparison")
    results = json.loads((workshop.folder / "comparison" / "results.json").read_text())
    assert {configuration["config"] for configuration in results["configurations"]} == {"basic", "lookback"}
    assert results["verdict"]["headline"] in done.stdout
    assert (workshop.folder / "comparison" / "report.html").read_text().startswith("<!doctype html>")


def test_study_does_it_all_and_does_nothing_twice(workshop):
    (workshop.folder / "small.toml").write_text(STUDY)
    workshop("study", "small.toml", "--output", "study")
    results = (workshop.folder / "study" / "results.json").read_bytes()
    weights = workshop.folder / "study" / "runs" / "basic-seed0" / "checkpoints" / "best.npz"
    written = weights.stat().st_mtime_ns
    done = workshop("study", "small.toml", "--output", "study")
    assert (workshop.folder / "study" / "results.json").read_bytes() == results
    assert weights.stat().st_mtime_ns == written
    assert "report" in done.stderr

"""Notes and chords, from files to music."""

import dataclasses
import io
import json

import mido
import music21
import numpy as np
import pretty_midi
import pytest

from etude import load
from etude.models.dataset import configure_for, read_description, read_sequences
from etude.models.registry import configure
from etude.models.training.schedule import Schedule
from etude.models.training.train import train
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.generation.notes_primer import random_note_primer
from etude.pipelines.rendering.midi import to_midi
from tests.keyboard_pieces import midi_of, random_notes, rows_of

SMALL = {"rnn_layer_sizes": [8, 6], "dense_size": 7, "batch_size": 8, "chunk_steps": 20, "window_stride": 10}
FAMILIES = ("notes-and-chords", "notes-and-chords-as-described", "notes-and-chords-as-published")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Sixteen pieces for two hands, each of its own notes."""
    folder = tmp_path_factory.mktemp("keyboard") / "files"
    folder.mkdir()
    for number in range(16):
        hands = [random_notes(2 * number, 62, 74), random_notes(2 * number + 1, 48, 60)]
        (folder / f"{number:02}.mid").write_bytes(midi_of(hands, metre=(4, 4)))
    return folder


@pytest.fixture(scope="module")
def notes(files):
    convert([str(files)], files.parent / "notes")
    return files.parent / "notes"


def test_by_the_commands(etude, files):
    etude("convert", files, "--output", "notes")
    made = ("dataset", "notes", "--output", "data", "--representation", "notes_and_chords", "--eval-ratio", "0.3")
    assert "--config notes-and-chords" in etude(*made, "--transpose", -2, 0, 3).stderr
    hparams = "rnn_layer_sizes=[8],dense_size=7,embedding_size=4,batch_size=8,chunk_steps=20,window_stride=10"
    trained = ("--dataset", "data", "--run-dir", "run", "--num-steps", 2, "--hparams", hparams)
    etude("train", "--config", "notes-and-chords", *trained)
    figures = json.loads(etude("evaluate", "run", "--dataset", "data", "--json", "-").stdout)
    held_out = read_sequences(etude.folder / "data", "eval")
    assert figures["num_notes"] == held_out.attributes["num_notes"].sum()
    scored = etude("score", "run", files / "03.mid", "--events", '["60", "=4", "+4", "62", "=4"]').stdout.splitlines()
    assert len(scored) == 2

    settings = ("--num-outputs", 2, "--seed", 1, "--svg", "--wav")
    for name, options in {
        "primed": ("--primer", files / "03.mid", "--primer-bars", 1, "--bars", 2, "--exclude-primer"),
        "place": ("--primer-dataset", "data", "--primer-tokens", 20, "--num-tokens", 30, "--top-k", 5),
    }.items():
        etude("generate", "run", "--output", name, *settings, *options)
        lines = [json.loads(line) for line in (etude.folder / name / "generated.jsonl").read_text().splitlines()]
        assert len(lines) == 2
        for line in lines:
            assert {path.suffix for path in (etude.folder / name).iterdir()} >= {".svg", ".wav", ".mid"}
            if name == "place":
                assert (line["num_primer_tokens"], len(line["tokens"]) <= 30) == (21, True)
            mido.MidiFile(etude.folder / name / line["file"])
    etude("compare", "run", "--dataset", "data", "--output", "report", "--generated", "place")
    results = json.loads((etude.folder / "report" / "results.json").read_text())
    assert "word" in {one["name"] for one in results["breakdowns"]}
    assert {"polyphony_rate", "ends_in_loop"} <= results["music"][0]["sets"][0]["measures"].keys()
    assert (etude.folder / "report" / "report.html").read_text().count('class="roll"') >= 2


@pytest.fixture(scope="module", params=FAMILIES)
def run(request, notes, tmp_path_factory):
    """Dataset and run of a family, in this process."""
    family, folder = request.param, tmp_path_factory.mktemp(request.param)
    create_dataset(
        [notes], folder / "data", representation=family.replace("-", "_"), eval_ratio=0.3, transpositions=[0, 1]
    )
    configuration = configure_for(configure(family, SMALL), folder / "data")
    train(configuration, folder / "data", folder / "run", Schedule(num_steps=3, eval_every=3))
    return folder


def test_every_token_once(run):
    """The figures of a run are those of whole pieces, read from the start, and notes are those of the keyboard."""
    model = load(run / "run")
    held_out = read_sequences(run / "data", "eval")
    sums = model.log_likelihood([held_out.tokens(index) for index in range(len(held_out))])
    evaluated = model.evaluate(held_out)
    np.testing.assert_allclose(evaluated["log_likelihood"], sums, rtol=1e-5)
    assert evaluated["num_steps"].tolist() == (held_out.lengths - 1).tolist()
    assert evaluated["note:num"].tolist() == held_out.attributes["num_notes"].tolist()


def test_vocabulary_of_transposed_pieces(run):
    """What train has in other keys is known."""
    description = read_description(run / "data")
    train_set = read_sequences(run / "data", "train")
    assert description.representation.vocabulary[0] == "<unknown>"
    assert set(train_set.attributes["transposition"].tolist()) == {0, 1}
    assert not (train_set.flat == 0).any()


def test_generated_midi_is_read_back_the_same(run):
    """By mido, pretty_midi and music21."""
    model = load(run / "run")
    held_out = read_sequences(run / "data", "eval")
    primer = model.domain.continued_form(held_out.tokens(0)).tolist()
    length = len(primer) + 30
    (made,) = model.generate(primer, num_outputs=1, num_tokens=length, num_steps=1 << 16, seed=1)
    assert len(primer) < len(made.tokens) <= length
    wanted = sorted(rows_of(model.domain.notes(made.tokens)))
    assert len(wanted) > 10
    # Since version 7, music21 cuts notes at bar lines: one bar holds all.
    data = to_midi(dataclasses.replace(made.music, metre=(200, 4)))

    read = pretty_midi.PrettyMIDI(io.BytesIO(data))
    assert sorted(seconds_rows(read.instruments[0].notes)) == wanted

    sounding, found, tick = {}, [], 0
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[0]:
        tick += message.time
        if message.type == "note_on":
            sounding[message.note] = tick
        elif message.type == "note_off":
            onset = sounding.pop(message.note)
            found.append((onset // 120, message.note, (tick - onset) // 120))
    assert sorted(found) == wanted

    score = music21.converter.parseData(data, format="midi").stripTies()
    again = [
        (int(note.getOffsetInHierarchy(score) * 4), pitch.midi)
        for note in score.recurse().notes
        for pitch in note.pitches
    ]
    assert sorted(set(again)) == sorted((onset, pitch) for onset, pitch, _ in wanted)


def test_a_random_note(run):
    """The same for the same seed; a note of the model's words, or a quarter note."""
    model = load(run / "run")
    first, again, other = (random_note_primer(model, seed) for seed in (1, 1, 5))
    assert first.events.tolist() == again.events.tolist()
    assert {len(model.domain.notes(primer.events).onsets) for primer in (first, other)} == {1}


def seconds_rows(notes):
    """Onset, pitch and duration in steps of an eighth of a second."""
    return [(round(note.start * 8), note.pitch, round((note.end - note.start) * 8)) for note in notes]

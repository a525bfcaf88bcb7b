"""Drums and polyphony, from files to music, by the commands."""

import json

import mido
import numpy as np
import pytest

from etude import load
from etude.models.dataset import read_description, read_sequences
from etude.models.polyphony import events
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import Music, Note

SMALL = "rnn_layer_sizes=[8],batch_size=8"
TINY = {"drums": f"{SMALL},attn_length=4", "one-drum": SMALL, "polyphony": SMALL}


def piece(number, are_drums):
    """Eight bars of a part of its own: two voices, or a beat."""
    random = np.random.default_rng(number)
    notes = []
    for step in range(0, 128, 2):
        if are_drums:
            struck = {36: step % 16 == 0, 38: step % 16 == 8, 42: random.random() < 0.8, 12: step == 64}
            notes += [Note(step, pitch, 1, is_drum=True) for pitch, is_struck in struck.items() if is_struck]
        else:
            notes += [Note(step, int(random.integers(low, low + 12)), 2) for low in (48, 65)]
    return Music(tuple(notes), 128, 4, 16, metre=(4, 4))


@pytest.mark.parametrize("config", TINY)
def test_from_files_to_music(etude, config):
    representation, are_drums = config.replace("-", "_"), config != "polyphony"
    (etude.folder / "files").mkdir()
    for number in range(16):
        (etude.folder / "files" / f"{number:02}.mid").write_bytes(to_midi(piece(number, are_drums)))
    etude("convert", "files", "--output", "notes")
    said = etude("dataset", "notes", "--output", "data", "--representation", representation, "--eval-ratio", "0.3")
    assert f"--config {config}" in said.stderr
    description = read_description(etude.folder / "data")
    train, held_out = (read_sequences(etude.folder / "data", split) for split in ("train", "eval"))
    assert sorted({*train.attributes}) == sorted({*held_out.attributes})
    if config == "polyphony":
        assert sorted(set(train.attributes["transposition"].tolist())) == list(range(-4, 5))
        assert set(held_out.attributes["transposition"].tolist()) == {0}
    else:
        assert dict(description.rejected) == ({"unknown-drums": 16} if config == "drums" else {})
    etude(
        "train",
        "--config",
        config,
        "--dataset",
        "data",
        "--run-dir",
        "run",
        "--num-steps",
        2,
        "--hparams",
        TINY[config],
    )
    figures = json.loads(etude("evaluate", "run", "--dataset", "data", "--json", "-").stdout)
    model = load(etude.folder / "run")
    sums = model.log_likelihood([held_out.tokens(index) for index in range(len(held_out))])
    assert figures["log_likelihood"] == pytest.approx(np.mean(sums), rel=1e-5)
    num_notes = sum(int(values) for values in held_out.attributes["num_notes"])
    assert figures["token"]["bits_per_note"] == pytest.approx(-sum(sums) / np.log(2) / num_notes, rel=1e-5)

    given = "[[0, null], [3, 60], [2, null]]" if config == "polyphony" else "[[36], [], [42]]"
    lines = etude("score", "run", "files/03.mid", "--events", given).stdout.splitlines()
    found = [json.loads(line)["log_likelihood"] for line in lines]
    assert len(found) == 2
    assert found[0] == pytest.approx(model.log_likelihood([json.loads(given)])[0], rel=1e-6)

    etude("train", "--config", "ngram", "--dataset", "data", "--run-dir", "counted")
    for run in ("run", "counted"):
        etude(
            "generate", run, "--output", f"made-{run}", "--num-outputs", 2, "--bars", 2, "--seed", 1,
            "--svg", "--wav", "--abc", "--primer", "files/03.mid", "--primer-bars", 1,
        )  # fmt: skip
        made = [
            json.loads(line) for line in (etude.folder / f"made-{run}" / "generated.jsonl").read_text().splitlines()
        ]
        assert len(made) == 2
        for line in made:
            track = mido.MidiFile(etude.folder / f"made-{run}" / line["file"])
            channels = {message.channel for message in track if message.type == "note_on"}
            assert channels == ({9} if are_drums else {0})
            assert {path.suffix for path in (etude.folder / f"made-{run}").iterdir()} >= {
                ".svg",
                ".wav",
                ".abc",
                ".mid",
            }
    generated = ("--generated", "made-run", "made-counted")
    etude("compare", "run", "counted", "--dataset", "data", "--output", "report", *generated)
    results = json.loads((etude.folder / "report" / "results.json").read_text())
    names = {one["name"] for one in results["breakdowns"]}
    assert names >= ({"event", "notes_a_step"} if config == "polyphony" else {"drums"})
    page = (etude.folder / "report" / "report.html").read_text()
    assert page.count('class="roll"') >= 4


def test_in_python(etude):
    """Objects that know their MIDI, from a bundle's own forms of primers."""
    import pathlib

    bundles = pathlib.Path(__file__).parents[1] / "testdata" / "magenta"
    (found,) = load(bundles / "polyphony" / "bundle.mag").generate(
        [[0, None], [3, 60], [2, None], [4, 60], [2, None]], num_outputs=1, num_steps=8, seed=1
    )
    assert found.music.num_steps == 8
    assert found.music.num_primer_steps == 2
    assert (found.tokens == events.STEP_END).sum() == 6
    assert found.to_midi()[:4] == b"MThd"
    (beat,) = load(bundles / "drum_kit" / "bundle.mag").generate([[36], []], num_outputs=1, num_steps=8, seed=1)
    assert all(note.is_drum for note in beat.music.notes)
    assert "<svg" in beat.to_svg()


def test_primers_that_a_model_does_not_take(etude):
    import pathlib

    bundles = pathlib.Path(__file__).parents[1] / "testdata" / "magenta"
    for name, option, text, message in (
        ("polyphony", "--primer-drums", "[(36,)]", "which start with --primer-pitches or --primer-melody"),
        ("drum_kit", "--primer-pitches", "[60]", "which start with --primer-drums"),
        ("drum_kit", "--primer-drums", "36", "takes a list such as"),
        ("polyphony", "--primer-pitches", "[60, 200]", "from 0 to 127"),
        ("basic_rnn", "--primer-drums", "[(36,)]", "which do not start with --primer-drums"),
    ):
        done = etude("generate", bundles / name / "bundle.mag", "--output", "made", option, text, status=2)
        assert message in done.stderr
    assert not (etude.folder / "made").exists()

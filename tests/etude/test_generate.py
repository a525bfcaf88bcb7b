"""`etude generate` as a user runs it, on a small bundle of Magenta's."""

import json
import pathlib

import mido
import numpy as np
import pytest

BUNDLES = pathlib.Path(__file__).parents[1] / "testdata" / "magenta"
BASIC = BUNDLES / "basic_rnn" / "bundle.mag"
LOOKBACK = BUNDLES / "lookback_rnn" / "bundle.mag"
SHORT = ("--num-steps", 32, "--num-outputs", 2, "--seed", 1)

JIG = "X:3\nT:Jig\nM:6/8\nL:1/8\nQ:3/8=60\nK:Em\nEGB e2B|GAB E3|EFG ABc|\n"


def lines_of(folder):
    return [json.loads(text) for text in (folder / "generated.jsonl").read_text().splitlines()]


def test_several_models_from_one_primer_and_seed(etude):
    done = etude("generate", BASIC, LOOKBACK, "--output", "out", *SHORT)
    folders = sorted(path.name for path in (etude.folder / "out").iterdir())
    assert folders == ["basic_rnn-bundle", "lookback_rnn-bundle"]
    lines = [lines_of(etude.folder / "out" / name) for name in folders]
    assert [[line["seed"] for line in own] for own in lines] == [[1, 1], [1, 1]]
    assert done.stderr.count("log-likelihood") == 4
    etude("generate", BASIC, "--output", "alone", *SHORT)
    assert lines_of(etude.folder / "alone") == lines[0]


def test_a_tune_with_its_metre_key_and_tempo(etude):
    (etude.folder / "tunes.abc").write_text(JIG)
    etude(
        "generate", LOOKBACK, "--output", "out", "--primer", "tunes.abc#3", "--primer-bars", 2, "--bars", 5, "--seed", 1,
        "--num-outputs", 1, "--abc", "--svg", "--wav",
    )  # fmt: skip
    (line,) = lines_of(etude.folder / "out")
    assert (len(line["events"]), line["num_primer_events"], line["steps_per_bar"]) == (60, 24, 12)
    assert (line["metre"], line["key"], line["primer"]) == ("6/8", "E minor", "tunes.abc#3")
    assert line["qpm"] == pytest.approx(90)
    messages = {message.type: message for message in mido.MidiFile(etude.folder / "out" / line["file"]).tracks[0]}
    assert (messages["time_signature"].numerator, messages["key_signature"].key) == (6, "Em")
    heard = [event - line["transpose_amount"] for event in line["events"][:24] if event >= 0]
    assert [pitch % 12 for pitch in heard] == [4, 7, 11, 4, 11, 7, 9, 11, 4]
    assert "\nM:6/8\n" in (etude.folder / "out" / line["file"]).with_suffix(".abc").read_text()
    assert {path.suffix for path in (etude.folder / "out").iterdir()} == {".jsonl", ".mid", ".abc", ".svg", ".wav"}


def test_constraints_by_name(etude):
    etude(
        "generate", BASIC, "--output", "out", *SHORT, "--scale", "D minor pentatonic", "--min-pitch", "C4",
        "--max-pitch", "C6", "--no-note-offs", "--end-on-tonic", "--top-p", 0.95,
    )  # fmt: skip
    for line in lines_of(etude.folder / "out"):
        heard = np.array([event - line["transpose_amount"] for event in line["events"][1:] if event >= 0])
        assert len(heard) > 3
        assert -1 not in line["events"]
        assert set(heard % 12) <= {2, 5, 7, 9, 0}
        assert heard[-1] % 12 == 2
        assert 60 <= heard.min() <= heard.max() <= 84


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--temperature", "nan"], "--temperature must be from 0.01 to 10, not nan"),
        (["--primer-melody", "[60, x]"], "not '[60, x]'"),
        (["--num-steps", 10**9], "--num-steps must be from 1 to 131072"),
        (["--primer-melody", "[60, 130]"], "event 130 at step 1 is outside"),
        (["--primer-melody", str([60] * 40), "--num-steps", 40], "40 steps and the melodies are to have 40"),
        (["--primer-melody", "[]"], "holds no event"),
        (["--search", "beam", "--beam-size", 99, "--num-outputs", 50, "--num-steps", 2], "only 38 different melodies"),
        (["--search", "beam", "--num-outputs", 5], "--beam-size 5"),
        (["--min-pitch", "C9"], "leave no pitch"),
        (["--scale", "Q major"], "--scale takes a tonic"),
        (["--top-p", 0], "--top-p"),
        (["--metre", "4"], "--metre takes"),
        (["--primer-bars", 0], "--primer-bars"),
        (["--bars", 0], "--num-steps must be from 1 to 131072, not 0"),
    ],
)
def test_wrong_usage(etude, words, message):
    assert message in etude("generate", BASIC, "--output", "out", *words, status=2).stderr
    assert not (etude.folder / "out").exists()


def test_files_that_cannot_be_used(etude):
    def fails(model, *words):
        return etude("generate", model, "--output", "out", *words, status=1).stderr

    (etude.folder / "empty.mid").write_bytes(b"")
    assert "empty.mid" in fails(BASIC, "--primer", "empty.mid")
    silent = mido.MidiFile(tracks=[mido.MidiTrack()])
    silent.save(etude.folder / "silent.mid")
    assert "silent.mid holds no melody" in fails(BASIC, "--primer-midi", "silent.mid")
    (etude.folder / "cut.mag").write_bytes(BASIC.read_bytes()[:5000])
    assert "cut.mag" in fails("cut.mag")
    (etude.folder / "run").mkdir()
    assert "config.textproto" in fails("run")
    assert not (etude.folder / "out").exists()


def test_primers_outside_the_models_range(etude):
    """Folded by octaves, and said to be."""
    done = etude("generate", BASIC, "--output", "out", "--primer-melody", "[24, -2, 60, -2, 108]", *SHORT)
    assert "2 notes of the primer are outside the range" in done.stderr
    done = etude("generate", BASIC, "--output", "out", "--primer-melody", "[36, -2, 40, -2, 43]", *SHORT)
    assert "outside the range" not in done.stderr
    assert all(48 <= event < 84 for line in lines_of(etude.folder / "out") for event in line["events"] if event >= 0)


def test_music_without_a_melody_cannot_be_scored(etude):
    (etude.folder / "empty.mid").write_bytes(b"")
    done = etude("score", BASIC, "empty.mid", status=1)
    assert "empty.mid: unreadable: " in done.stderr
    assert "nothing to score: there is no melody in empty.mid" in done.stderr


def test_runs_without_a_usable_checkpoint(etude):
    from etude.models.registry import configure
    from etude.models.storage import run_pb2
    from etude.models.storage.run_directory import RunDirectory, to_proto

    run = RunDirectory(etude.folder / "run")
    run.write(run_pb2.Run(configuration=to_proto(configure("basic", {"rnn_layer_sizes": [4]}))))
    assert "has no checkpoint yet" in etude("generate", "run", "--output", "out", status=1).stderr
    run.checkpoints.mkdir()
    run.best.write_bytes(b"PK\3\4 not an archive")
    assert "best.npz cannot be read" in etude("generate", "run", "--output", "out", status=1).stderr
